import type { CheckReport, OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { collectFindings, type Findings } from '../../src/disk/findings.ts';
import { breather } from '../../src/io/breathe.ts';
import { cached } from '../../src/io/cached.ts';
import { readBitmaps } from './bitmaps.ts';
import { takeCensus } from './census.ts';
import { type Header, readHeader } from './header.ts';
import { INCOMPATIBLE, LIMIT } from './layout.ts';
import { readSnapshots } from './snapshots.ts';
import { openRefcounts } from './stored-refcounts.ts';
import { type Walk, walkBitmap, walkL1, walkL2Tables } from './walk.ts';

/**
 * Whether the refcounts of an image are what its tables say, and its tables are possible: what qemu-img check looks at, with the same
 * counts. Clusters that hold both data and a structure are found as well.
 * @throws CorruptError for a header, a snapshot table or a directory of bitmaps that cannot be read at all.
 */
export const checkQcow2 = async (image: Source, { limits, signal }: OpenContext): Promise<CheckReport> => {
	const source = cached(image);
	const header = await readHeader(source, signal);
	if (header.encryption) throw header.encryption.refusal;
	const { clusterSize } = header.geometry;
	const snapshots = await readSnapshots(source, header, signal);
	const bitmaps = await readBitmaps(source, header, signal);
	const findings = collectFindings();
	const stored = await openRefcounts(source, header, findings, signal);
	const census = takeCensus(source, clusterSize, findings, limits);
	const walk = { source, header, stored, census, findings, signal };

	await walkL1(walk, 'the L1 table', header.l1, true);
	for (const { id, l1, at } of snapshots.list) {
		const what = `the L1 table of snapshot ${id}`;
		if (l1.offset % clusterSize === 0 && l1.entries * 8 <= LIMIT.l1Table) await walkL1(walk, what, l1, false);
		else findings.add({ severity: 'error', code: 'snapshot-l1', message: `${what} is not on a cluster, or too large`, offset: at });
	}
	const blocks = await walkL2Tables(walk);
	census.use('the header', 0, clusterSize, 'structure');
	if (header.snapshots.count > 0) {
		census.use('the snapshot table', header.snapshots.offset, snapshots.end - header.snapshots.offset, 'structure');
	}
	const directory = header.extensions.bitmaps;
	if (bitmaps && directory) census.use('the directory of bitmaps', directory.directoryOffset, directory.directorySize, 'structure');
	for (const bitmap of bitmaps ?? []) await walkBitmap(walk, bitmap);
	useRefcounts(walk);

	const imageEnd = (await compare(walk)) * clusterSize;
	addFlags(header, findings);
	return { ...findings.report(), imageEnd, blocks };
};

const useRefcounts = ({ header, stored, census, findings }: Walk): void => {
	const { refcountTable, geometry } = header;
	const { clusterSize } = geometry;
	const { blocks } = stored;
	if (blocks.length > 0) census.use('the refcount table', refcountTable.offset, refcountTable.clusters * clusterSize, 'structure');
	for (const [index, block] of blocks.entries()) {
		if (block === 0) continue;
		census.use('a refcount block', block, clusterSize, 'structure');
		if (census.uses(block / clusterSize) === 1) continue;
		findings.add({ severity: 'error', code: 'overlap', message: `refcount block ${index} is where something else is too`, offset: block });
	}
};

/** Clusters compared at a time. */
const PIECE = 8192;

/** Set the refcounts against the uses. Neighbours that are wrong in the same way are one finding. Gives the end of what is used, in clusters. */
const compare = async ({ header, census, stored, findings, signal }: Walk): Promise<number> => {
	const { clusterSize } = header.geometry;
	const breathe = breather();
	let end = 0;
	let run = { first: 0, count: 0, refcount: 0, uses: 0 };
	const report = (): void => {
		const { first, count, refcount, uses } = run;
		if (count === 0) return;
		const which = count === 1 ? `cluster ${first} has` : `clusters ${first}-${first + count - 1} have`;
		const message = `${which} a refcount of ${refcount}, and ${uses === 1 ? '1 use' : `${uses} uses`}`;
		const verdict = refcount < uses ? ({ severity: 'error', code: 'refcount' } as const) : ({ severity: 'leak', code: 'leak' } as const);
		findings.add({ ...verdict, message, offset: first * clusterSize, count });
	};
	for (let cluster = 0; cluster < census.size; cluster++) {
		if (cluster % PIECE === 0) {
			await breathe();
			signal?.throwIfAborted();
		}
		const found = stored.get(cluster);
		const refcount = typeof found === 'number' ? found : await found;
		const uses = census.uses(cluster);
		if (refcount > 0 || uses > 0) end = cluster + 1;
		if (refcount === uses) {
			if (census.has(cluster, 'data') && census.has(cluster, 'structure')) {
				const message = `cluster ${cluster} holds both data and a structure of the image`;
				findings.add({ severity: 'error', code: 'overlap', message, offset: cluster * clusterSize });
			}
			continue;
		}
		if (run.count > 0 && run.first + run.count === cluster && run.refcount === refcount && run.uses === uses) run.count++;
		else {
			report();
			run = { first: cluster, count: 1, refcount, uses };
		}
	}
	report();
	return end;
};

const addFlags = ({ incompatible }: Header, findings: Findings): void => {
	const note = (code: string, message: string) => findings.add({ severity: 'note', code, message });
	if (incompatible & INCOMPATIBLE.dirty) note('dirty', 'the image is marked dirty: it was not closed cleanly, and refcounts may be behind');
	if (incompatible & INCOMPATIBLE.corrupt) note('corrupt', 'the image is marked corrupt: its writer met a contradiction in it');
};
