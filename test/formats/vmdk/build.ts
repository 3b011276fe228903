import { COWD_MAGIC, cowdHeader, SECTOR, seSparseHeader, seSparseVolatileHeader } from '../../../formats/vmdk/layout.ts';
import type { MemorySink } from '../../../src/io/memory.ts';
import { memorySink } from '../../../src/io/memory.ts';

/**
 * Extent files that no program at hand writes, laid out by hand after the specification (COWD) and after what QEMU reads (seSparse).
 * They show that vconv reads what this file believes of the formats.
 */

/** Sectors by their guest sector; `zero` and `unmapped` only in seSparse, where eight neighbours make a grain. */
export type Grains = ReadonlyMap<number, Uint8Array | 'zero' | 'unmapped'>;

/** Files in memory, by their names. */
export const files = async (contents: Readonly<Record<string, string | Uint8Array>>): Promise<Map<string, MemorySink>> => {
	const made = new Map<string, MemorySink>();
	for (const [name, content] of Object.entries(contents)) {
		const sink = memorySink(name);
		await sink.write(0, typeof content === 'string' ? new TextEncoder().encode(content) : content);
		made.set(name, sink);
	}
	return made;
};

/** A descriptor of these lines, with what every descriptor has. */
export const descriptor = (...lines: readonly string[]): string =>
	['# Disk DescriptorFile', 'version=1', 'CID=1234abcd', ...lines, ''].join('\n');

/** A COWD extent of 512-byte grains, its tables among them as ESX leaves them. */
export const cowd = (sectors: number, grains: Grains): Uint8Array => {
	const tables = Math.ceil(sectors / 4096);
	const directorySectors = Math.ceil((tables * 4) / SECTOR);
	const places = new Map<number, number>();
	const out: [number, Uint8Array][] = [];
	let next = 4 + directorySectors;
	const table = new Map<number, Uint8Array>();
	for (const [sector, bytes] of grains) {
		if (typeof bytes === 'string') throw new Error('COWD has no zero grains');
		const index = Math.floor(sector / 4096);
		let entries = table.get(index);
		if (!entries) {
			entries = new Uint8Array(4096 * 4);
			table.set(index, entries);
			places.set(index, next);
			out.push([next, entries]);
			next += 32;
		}
		new DataView(entries.buffer).setUint32((sector % 4096) * 4, next, true);
		out.push([next, bytes]);
		next++;
	}
	const directory = new Uint8Array(directorySectors * SECTOR);
	for (const [index, place] of places) new DataView(directory.buffer).setUint32(index * 4, place, true);
	const header = cowdHeader.encode({
		magicNumber: COWD_MAGIC,
		version: 1,
		flags: 3,
		numSectors: sectors,
		grainSize: 1,
		gdOffset: 4,
		numGDEntries: tables,
		freeSector: next,
		geometryOrParent: new Uint8Array(),
		generation: 0,
		name: new Uint8Array(),
		description: new Uint8Array(),
		savedGeneration: 0,
		reserved: new Uint8Array(),
		uncleanShutdown: 0,
		padding: new Uint8Array(),
	});
	return assembled(next, [[0, header], [4, directory], ...out]);
};

/** A seSparse extent: headers, directory, tables, grains of 4 KiB. */
export const seSparse = (sectors: number, grains: Grains, replayJournal = 0): Uint8Array => {
	const tables = Math.ceil(sectors / 8 / 4096);
	const used = [...new Set([...grains.keys()].map((sector) => Math.floor(sector / 8 / 4096)))];
	const directorySectors = Math.ceil((tables * 8) / SECTOR);
	const at = { volatile: 1, directory: 8, tables: 8 + directorySectors, grains: 8 + directorySectors + used.length * 64 };
	const directory = new DataView(new ArrayBuffer(directorySectors * SECTOR));
	for (const [number, index] of used.entries()) directory.setBigUint64(index * 8, (0x10000000n << 32n) | BigInt(number), true);
	const entries = new DataView(new ArrayBuffer(used.length * 64 * SECTOR));
	const out: [number, Uint8Array][] = [];
	let stored = 0;
	for (const [sector, bytes] of grains) {
		const grain = sector / 8;
		const entry = (used.indexOf(Math.floor(grain / 4096)) * 4096 + (grain % 4096)) * 8;
		if (typeof bytes === 'string') {
			entries.setBigUint64(entry, bytes === 'zero' ? 2n << 60n : 1n << 60n, true);
			continue;
		}
		const number = BigInt(stored);
		entries.setBigUint64(entry, (3n << 60n) | ((number & 0xfffn) << 48n) | (number >> 12n), true);
		out.push([at.grains + stored * 8, bytes]);
		stored++;
	}
	const header = seSparseHeader.encode({
		magic: 0xcafebaben,
		version: 0x200000001n,
		capacity: sectors,
		grainSize: 8,
		grainTableSize: 64,
		flags: 0n,
		reserved1: 0n,
		reserved2: 0n,
		reserved3: 0n,
		reserved4: 0n,
		volatileHeaderOffset: at.volatile,
		volatileHeaderSize: 1,
		journalHeaderOffset: 2,
		journalHeaderSize: 2,
		journalOffset: 4,
		journalSize: 4,
		grainDirOffset: at.directory,
		grainDirSize: directorySectors,
		grainTablesOffset: at.tables,
		grainTablesSize: used.length * 64,
		freeBitmapOffset: 0,
		freeBitmapSize: 0,
		backmapOffset: 0,
		backmapSize: 0,
		grainsOffset: at.grains,
		grainsSize: stored * 8,
		pad: new Uint8Array(),
	});
	const volatile = seSparseVolatileHeader.encode({
		magic: 0xcafecafen,
		freeGtNumber: 0,
		nextTxnSeqNumber: 0,
		replayJournal,
		pad: new Uint8Array(),
	});
	return assembled(at.grains + stored * 8, [
		[0, header],
		[at.volatile, volatile],
		[at.directory, new Uint8Array(directory.buffer)],
		[at.tables, new Uint8Array(entries.buffer)],
		...out,
	]);
};

const assembled = (sectors: number, parts: readonly (readonly [sector: number, bytes: Uint8Array])[]): Uint8Array => {
	const file = new Uint8Array(sectors * SECTOR);
	for (const [sector, bytes] of parts) file.set(bytes, sector * SECTOR);
	return file;
};
