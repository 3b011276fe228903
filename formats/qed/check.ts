import { bitset } from '../../src/bytes/bitset.ts';
import { hex } from '../../src/bytes/size.ts';
import type { CheckReport, OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { TABLE_PIECE } from '../../src/disk/blocks.ts';
import { collectFindings } from '../../src/disk/findings.ts';
import { misplaced, readHeader, tableBytes, tableEntries } from './header.ts';
import { ENTRY, FEATURES, header } from './layout.ts';
import { entryAt } from './reader.ts';

type Named = { readonly index: number; readonly entry: number /** Of the entry itself, in the file. */; readonly offset: number };

/** Every entry of every table: that what it names is in the file, and nobody else's. */
export const checkQed = async (source: Source, context: OpenContext): Promise<CheckReport> => {
	const h = await readHeader(source, context.signal);
	const findings = collectFindings();
	const clusters = Math.ceil(source.size / h.clusterSize);
	const used = bitset(clusters);
	let inUse = 0;
	let allocated = 0;
	let fragmented = 0;
	let end = 0;
	let before: number | undefined;

	/** Whether the place is in the file and free; it is then taken. */
	const claim = (what: string, hostOffset: number, length: number, entryOffset: number): boolean => {
		const why = misplaced(source, h, hostOffset, length);
		if (why) {
			findings.add({ severity: 'error', code: 'entry-misplaced', message: `${what} ${why}`, offset: entryOffset });
			return false;
		}
		let free = true;
		for (let cluster = hostOffset / h.clusterSize; cluster * h.clusterSize < hostOffset + length; cluster++) {
			if (used.add(cluster)) inUse++;
			else free = false;
		}
		if (!free) {
			const message = `${what} at ${hex(hostOffset)} is where something else is`;
			findings.add({ severity: 'error', code: 'cluster-shared', message, offset: entryOffset });
		}
		end = Math.max(end, hostOffset + length);
		return free;
	};

	/** The entries of a table that name a place, a piece of the table at a time. */
	async function* named(tableOffset: number): AsyncGenerator<readonly Named[]> {
		for (let at = 0; at < tableBytes(h); at += TABLE_PIECE) {
			const bytes = await source.read(tableOffset + at, Math.min(TABLE_PIECE, tableBytes(h) - at), context.signal);
			const piece = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
			const found: Named[] = [];
			for (let i = 0; i < bytes.length / 8; i++) {
				const entry = entryAt(piece, i);
				if (entry > ENTRY.zero) found.push({ index: at / 8 + i, entry, offset: tableOffset + at + i * 8 });
			}
			yield found;
		}
	}

	const checkClusters = async (l2: Named): Promise<void> => {
		for await (const clustersNamed of named(l2.entry)) {
			for (const { index, entry, offset } of clustersNamed) {
				const cluster = l2.index * tableEntries(h) + index;
				const length = Math.min(h.clusterSize, h.imageSize - cluster * h.clusterSize);
				if (length <= 0 || !claim(`cluster ${cluster}`, entry, length, offset)) continue;
				allocated++;
				if (before !== undefined && entry !== before + h.clusterSize) fragmented++;
				before = entry;
			}
		}
	};

	for (let cluster = 0; cluster < h.headerSize; cluster++) if (used.add(cluster)) inUse++;
	claim('the L1 table', h.l1TableOffset, tableBytes(h), header.offsets.l1TableOffset);
	for await (const tables of named(h.l1TableOffset)) {
		// A table that two entries share is walked once: a small file cannot make this long.
		for (const l2 of tables) if (claim(`L2 table ${l2.index}`, l2.entry, tableBytes(h), l2.offset)) await checkClusters(l2);
	}
	if (inUse < clusters) {
		findings.add({
			severity: 'leak',
			code: 'cluster-unused',
			message: `${clusters - inUse} clusters are in no table`,
			count: clusters - inUse,
		});
	}
	if ((h.features & FEATURES.needCheck) !== 0n) {
		findings.add({ severity: 'note', code: 'not-closed', message: 'it was not closed properly' });
	}
	const total = Math.ceil(h.imageSize / h.clusterSize);
	return { ...findings.report(), imageEnd: end, blocks: { total, allocated, fragmented, compressed: 0 } };
};
