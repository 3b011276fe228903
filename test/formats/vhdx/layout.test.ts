import { expect, test } from 'vitest';
import { geometry } from '../../../formats/vhdx/geometry.ts';
import * as layout from '../../../formats/vhdx/layout.ts';

test('structures have the sizes of the specification', () => {
	expect(layout.header.size).toBe(80);
	expect(layout.regionTable.size).toBe(16);
	expect(layout.regionEntry.size).toBe(32);
	expect(layout.logEntry.size).toBe(64);
	expect(layout.zeroDescriptor.size).toBe(32);
	expect(layout.dataDescriptor.size).toBe(32);
	expect(layout.dataSector.size).toBe(4096);
	expect(layout.metadataTable.size).toBe(32);
	expect(layout.metadataEntry.size).toBe(32);
	expect(layout.locator.size).toBe(20);
	expect(layout.locatorEntry.size).toBe(12);
});

test('the BAT has an entry for each block, and one for a sector bitmap behind each chunk', () => {
	const GiB = 2 ** 30;
	expect(geometry(8 * GiB, 2 ** 25, 512, false)).toMatchObject({ blocks: 256, ratio: 128, chunks: 2, entries: 257, bitmapSize: 8192 });
	expect(geometry(8 * GiB, 2 ** 25, 512, true)).toMatchObject({ entries: 258 });
	expect(geometry(8 * GiB, 2 ** 25, 4096, true)).toMatchObject({ ratio: 1024, chunks: 1, entries: 1025, bitmapSize: 1024 });
	expect(geometry(0, 2 ** 25, 512, false)).toMatchObject({ blocks: 0, entries: 0 });
	expect(geometry(64 * 1024 * GiB, 2 ** 20, 512, false)).toMatchObject({ blocks: 2 ** 26, entries: 2 ** 26 + 2 ** 14 - 1 });
});
