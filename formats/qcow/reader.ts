import { hex, humanSize } from '../../src/bytes/size.ts';
import type { Disk, ParentReference, Status } from '../../src/core/disk.ts';
import type { OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { type BlockRun, blockExtents } from '../../src/disk/blocks.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { cached } from '../../src/io/cached.ts';
import { COMPRESSED, CRYPT, type Header, header, MAGIC, MAX_SIZE, VERSION } from './layout.ts';

/** QEMU takes no longer name, in bytes. */
const MAX_NAME = 1023;

/** The header, with every field checked against the others and against the file's size. @throws CorruptError, UnsupportedError. */
const readHeader = async (source: Source, signal?: AbortSignal): Promise<Header> => {
	const h = header.decode(await source.read(0, header.size, signal), { path: source.name, offset: 0 });
	const at = (field: keyof Header) => ({ path: source.name, offset: header.offsets[field], field });
	const corrupt = (field: keyof Header, why: string) => new CorruptError(why, at(field));

	if (h.magic !== MAGIC || h.version !== VERSION) throw corrupt('magic', 'it does not begin as a QCOW image of version 1 does');
	if (h.cryptMethod === CRYPT.aes) {
		throw new UnsupportedError('it is encrypted with AES, which vconv does not read', {
			...at('cryptMethod'),
			hint: 'qemu-img convert with the password, to an image without encryption',
		});
	}
	if (h.cryptMethod !== CRYPT.none) throw corrupt('cryptMethod', `there is no encryption method ${h.cryptMethod}`);
	if (h.clusterBits < 9 || h.clusterBits > 16) throw corrupt('clusterBits', `cluster size 2^${h.clusterBits} is not within 2^9 … 2^16`);
	if (h.l2Bits < 6 || h.l2Bits > 13) throw corrupt('l2Bits', `an L2 table of 2^${h.l2Bits} entries is not within 2^6 … 2^13`);
	if (h.size > MAX_SIZE) throw new UnsupportedError(`its virtual size of ${humanSize(h.size)} is over ${humanSize(MAX_SIZE)}`, at('size'));
	const l1Bytes = Math.ceil(h.size / 2 ** (h.clusterBits + h.l2Bits)) * 8;
	if (h.l1TableOffset < header.size) throw corrupt('l1TableOffset', `the L1 table at ${hex(h.l1TableOffset)} is inside the header`);
	if (h.l1TableOffset + l1Bytes > source.size)
		throw corrupt('l1TableOffset', `the L1 table of ${l1Bytes} bytes ends past the end of the file`);
	if (h.backingFileOffset !== 0) {
		if (h.backingFileSize === 0 || h.backingFileSize > MAX_NAME) {
			throw corrupt('backingFileSize', `the backing file's name has ${h.backingFileSize} bytes, not 1 … ${MAX_NAME}`);
		}
		if (h.backingFileOffset < header.size || h.backingFileOffset + h.backingFileSize > source.size) {
			throw corrupt('backingFileOffset', `the backing file's name at ${hex(h.backingFileOffset)} is inside the header or past the end`);
		}
	}
	return h;
};

export const openQcow = async (source: Source, context: OpenContext): Promise<Disk> => {
	const h = await readHeader(source, context.signal);
	const tables = cached(source);
	const clusterSize = 2 ** h.clusterBits;
	const perTable = 2 ** h.l2Bits;

	/** What an L2 entry says of a cluster; `guestBytes` of it are the disk's. */
	const statusOf = (high: number, low: number, guestBytes: number, corrupt: (why: string) => CorruptError): Status => {
		if ((high & COMPRESSED) !== 0) {
			// Bit 63 is the flag; the length in bytes has clusterBits bits below it, and the host offset what is left.
			const lengthShift = 31 - h.clusterBits;
			const stored = (high >>> lengthShift) & (clusterSize - 1);
			const at = (high & (2 ** lengthShift - 1)) * 2 ** 32 + low;
			if (stored === 0) throw corrupt('is compressed to no bytes at all');
			if (at < header.size || at + stored > source.size) throw corrupt(`is at ${hex(at)}, inside the header or past the end of the file`);
			return { kind: 'packed', source, at, stored, method: 'deflate', unpacked: clusterSize, skip: 0 };
		}
		const at = high * 2 ** 32 + low;
		if (at % 512 !== 0) throw corrupt(`is at ${hex(at)}, not on a sector boundary`);
		if (at + guestBytes > source.size) throw corrupt(`is at ${hex(at)}, past the end of the file`);
		return { kind: 'data', source, at };
	};

	const look = async (first: number, count: number, signal?: AbortSignal): Promise<readonly BlockRun[]> => {
		const l1At = h.l1TableOffset + Math.floor(first / perTable) * 8;
		const [high, low] = halves(await tables.read(l1At, 8, signal), 0);
		const l2 = high * 2 ** 32 + low;
		const entries = Math.min(count, perTable - (first % perTable));
		if (l2 === 0) return [{ blocks: entries, status: { kind: 'absent' } }];
		if (l2 < header.size || l2 + perTable * 8 > source.size) {
			throw new CorruptError(`an L2 table is at ${hex(l2)}, inside the header or past the end of the file`, {
				path: source.name,
				offset: l1At,
				field: 'L1 entry',
			});
		}
		const at = l2 + (first % perTable) * 8;
		const piece = await tables.read(at, entries * 8, signal);
		const runs: BlockRun[] = [];
		for (let i = 0; i < entries; ) {
			const [entryHigh, entryLow] = halves(piece, i);
			let blocks = 1;
			if (entryHigh === 0 && entryLow === 0) {
				while (i + blocks < entries && halves(piece, i + blocks).every((half) => half === 0)) blocks++;
				runs.push({ blocks, status: { kind: 'absent' } });
			} else {
				const cluster = first + i;
				const guestBytes = Math.min(clusterSize, h.size - cluster * clusterSize);
				const corrupt = (why: string) =>
					new CorruptError(`cluster ${cluster} ${why}`, { path: source.name, offset: at + (cluster - first) * 8, field: 'L2 entry' });
				runs.push({ blocks, status: statusOf(entryHigh, entryLow, guestBytes, corrupt) });
			}
			i += blocks;
		}
		return runs;
	};

	return {
		size: h.size,
		sectorSize: 512,
		parent: await parentOf(source, h, context.signal),
		info: { format: 'qcow', clusterSize },
		extents: (guestOffset, length, signal) => blockExtents(clusterSize, guestOffset, length, (first, count) => look(first, count, signal)),
		close: () => source.close(),
	};
};

const parentOf = async (source: Source, h: Header, signal?: AbortSignal): Promise<ParentReference | undefined> => {
	if (h.backingFileOffset === 0) return undefined;
	const name = await source.read(h.backingFileOffset, h.backingFileSize, signal);
	return { names: [new TextDecoder().decode(name)], ids: [] };
};

/** A table's entry as two numbers of 32 bits, the upper first. */
const halves = (table: Uint8Array, index: number): readonly [number, number] => {
	const view = new DataView(table.buffer, table.byteOffset + index * 8, 8);
	return [view.getUint32(0), view.getUint32(4)];
};
