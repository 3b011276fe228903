import { bitset } from '../../src/bytes/bitset.ts';
import { hex } from '../../src/bytes/size.ts';
import type { CheckReport, OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { TABLE_PIECE } from '../../src/disk/blocks.ts';
import { collectFindings } from '../../src/disk/findings.ts';
import { UnsupportedError } from '../../src/errors.ts';
import { isDescriptor } from './descriptor.ts';
import { misplaced, readHeader } from './header.ts';
import { header, UNALLOCATED } from './layout.ts';

/** Every entry of the BAT: that its cluster is in the file, on the grid of the others, and nobody else's. */
export const checkParallels = async (source: Source, context: OpenContext): Promise<CheckReport> => {
	if (isDescriptor(await source.read(0, Math.min(4096, source.size), context.signal))) {
		throw new UnsupportedError('it is the description of a bundle, and images are checked one by one', {
			path: source.name,
			hint: 'vconv check on each .hds beside it',
		});
	}
	const g = await readHeader(source, context.signal);
	const findings = collectFindings();
	const clusters = Math.max(0, Math.ceil((source.size - g.dataOffset) / g.clusterSize));
	const used = bitset(clusters);
	let inUse = 0;
	let allocated = 0;
	let fragmented = 0;
	let imageEnd = g.dataOffset;
	let before: number | undefined;

	if (g.extensionOffset >= g.dataOffset && used.add(Math.floor((g.extensionOffset - g.dataOffset) / g.clusterSize))) inUse++;
	for (let first = 0; first < g.batEntries; first += TABLE_PIECE / 4) {
		const offset = header.size + first * 4;
		const bytes = await source.read(offset, Math.min(g.batEntries - first, TABLE_PIECE / 4) * 4, context.signal);
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		for (let i = 0; i < bytes.length / 4; i++) {
			const entry = view.getUint32(i * 4, true);
			if (entry === UNALLOCATED) continue;
			const cluster = first + i;
			const at = entry * g.unit;
			const error = (code: string, why: string) =>
				findings.add({ severity: 'error', code, message: `cluster ${cluster} ${why}`, offset: offset + i * 4 });
			const why = misplaced(source, g, at, Math.max(1, Math.min(g.clusterSize, g.size - cluster * g.clusterSize)));
			if (why) {
				error('cluster-misplaced', why);
				continue;
			}
			allocated++;
			if (before !== undefined && at !== before + g.clusterSize) fragmented++;
			before = at;
			imageEnd = Math.max(imageEnd, at + g.clusterSize);
			if ((at - g.dataOffset) % g.clusterSize !== 0) error('cluster-off-grid', `is at ${hex(at)}, between two places of clusters`);
			else if (used.add((at - g.dataOffset) / g.clusterSize)) inUse++;
			else error('cluster-shared', `is stored at ${hex(at)}, where another cluster is too`);
		}
	}

	if (g.empty && allocated > 0)
		findings.add({ severity: 'error', code: 'not-empty', message: 'it says that it is empty, and holds clusters' });
	if (g.dirty) findings.add({ severity: 'note', code: 'not-closed', message: 'it was not closed properly' });
	if (inUse < clusters) {
		findings.add({
			severity: 'leak',
			code: 'cluster-unused',
			message: `${clusters - inUse} clusters are in no entry`,
			count: clusters - inUse,
		});
	}
	return { ...findings.report(), imageEnd, blocks: { total: g.batEntries, allocated, fragmented, compressed: 0 } };
};
