import { deflateRaw } from 'pako';
import { test } from 'vitest';
import { qcow2 } from '../../../formats/qcow2/index.ts';
import { EXTENSION } from '../../../formats/qcow2/layout.ts';
import { survives } from '../../helpers/mutate.ts';
import { type Build, bitmaps, build, C, COPIED, DATA, data, featureTable, L1, L2, packed, snapshot, text, ZERO } from './build.ts';

/** One image with everything in it: snapshots, bitmaps, extensions, all kinds of clusters. */
const everything = (extended: boolean): Uint8Array => {
	const { directory, extension } = bitmaps(DATA + 3 * C, ['one', 'two'], DATA + 4 * C);
	const standard = [data(0), ZERO, data(1) | ZERO, 0n, packed(DATA + 5 * C + 3, 0)];
	const image: Build = {
		extended,
		entries: extended ? [data(0), 0x0f0fn | (0xf0n << 32n), COPIED, 0xffffn << 32n, packed(DATA + 5 * C + 3, 0), 0n] : standard,
		clusters: [1, 2, 0, 0, 0, 0],
		change: { snapshotCount: 2, snapshotsOffset: DATA + 2 * C },
		change3: { autoclearFeatures: 1n },
		extensions: [extension, featureTable(9, 'time travel'), [EXTENSION.backingFormat, text('raw')], [0x12345678, text('what is it')]],
	};
	const bytes = build(image);
	const first = snapshot({ id: '1', name: 'one', size: C });
	bytes.set(first, DATA + 2 * C);
	bytes.set(snapshot({ id: '2', name: 'two', size: 2 * C }), DATA + 2 * C + first.length);
	bytes.set(directory, DATA + 3 * C);
	bytes.set(deflateRaw(new Uint8Array(C).fill(7)), DATA + 5 * C + 3);
	return bytes;
};

const regions: readonly (readonly [number, number])[] = [
	[0, 112],
	[112, 320],
	[C, C + 32],
	[2 * C, 2 * C + 32],
	[L1, L1 + 16],
	[L2, L2 + 64],
	[DATA + 2 * C, DATA + 2 * C + 160],
	[DATA + 3 * C, DATA + 3 * C + 64],
	[DATA + 4 * C, DATA + 4 * C + 16],
	[DATA + 5 * C, DATA + 5 * C + 64],
];

test.for([false, true])(
	'a damaged image is read, checked or refused, and soon (extended L2: %s)',
	{ timeout: 60_000 },
	async (extended) => {
		await survives(qcow2, everything(extended), regions);
	},
);
