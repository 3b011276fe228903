import { hex } from '../../src/bytes/size.ts';
import type { CheckReport, OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { TABLE_PIECE } from '../../src/disk/blocks.ts';
import { collectFindings } from '../../src/disk/findings.ts';
import { halves, misplaced, outside, placeOf } from './entries.ts';
import { l1Entries, readHeader, refusalOf } from './header.ts';
import { header } from './layout.ts';
import { ranges } from './ranges.ts';

/** Every entry of every table: that what it names is in the file, and nobody else's, down to the bytes of deflated clusters. */
export const checkQcow = async (source: Source, { signal }: OpenContext): Promise<CheckReport> => {
	const h = await readHeader(source, signal);
	const refusal = refusalOf(h, source.name);
	if (refusal) throw refusal;
	const findings = collectFindings();
	const clusterSize = 2 ** h.clusterBits;
	const perTable = 2 ** h.l2Bits;
	const tableBytes = perTable * 8;
	const blocks = { total: Math.ceil(h.size / clusterSize), allocated: 0, fragmented: 0, compressed: 0 };
	const used = ranges();
	let imageEnd = 0;
	let overfull = false;
	let before: number | undefined;

	const use = (start: number, end: number): void => {
		if (!used.add(start, end)) overfull = true;
		imageEnd = Math.max(imageEnd, end);
	};

	const checkClusters = async (l2: number, first: number): Promise<void> => {
		const table = await source.read(l2, tableBytes, signal);
		for (let i = 0; i < Math.min(perTable, blocks.total - first); i++) {
			const [high, low] = halves(table, i);
			if (high === 0 && low === 0) continue;
			const cluster = first + i;
			const place = placeOf(h, high, low);
			const why = misplaced(source, place, Math.min(clusterSize, h.size - cluster * clusterSize));
			if (why) {
				findings.add({ severity: 'error', code: 'cluster-misplaced', message: `cluster ${cluster} ${why}`, offset: l2 + i * 8 });
				continue;
			}
			const end = Math.min(source.size, place.at + (place.packed ?? clusterSize));
			use(place.at, end);
			blocks.allocated++;
			if (place.packed !== undefined) blocks.compressed++;
			if (before !== undefined && place.at !== before) blocks.fragmented++;
			before = end;
		}
	};

	const l1Bytes = l1Entries(h) * 8;
	use(0, header.size);
	if (h.backingFileOffset !== 0) use(h.backingFileOffset, h.backingFileOffset + h.backingFileSize);
	use(h.l1TableOffset, h.l1TableOffset + l1Bytes);
	// More tables than fit into the file share their places: a small file cannot make this long.
	let room = Math.ceil(source.size / tableBytes);
	for (let at = 0; at < l1Bytes && room > 0; at += TABLE_PIECE) {
		const piece = await source.read(h.l1TableOffset + at, Math.min(TABLE_PIECE, l1Bytes - at), signal);
		for (let i = 0; i < piece.length / 8 && room > 0; i++) {
			const [high, low] = halves(piece, i);
			const l2 = high * 2 ** 32 + low;
			if (l2 === 0) continue;
			const index = at / 8 + i;
			const why = outside(source, l2, tableBytes);
			if (why) {
				const offset = h.l1TableOffset + index * 8;
				findings.add({ severity: 'error', code: 'table-misplaced', message: `L2 table ${index} ${why}`, offset });
				continue;
			}
			room--;
			use(l2, l2 + tableBytes);
			await checkClusters(l2, index * perTable);
		}
	}

	if (overfull) {
		findings.add({ severity: 'note', code: 'overlaps-unchecked', message: 'whether clusters overlap was not checked: there are too many' });
		return { ...findings.report(), imageEnd, blocks };
	}
	for (const { start, end } of used.overlaps()) {
		const message = `the bytes from ${hex(start)} to ${hex(end)} are used more than once`;
		findings.add({ severity: 'error', code: 'cluster-shared', message, offset: start, count: Math.ceil((end - start) / clusterSize) });
	}
	let unused = 0;
	for (const { start, end } of used.gaps(source.size)) {
		unused += Math.max(0, Math.floor(end / clusterSize) - Math.ceil(start / clusterSize));
	}
	if (unused > 0) findings.add({ severity: 'leak', code: 'cluster-unused', message: `${unused} clusters are in no table`, count: unused });
	return { ...findings.report(), imageEnd, blocks };
};
