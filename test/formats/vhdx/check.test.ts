import { beforeAll, expect, test } from 'vitest';
import { checkVhdx } from '../../../formats/vhdx/check.ts';
import { HEADERS_AT, REGION_TABLES_AT } from '../../../formats/vhdx/layout.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { patternDisk } from '../../helpers/pattern.ts';
import { BAT_AT, changed, context, DATA_AT, deltaDisk, LOG_AT, MiB, setBat, vhdxBytes } from './images.ts';
import { makeEntry, withLog } from './log-maker.ts';

let image: Uint8Array;
let child: Uint8Array;
beforeAll(async () => {
	image = await vhdxBytes(patternDisk({ size: 8 * MiB, data: [[0, 2 * MiB]] }));
	const backing = { name: 'base.vhdx', format: 'vhdx', size: 8 * MiB, id: '00112233-4455-6677-8899-aabbccddeeff' };
	child = await vhdxBytes(deltaDisk({ size: 8 * MiB, data: [[0, 512]], zero: [] }), { backing });
});

const codes = async (bytes: Uint8Array) =>
	(await checkVhdx(memorySource(bytes), context)).findings.map(({ severity, code }) => `${severity} ${code}`);

test('a whole image has nothing to tell but its blocks', async () => {
	expect(await checkVhdx(memorySource(image), context)).toEqual({
		findings: [],
		more: 0,
		counts: { error: 0, leak: 0, note: 0 },
		imageEnd: image.length,
		blocks: { total: 8, allocated: 2, fragmented: 0, compressed: 0 },
	});
	expect(await codes(child)).toEqual([]);
});

test.for([
	['a damaged header', () => image.slice().fill(0, HEADERS_AT[0], HEADERS_AT[0] + 8), 'note header-damaged'],
	['a damaged region table', () => image.slice().fill(0, REGION_TABLES_AT[1], REGION_TABLES_AT[1] + 8), 'error region-table-damaged'],
	[
		'region tables that differ',
		() => changed(image, (view) => view.setUint8(REGION_TABLES_AT[1] + 60000, 1)),
		'error region-tables-differ',
	],
	['a log to be replayed', () => withLog(image, [[0, makeEntry({ sequence: 1, tail: 0, updates: [] })]]), 'note log-pending'],
	['a block that two entries have', () => setBat(image, 5, 6, DATA_AT), 'error block-shared'],
	['a block behind the file', () => setBat(image, 5, 6, DATA_AT + 9 * MiB), 'error block-entry'],
	['a block in the log', () => setBat(image, 5, 6, LOG_AT), 'error block-entry'],
	['a reserved state', () => setBat(image, 5, 4), 'error block-entry'],
	['a part of a block without a parent', () => setBat(image, 5, 7, DATA_AT), 'error block-entry'],
	['a missing sector bitmap', () => setBat(child, 4096, 0), 'error sector-bitmap-missing'],
	['a sector bitmap where a block is', () => setBat(child, 4096, 6, DATA_AT), 'error block-shared'],
	['a sector bitmap in a reserved state', () => setBat(child, 4096, 3), 'error sector-bitmap-entry'],
	['a file that ends between MiB', () => Buffer.concat([image, new Uint8Array(512)]), 'note file-size'],
] as const)('%s is found', async ([, make, code]) => {
	expect(await codes(make())).toEqual([code]);
});

test('every entry of a table of nothing but damage is counted', async () => {
	const bytes = await vhdxBytes(patternDisk({ size: 40 * 1024 * MiB, data: [] }));
	const { findings, more, counts } = await checkVhdx(memorySource(bytes.fill(0xff, BAT_AT, BAT_AT + 10_240)), context);
	expect(counts).toEqual({ error: 1280, leak: 0, note: 0 });
	expect(findings.length + more).toBe(1280);
});
