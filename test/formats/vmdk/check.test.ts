import { expect, test } from 'vitest';
import { vmdk } from '../../../formats/vmdk/index.ts';
import { sparseHeader } from '../../../formats/vmdk/layout.ts';
import { contextFor } from '../../../src/convert/open.ts';
import type { CheckReport } from '../../../src/core/format.ts';
import type { MemorySink } from '../../../src/io/memory.ts';
import { writeImage } from '../../helpers/image.ts';
import { patternDisk } from '../../helpers/pattern.ts';
import { cowd, descriptor, files } from './build.ts';

const GRAIN = 65536;

const check = async (image: ReadonlyMap<string, MemorySink>): Promise<CheckReport> => {
	const source = (image.get('disk.vmdk') as MemorySink).source();
	const gate = async (_: unknown, name: string) => (image.get(name) as MemorySink).source();
	const report = await vmdk.check?.(source, contextFor(source, { formats: [vmdk], gate }));
	return report as CheckReport;
};
const codes = async (image: ReadonlyMap<string, MemorySink>) => (await check(image)).findings.map(({ code }) => code);

const make = (subformat: string) =>
	writeImage(vmdk, patternDisk({ size: 4 << 20, data: [[GRAIN, 3 * GRAIN]] }), { options: { subformat } });

/** An image with a header of its own, and the ways to damage it. */
const written = async (subformat: string) => {
	const image = await make(subformat);
	const sink = image.get('disk.vmdk') as MemorySink;
	const header = sparseHeader.decode(await sink.source().read(0, 512), { path: 'disk.vmdk', offset: 0 });
	const at = async (sector: number) => new DataView((await sink.source().read(sector * 512, 4)).buffer).getUint32(0, true);
	const tables = { primary: 0, redundant: 0, grain: 0 };
	if (subformat === 'monolithicSparse') {
		tables.primary = (await at(Number(header.gdOffset))) * 512;
		tables.redundant = (await at(header.rgdOffset)) * 512;
		tables.grain = await at(tables.primary / 512);
	}
	const put = (offset: number, value: number) => sink.write(offset, new Uint8Array(new Uint32Array([value]).buffer));
	const entry = async (grain: number, value: number) => {
		await put(tables.primary + grain * 4, value);
		await put(tables.redundant + grain * 4, value);
	};
	const sectorOf = async (grain: number) =>
		new DataView((await sink.source().read(tables.primary + grain * 4, 4)).buffer).getUint32(0, true);
	return { image, sink, header, tables, put, entry, sectorOf };
};

test.each(['monolithicSparse', 'streamOptimized', 'twoGbMaxExtentSparse', 'monolithicFlat'])(
	'a whole %s has no findings',
	async (subformat) => {
		const { findings, blocks } = await check(await make(subformat));
		expect(findings).toEqual([]);
		if (subformat !== 'monolithicFlat') expect(blocks).toMatchObject({ total: 64, allocated: 3, fragmented: 0 });
	},
);

test.each(['monolithicSparse', 'streamOptimized'])('the end of a %s is behind all of its grains, tables and footers', async (subformat) => {
	const image = await make(subformat);
	const { size } = (image.get('disk.vmdk') as MemorySink).source();
	expect((await check(image)).imageEnd).toBe(size);
});

test('the end of an empty image is behind its tables', async () => {
	const image = await writeImage(vmdk, patternDisk({ size: 4 << 20, data: [] }));
	const sink = image.get('disk.vmdk') as MemorySink;
	const { gdOffset } = sparseHeader.decode(await sink.source().read(0, 512), { path: 'disk.vmdk', offset: 0 });
	expect((await check(image)).imageEnd).toBe((Number(gdOffset) + 1 + 4) * 512);
});

test('a whole COWD has no findings', async () => {
	const grains = new Map([1, 2, 5000].map((sector) => [sector, new Uint8Array(512).fill(1)]));
	const image = await files({
		'disk.vmdk': descriptor('createType="vmfsSparse"', 'RW 8192 VMFSSPARSE "d.vmdk"'),
		'd.vmdk': cowd(8192, grains),
	});
	expect((await check(image)).findings).toEqual([]);
});

test('tables that differ are found', async () => {
	const { image, tables, put } = await written('monolithicSparse');
	await put(tables.redundant + 4, 0);
	expect(await codes(image)).toEqual(['tables-differ']);
});

test('grains in one place are found, and the place that is free then', async () => {
	const { image, entry, sectorOf } = await written('monolithicSparse');
	await entry(2, await sectorOf(1));
	expect(await codes(image)).toEqual(['grain-shared', 'space-unused']);
});

test('a grain upon a table, upon the header and past the end are found', async () => {
	const { image, tables, entry } = await written('monolithicSparse');
	await entry(10, tables.primary / 512);
	await entry(11, 0xfffffff0);
	await entry(12, 1);
	expect(await codes(image)).toEqual(expect.arrayContaining(['grain-on-table', 'grain-damaged']));
	expect((await check(image)).findings.length).toBeGreaterThanOrEqual(3);
});

test('a directory entry that leads nowhere is found in either copy', async () => {
	const { image, header, put } = await written('monolithicSparse');
	await put(header.rgdOffset * 512, 0xfffffff0);
	expect(await codes(image)).toEqual(['redundant-damaged']);
	await put(Number(header.gdOffset) * 512, 0xfffffff0);
	expect(await codes(image)).toContain('table-damaged');
});

test('a marker of another grain is found', async () => {
	const { image, sink, header } = await written('streamOptimized');
	const grain = await sink.source().read(header.overHead * 512, 12);
	grain[0] = 0x55;
	await sink.write(header.overHead * 512, grain);
	expect(await codes(image)).toEqual(['grain-damaged']);
});

test('an image that was not closed is noted', async () => {
	const { image, sink, header } = await written('monolithicSparse');
	await sink.write(0, sparseHeader.encode({ ...header, uncleanShutdown: 1 }));
	expect((await check(image)).findings).toMatchObject([{ severity: 'note', code: 'unclean-shutdown' }]);
});
