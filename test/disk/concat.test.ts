import { expect, test } from 'vitest';
import type { Disk } from '../../src/core/disk.ts';
import { concat } from '../../src/disk/concat.ts';
import { readDisk } from '../../src/disk/read.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { memoryDisk, patternBytes, patternDisk } from '../helpers/pattern.ts';

const disk = (): Disk =>
	concat(
		[memoryDisk(new Uint8Array(1000).fill(1)), patternDisk({ size: 5000, data: [[1000, 3000]] }), memoryDisk(new Uint8Array(24).fill(2))],
		{
			format: 'test',
		},
	);

test('disks one after the other are one disk', async () => {
	expect(disk().size).toBe(6024);
	const bytes = await readDisk(disk(), pakoCodec, 0, 6024);
	expect(bytes.subarray(0, 1000)).toEqual(new Uint8Array(1000).fill(1));
	expect(bytes.subarray(2000, 5000)).toEqual(patternBytes(1000, 3000));
	expect(bytes.subarray(6000)).toEqual(new Uint8Array(24).fill(2));
});

test('a range over the borders is covered exactly', async () => {
	const found: string[] = [];
	for await (const { kind, offset, length } of disk().extents(900, 5110)) found.push(`${kind} ${offset}+${length}`);
	expect(found).toEqual(['data 900+100', 'zero 1000+1000', 'computed 2000+3000', 'zero 5000+1000', 'data 6000+10']);
});
