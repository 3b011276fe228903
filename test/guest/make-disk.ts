import { crc32 } from '../../src/bytes/crc32.ts';
import { guidBytes } from '../../src/bytes/guid.ts';
import type { Disk } from '../../src/core/disk.ts';
import { type BlockDevice, sourceDevice } from '../../src/guest/device.ts';
import { memorySink } from '../../src/io/memory.ts';

/** What is written where, in bytes. */
export type Piece = readonly [at: number, bytes: Uint8Array | string];

const bytesOf = (content: Uint8Array | string): Uint8Array =>
	typeof content === 'string' ? Uint8Array.from(content, (character) => character.charCodeAt(0)) : content;

/** A device of zeros but for these pieces. Its size costs nothing. */
export const deviceOf = async (
	size: number,
	pieces: readonly Piece[],
	sectorSize: 512 | 4096 = 512,
	name = 'disk0',
): Promise<BlockDevice> => {
	const sink = memorySink();
	await sink.resize(size);
	for (const [at, content] of pieces) await sink.write(at, bytesOf(content));
	return sourceDevice(sink.source(), { name, sectorSize });
};

/** The same as a disk. */
export const diskOf = async (size: number, pieces: readonly Piece[], sectorSize: 512 | 4096 = 512): Promise<Disk> => {
	const device = await deviceOf(size, pieces, sectorSize);
	const written = pieces.map(([at, content]) => [at, at + content.length] as const).toSorted((a, b) => a[0] - b[0]);
	return {
		size,
		sectorSize,
		info: { format: 'made' },
		async *extents(offset, length) {
			const computed = { kind: 'computed', read: (at: number, count: number) => device.read(at, count) } as const;
			if (written.some(([start, end]) => start < offset + length && end > offset)) yield { offset, length, ...computed };
			else yield { offset, length, kind: 'zero' };
		},
		async close() {},
	};
};

/** A record of numbers at offsets, little-endian unless said otherwise. */
export const record = (
	length: number,
	fields: readonly (readonly [at: number, width: 1 | 2 | 4 | 8, value: number | bigint])[],
	big = false,
): Uint8Array => {
	const bytes = new Uint8Array(length);
	const view = new DataView(bytes.buffer);
	for (const [at, width, value] of fields) {
		if (width === 1) view.setUint8(at, Number(value));
		if (width === 2) view.setUint16(at, Number(value), !big);
		if (width === 4) view.setUint32(at, Number(value), !big);
		if (width === 8) view.setBigUint64(at, BigInt(value), !big);
	}
	return bytes;
};

type MbrEntry = { readonly type: number; readonly start: number; readonly count: number; readonly active?: boolean };

/** A master or extended boot record; `undefined` leaves an entry empty. */
export const mbrSector = (entries: readonly (MbrEntry | undefined)[], diskId = 0x1234abcd): Uint8Array => {
	const sector = record(512, [
		[0x1b8, 4, diskId],
		[510, 2, 0xaa55],
	]);
	for (const [index, entry] of entries.entries()) {
		if (!entry) continue;
		const { type, start, count, active } = entry;
		const fields = [
			[0, 1, active ? 0x80 : 0],
			[4, 1, type],
			[8, 4, start],
			[12, 4, count],
		] as const;
		sector.set(record(16, fields), 446 + index * 16);
	}
	return sector;
};

export type GptEntry = {
	readonly type: string;
	readonly guid: string;
	readonly first: number;
	readonly last: number;
	readonly name?: string;
};

/** Both copies of a GPT and its protective MBR. */
export const gptPieces = (size: number, entries: readonly GptEntry[], sector: 512 | 4096 = 512): readonly Piece[] => {
	const last = size / sector - 1;
	const table = new Uint8Array(128 * Math.max(128, entries.length));
	for (const [index, { type, guid, first, last: end, name = '' }] of entries.entries()) {
		const entry = record(128, [
			[32, 8, first],
			[40, 8, end],
		]);
		entry.set(guidBytes(type) ?? [], 0);
		entry.set(guidBytes(guid) ?? [], 16);
		for (const [at, character] of [...name].entries()) entry[56 + at * 2] = character.charCodeAt(0);
		table.set(entry, index * 128);
	}
	const tableSectors = table.length / sector;
	const header = (own: number, other: number, tableAt: number): Uint8Array => {
		const bytes = record(92, [
			[8, 4, 0x10000],
			[12, 4, 92],
			[24, 8, own],
			[32, 8, other],
			[40, 8, 2 + tableSectors],
			[48, 8, last - tableSectors - 1],
			[72, 8, tableAt],
			[80, 4, table.length / 128],
			[84, 4, 128],
			[88, 4, crc32(table)],
		]);
		bytes.set(bytesOf('EFI PART'), 0);
		bytes.set(guidBytes('01234567-89ab-cdef-0123-456789abcdef') ?? [], 56);
		new DataView(bytes.buffer).setUint32(16, crc32(bytes), true);
		return bytes;
	};
	return [
		[0, mbrSector([{ type: 0xee, start: 1, count: Math.min(last, 0xffffffff) }], 0)],
		[sector, header(1, last, 2)],
		[2 * sector, table],
		[(last - tableSectors) * sector, table],
		[last * sector, header(last, 1, last - tableSectors)],
	];
};
