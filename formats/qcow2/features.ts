import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import type { Extensions } from './extensions.ts';
import { AUTOCLEAR, COMPRESSION, CRYPT, header, headerV3, INCOMPATIBLE } from './layout.ts';

/** @throws UnsupportedError naming the features that an image needs and vconv does not know, as the image itself names them. */
export const checkFeatures = (path: string, incompatible: bigint, autoclear: bigint, { featureNames }: Extensions): void => {
	const known = Object.values(INCOMPATIBLE).reduce((all, bit) => all | bit, 0n);
	const unknown: string[] = [];
	for (let bit = 0; bit < 64; bit++) {
		if (((incompatible & ~known) >> BigInt(bit)) & 1n) unknown.push(featureNames.get(`0:${bit}`) ?? `bit ${bit}`);
	}
	const field = { path, offset: header.size + headerV3.offsets.incompatibleFeatures, field: 'incompatibleFeatures' };
	if (unknown.length > 0) {
		throw new UnsupportedError(`it uses features that vconv does not know: ${unknown.join(', ')}`, {
			...field,
			hint: 'qemu-img convert -O qcow2 of a QEMU that knows them',
		});
	}
	if (autoclear & AUTOCLEAR.dataFileRaw && !(incompatible & INCOMPATIBLE.dataFile)) {
		throw new CorruptError('its external data file is said to be raw, and it has none', field);
	}
};

/** @throws UnsupportedError for an unknown type, CorruptError where the type and its feature bit disagree. */
export const compressionOf = (path: string, type: number, incompatible: bigint): 'zlib' | 'zstd' => {
	const at = { path, offset: header.size + headerV3.size, field: 'compressionType' };
	if (type !== COMPRESSION.zlib && type !== COMPRESSION.zstd)
		throw new UnsupportedError(`vconv does not know compression type ${type}`, at);
	if ((type !== COMPRESSION.zlib) !== ((incompatible & INCOMPATIBLE.compressionType) !== 0n)) {
		throw new CorruptError(`the compression type is ${type}, and the feature bit for it says otherwise`, at);
	}
	return type === COMPRESSION.zstd ? 'zstd' : 'zlib';
};

/** Why an encrypted image is not read. @throws UnsupportedError for a method that there is not. */
export const encryptionOf = (path: string, method: number): Encryption | undefined => {
	if (method === CRYPT.none) return undefined;
	const format = method === CRYPT.aes ? 'aes' : method === CRYPT.luks ? 'luks' : undefined;
	const name = format === 'aes' ? "QEMU's legacy AES" : format === 'luks' ? 'LUKS' : `method ${method}`;
	const refusal = new UnsupportedError(`it is encrypted with ${name}, which vconv does not read`, {
		path,
		offset: header.offsets.cryptMethod,
		field: 'cryptMethod',
		hint: format && 'decrypting it first: qemu-img convert --object secret,… --image-opts driver=qcow2,encrypt.key-secret=…',
	});
	if (format === undefined) throw refusal;
	return { format, refusal };
};

export type Encryption = { readonly format: 'aes' | 'luks'; readonly refusal: UnsupportedError };
