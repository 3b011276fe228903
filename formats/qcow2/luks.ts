import { ascii, bytes, struct, u16, u32 } from '../../src/bytes/struct.ts';
import type { Source } from '../../src/core/source.ts';
import type { Header } from './header.ts';

// "LUKS1 On-Disk Format Specification", version 1.2.3: the header that a QCOW2 image points to. All numbers are big-endian.

const MAGIC = 'LUKS\xba\xbe';
const VERSION = 1;
const SECTOR = 512;
const SLOTS = 8;

/** Of a key slot that has a key in it. */
const ENABLED = 0x00ac71f3;

/** "PHDR", up to the key slots. */
const partitionHeader = struct('big', {
	magic: bytes(6),
	version: u16,
	cipherName: ascii(32),
	cipherMode: ascii(32),
	hashSpec: ascii(32),
	/** In sectors. */
	payloadOffset: u32,
	keyBytes: u32,
	masterKeyDigest: bytes(20),
	masterKeySalt: bytes(32),
	masterKeyIterations: u32,
	uuid: ascii(40),
});

/** "Key slot". */
const keySlot = struct('big', { active: u32, iterations: u32, salt: bytes(32), keyOffset: u32, stripes: u32 });

/** What `info` tells of an encryption, by qemu-img's names. No key is needed for it. */
export const encryptionInfo = async (source: Source, { encryption, extensions }: Header, signal?: AbortSignal) => {
	if (!encryption) return undefined;
	const { format } = encryption;
	const { offset = 0, length = 0 } = extensions.encryption ?? {};
	const size = partitionHeader.size + SLOTS * keySlot.size;
	if (format !== 'luks' || length < size || offset + size > source.size) return { format };
	const data = await source.read(offset, size, signal);
	const h = partitionHeader.decode(data, { path: source.name, offset });
	if (String.fromCharCode(...h.magic) !== MAGIC || h.version !== VERSION) return { format };
	const text = (field: string): string => field.replace(/\0.*$/s, '');
	const [mode = '', generator = '', hash] = text(h.cipherMode).split(/[-:]/);
	// XTS halves its key between two ciphers.
	const bits = (h.keyBytes * 8) / (mode === 'xts' ? 2 : 1);
	const cipher = text(h.cipherName);
	return {
		'ivgen-alg': generator,
		...(hash !== undefined && { 'ivgen-hash-alg': hash }),
		'hash-alg': text(h.hashSpec),
		'cipher-alg': `${cipher}-${bits}`,
		uuid: text(h.uuid),
		format,
		'cipher-mode': mode,
		slots: Array.from({ length: SLOTS }, (_, index) => {
			const at = partitionHeader.size + index * keySlot.size;
			const slot = keySlot.decode(data.subarray(at), { path: source.name, offset: offset + at });
			const active = slot.active === ENABLED;
			return {
				active,
				...(active && { iters: slot.iterations }),
				'key-offset': slot.keyOffset * SECTOR,
				...(active && { stripes: slot.stripes }),
			};
		}),
		'payload-offset': h.payloadOffset * SECTOR,
		'master-key-iters': h.masterKeyIterations,
	};
};
