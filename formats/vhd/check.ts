import { isZero } from '../../src/bytes/align.ts';
import { fileName } from '../../src/bytes/path.ts';
import { hex } from '../../src/bytes/size.ts';
import type { CheckReport, Finding, OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { collectFindings } from '../../src/disk/findings.ts';
import { misplaced, sectorRuns, tableEntries } from './blocks.ts';
import { type Image, readImage, type Sparse } from './image.ts';
import { SECTOR, UNUSED } from './layout.ts';

type Tell = (finding: Finding) => void;

/** Memory for telling whether blocks overlap: 64 MiB of their places. Blocks of 128 KiB or more are never so many. */
const MOST_PLACES = 2 ** 24;

/** Checksums, the copies of the footer, every entry of the block allocation table, and the names of the parent. */
export const checkVhd = async (source: Source, context: OpenContext): Promise<CheckReport> => {
	const findings = collectFindings();
	const tell = findings.add;
	const image = await readImage(source, ({ code, message, offset }) => tell({ severity: 'error', code, message, offset }), context.signal);
	const { sparse } = image;
	if (sparse) checkNames(sparse, tell);
	const blocks = sparse && (await checkBlocks(source, image, sparse, tell, context.signal));
	return { ...findings.report(), imageEnd: source.size, blocks };
};

/** Every locator should name the same file, so far as the last part of its path tells. */
const checkNames = ({ parents }: Sparse, tell: Tell): void => {
	const files = new Set(parents.map(({ name }) => fileName(name).toLowerCase()));
	if (files.size < 2) return;
	const names = parents.map(({ locator, name }) => `${locator} '${name}'`).join(', ');
	tell({ severity: 'note', code: 'parent-names-differ', message: `the parent has several names: ${names}` });
};

const checkBlocks = async (
	source: Source,
	image: Image,
	sparse: Sparse,
	tell: Tell,
	signal?: AbortSignal,
): Promise<CheckReport['blocks']> => {
	const { tableOffset, maxTableEntries, blockSize } = sparse.header;
	const span = sparse.bitmapSize + blockSize;
	const places = new Uint32Array(Math.min(maxTableEntries, MOST_PLACES));
	let placed = 0;
	let allocated = 0;
	let fragmented = 0;
	let surplus = 0;
	let before = UNUSED;
	for await (const { first, view, count } of tableEntries(source, sparse, 0, maxTableEntries, signal)) {
		for (let i = 0; i < count; i++) {
			const entry = view.getUint32(4 * i);
			const index = first + i;
			if (entry === UNUSED) continue;
			allocated++;
			if (before !== UNUSED && entry < before) fragmented++;
			before = entry;
			if (index >= sparse.blocks) surplus++;
			const offset = tableOffset + 4 * index;
			const wrong = misplaced(image, sparse, index, entry);
			if (wrong) {
				tell({ severity: 'error', code: 'block-misplaced', message: wrong, offset });
				continue;
			}
			places[placed++] = entry;
			if (image.type === 'dynamic' && index < sparse.blocks) await checkBitmap(source, image, sparse, index, entry, tell, signal);
		}
	}
	if (surplus > 0) {
		tell({ severity: 'leak', code: 'block-surplus', message: `${surplus} blocks are behind the end of the disk`, count: surplus });
	}
	if (placed <= MOST_PLACES) checkOverlaps(places.subarray(0, placed), span, image.dataEnd, tell);
	else tell({ severity: 'note', code: 'overlaps-unchecked', message: 'whether blocks overlap was not checked: there are too many' });
	return { total: sparse.blocks, allocated, fragmented, compressed: 0 };
};

/** Sorts `places`, the host sectors of all blocks. */
const checkOverlaps = (places: Uint32Array, span: number, dataEnd: number, tell: Tell): void => {
	places.sort();
	let unused = 0;
	for (let i = 0; i < places.length; i++) {
		const start = (places[i] as number) * SECTOR;
		const after = places[i + 1];
		const next = after === undefined ? dataEnd : after * SECTOR;
		if (after !== undefined && next < start + span) {
			const message = next === start ? `two blocks are both at ${hex(start)}` : `the blocks at ${hex(start)} and ${hex(next)} overlap`;
			tell({ severity: 'error', code: 'block-shared', message, offset: next });
		}
		unused += Math.max(0, Math.floor((next - start) / span) - 1);
	}
	if (unused > 0) tell({ severity: 'leak', code: 'block-unused', message: `${unused} blocks of the file are in no entry`, count: unused });
};

/** A dynamic image's bitmap decides nothing, but it should not deny what is there: other programs may go by it. */
const checkBitmap = async (
	source: Source,
	image: Image,
	sparse: Sparse,
	index: number,
	entry: number,
	tell: Tell,
	signal?: AbortSignal,
): Promise<void> => {
	const { blockSize } = sparse.header;
	const bitmap = await source.read(entry * SECTOR, sparse.bitmapSize, signal);
	const host = entry * SECTOR + sparse.bitmapSize;
	for (const { own, start, end } of sectorRuns(bitmap, 0, Math.min(blockSize, image.size - index * blockSize))) {
		if (own) continue;
		for (let at = start; at < end; at += 1 << 20) {
			const bytes = await source.read(host + at, Math.min(1 << 20, end - at), signal);
			if (isZero(bytes)) continue;
			const message = `block ${index} has data in sectors that its bitmap says were never written`;
			tell({ severity: 'error', code: 'bitmap-denies-data', message, offset: entry * SECTOR });
			return;
		}
	}
};
