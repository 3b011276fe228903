import { createRequire } from 'node:module';
import zlib from 'node:zlib';
import { native, ownNative } from './native.ts';

/** zstd between buffers. */
export type Zstd = {
	/** Pack all of `input`; gives how many bytes came of it, or 0 if they do not fit into `output`. */
	pack(input: Buffer, output: Buffer, level: number): number;
	/** Unpack one frame to `output`, which it must fill. @throws Error if it is damaged or does not. */
	unpack(frame: Buffer, output: Buffer): void;
};

const require = createRequire(import.meta.url);

/** Node has its own from 22.15 on. */
const builtIn = (): Zstd | undefined => {
	if (!('zstdCompressSync' in zlib)) return undefined;
	const own = zlib as unknown as {
		zstdCompressSync(bytes: Buffer, options: { params: Record<number, number> }): Buffer;
		zstdDecompressSync(bytes: Buffer, options: { maxOutputLength: number }): Buffer;
		constants: Record<string, number>;
	};
	const levelParameter = own.constants['ZSTD_c_compressionLevel'] as number;
	return {
		pack: (input, output, level) => copied(own.zstdCompressSync(input, { params: { [levelParameter]: level } }), output),
		unpack: (frame, output) => filled(own.zstdDecompressSync(frame, { maxOutputLength: output.length + 1 }), output),
	};
};

/**
 * The system's libzstd by way of koffi: on most Linux systems both are there, and nothing has to be copied. Its own symbols come first
 * (`deep`): Node's binary has some of the same name, of another version.
 */
const system = (): Zstd | undefined => {
	try {
		const library = native()?.load('libzstd.so.1', { deep: true });
		if (!library) return undefined;
		const packer = library.func('void *ZSTD_createCCtx(void)')();
		const unpacker = library.func('void *ZSTD_createDCtx(void)')();
		const freePacker = library.func('size_t ZSTD_freeCCtx(void *)');
		const freeUnpacker = library.func('size_t ZSTD_freeDCtx(void *)');
		ownNative(() => {
			freePacker(packer);
			freeUnpacker(unpacker);
		});
		const compress = library.func('size_t ZSTD_compressCCtx(void *, void *, size_t, void *, size_t, int)');
		const decompress = library.func('size_t ZSTD_decompressDCtx(void *, void *, size_t, void *, size_t)');
		return {
			pack(input, output, level) {
				const length = Number(compress(packer, output, output.length, input, input.length, level));
				return length > output.length ? 0 : length; // error codes are close to 2^64
			},
			unpack(frame, output) {
				const length = Number(decompress(unpacker, output, output.length, frame, frame.length));
				if (length > output.length) throw new Error('the zstd frame makes no sense');
				if (length !== output.length) throw new Error(`it yields ${length} of ${output.length} bytes`);
			},
		};
	} catch {
		return undefined; // the library is not there
	}
};

let found: Zstd | undefined;
let looked = false;

/** The best zstd that there is without waiting; undefined where there is none. */
export const zstd = (): Zstd | undefined => {
	if (!looked) found = system() ?? builtIn();
	looked = true;
	return found;
};

/** Load the optional WebAssembly build, unless there is a better one. Node's own sets up a new state for each block: slow, and memory piles up. */
export const prepareZstd = async (): Promise<void> => {
	if (looked) return;
	found = system() ?? (await webAssembly()) ?? builtIn();
	looked = true;
};

const webAssembly = async (): Promise<Zstd | undefined> => {
	try {
		const wasm = require('@foxglove/wasm-zstd') as {
			readonly isLoaded: Promise<boolean>;
			compress(bytes: Uint8Array, level: number): Buffer;
			decompress(bytes: Uint8Array, size: number): Buffer;
		};
		await wasm.isLoaded;
		return {
			pack: (input, output, level) => copied(wasm.compress(input, level), output),
			unpack: (frame, output) => filled(wasm.decompress(frame, output.length), output),
		};
	} catch {
		return undefined; // an optional dependency
	}
};

const copied = (packed: Buffer, output: Buffer): number => {
	if (packed.length > output.length) return 0;
	packed.copy(output);
	return packed.length;
};

const filled = (bytes: Buffer, output: Buffer): void => {
	if (bytes.length !== output.length) throw new Error(`it yields ${bytes.length} of ${output.length} bytes`);
	bytes.copy(output);
};
