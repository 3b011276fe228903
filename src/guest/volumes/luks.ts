import { type BlockDevice, checkRange } from '../device.ts';
import { byteReader } from '../reader.ts';
import { isAt, type Prober } from './probe.ts';

/** The binary header of LUKS2 has this size, and its JSON follows. */
const BINARY_HEADER = 4096;

/** cryptsetup makes no header larger: 4 MiB. */
const LARGEST_HEADER = 4 << 20;

/** More tokens than a header can have: there are 32 places. */
const MAX_TOKENS = 32;

/** And more key slots than cryptsetup makes. */
const MAX_SLOTS = 32;

/**
 * LUKS On-Disk Format Specification 1.2 and LUKS2 1.1. The state has the version, and of LUKS2 what can unlock it: the types of the
 * tokens, for one of clevis the pin it rests on (`clevis-tpm2`), and `passphrase` where a key slot is none of theirs.
 */
export const luks: Prober = async ({ device, head }) => {
	if (!isAt(head, 0, 'LUKS\xba\xbe')) return undefined;
	const big = byteReader(head.bytes(0, 4096), { path: device.name, endian: 'big' });
	const version = big.u16(6);
	return {
		type: 'crypto_LUKS',
		uuid: big.latin1(168, 40) || undefined,
		label: version === 2 ? big.utf8(24, 48) || undefined : undefined,
		state: [`luks${version}`, ...(version === 2 ? await tokens(device, Number(big.bits64(8))) : [])],
		encrypted: true,
		unsupported: 'it is encrypted with LUKS',
	};
};

/** Where the second header of LUKS2 may be, in bytes: behind the first, whose sizes these are. */
const SECOND_HEADERS = Array.from({ length: 9 }, (_, index) => 16384 << index);

/** LUKS2 whose first header was overwritten. It is asked for last: what else is there may have taken its place. */
export const luksCopy: Prober = async ({ device }) => {
	for (const at of SECOND_HEADERS) {
		if (at + BINARY_HEADER > device.size) break;
		const header = byteReader(await device.read(at, BINARY_HEADER), { path: device.name, offset: at, endian: 'big' });
		if (!isAt(header, 0, 'SKUL\xba\xbe') || header.u16(6) !== 2 || header.bits64(256) !== BigInt(at)) continue;
		return {
			type: 'crypto_LUKS',
			uuid: header.latin1(168, 40) || undefined,
			label: header.utf8(24, 48) || undefined,
			state: ['luks2', 'header-damaged'],
			encrypted: true,
			unsupported: 'it is encrypted with LUKS',
		};
	}
	return undefined;
};

const tokens = async (device: BlockDevice, headerSize: number): Promise<readonly string[]> => {
	const length = headerSize - BINARY_HEADER;
	if (length <= 0 || headerSize > LARGEST_HEADER) return ['header-damaged'];
	checkRange(device, BINARY_HEADER, length);
	const text = byteReader(await device.read(BINARY_HEADER, length), { path: device.name, offset: BINARY_HEADER }).utf8(0, length);
	const header = recordOf(parsed(text));
	if (header?.['tokens'] === undefined) return ['header-damaged'];
	const found = Object.values(recordOf(header['tokens']) ?? {}).slice(0, MAX_TOKENS);
	const sealed = new Set(found.flatMap(sealedSlots));
	const slots = Object.keys(recordOf(header['keyslots']) ?? {}).slice(0, MAX_SLOTS);
	return [...found.flatMap(tokenWord), ...(slots.some((slot) => !sealed.has(slot)) ? ['passphrase'] : [])];
};

/** Tokens whose slots a device or a server opens. The slots of others (systemd's recovery key, a keyring) take what somebody types. */
const SEALING = /^(clevis$|systemd-(tpm2|fido2|pkcs11)$)/;

/** The key slots that nobody can open by typing. */
const sealedSlots = (token: unknown): string[] => {
	const { type, keyslots } = recordOf(token) ?? {};
	if (typeof type !== 'string' || !SEALING.test(type) || !Array.isArray(keyslots)) return [];
	return keyslots.slice(0, MAX_SLOTS).filter((slot) => typeof slot === 'string');
};

const tokenWord = (token: unknown): string[] => {
	const { type, jwe } = recordOf(token) ?? {};
	if (typeof type !== 'string') return [];
	if (type !== 'clevis') return [type.slice(0, 64)];
	const sealed = recordOf(jwe)?.['protected'];
	const pin = typeof sealed === 'string' ? recordOf(recordOf(parsed(fromBase64(sealed)))?.['clevis'])?.['pin'] : undefined;
	return [typeof pin === 'string' ? `clevis-${pin.slice(0, 64)}` : 'clevis'];
};

const recordOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
	typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;

const parsed = (text: string): unknown => {
	try {
		return JSON.parse(text);
	} catch {
		return undefined; // not JSON, or nested too deep
	}
};

/** JSON Web Encryption spells its header in base64url (RFC 7516). */
const fromBase64 = (text: string): string => {
	try {
		return atob(text.replaceAll('-', '+').replaceAll('_', '/'));
	} catch {
		return '';
	}
};
