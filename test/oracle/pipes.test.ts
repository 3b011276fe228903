import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { vconvPiped } from '../helpers/cli.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const KiB = 2 ** 10;
const MiB = 2 ** 20;

describe.skipIf(!has('qemu-img'))('qemu-img finds the same disk in what came through a pipe', () => {
	test.for([
		['raw', 'raw', '-S', '0'],
		['vhd', 'vpc'],
		['vhd', 'vpc', '-o', 'subformat=fixed'],
		['vhdx', 'vhdx'],
		['vhdx', 'vhdx', '-o', 'subformat=fixed'],
		['vdi', 'vdi'],
		['vdi', 'vdi', '-o', 'static=on'],
		['qcow2', 'qcow2'],
		['qcow2', 'qcow2', '-o', 'cluster_size=512'],
		['qcow2', 'qcow2', '-o', 'extended_l2=on,compat=1.1'],
		['vmdk', 'vmdk'],
		['vmdk', 'vmdk', '-o', 'subformat=streamOptimized'],
	])('%s', async ([format, driver, ...options]) => {
		const folder = temporaryFolder();
		const raw = rawFile(path.join(folder, 'disk.raw'), 37 * MiB, [
			[0, 4 * KiB],
			[5 * MiB - 512, KiB],
			[20 * MiB, 3 * MiB],
			[37 * MiB - 512, 512],
		]);
		const { image } = await vconvPiped({}, '-O', format as string, ...options, raw, '-');
		const piped = path.join(folder, 'piped');
		fs.writeFileSync(piped, image);
		expect(run('qemu-img', 'compare', '-f', 'raw', '-F', driver as string, raw, piped)).toMatch(/identical/);
		if (driver !== 'raw' && driver !== 'vpc') {
			const check = JSON.parse(run('qemu-img', 'check', '-f', driver as string, '--output=json', piped));
			expect(check).toMatchObject({ 'check-errors': 0 });
			expect(check).not.toHaveProperty('leaks');
			expect(check).not.toHaveProperty('corruptions');
		}
	});
});

test.skipIf(!has('qemu-img'))('a streamOptimized VMDK of qemu-img, whose tables are before its grains, is read from a pipe', async () => {
	const folder = temporaryFolder();
	const raw = rawFile(path.join(folder, 'disk.raw'), 70 * MiB + 512, [
		[0, 4 * KiB],
		[33 * MiB, 300 * KiB],
		[70 * MiB, 512],
	]);
	const [stream, image] = [path.join(folder, 'stream.vmdk'), path.join(folder, 'image.qcow2')];
	run('qemu-img', 'convert', '-O', 'vmdk', '-o', 'subformat=streamOptimized', raw, stream);
	await vconvPiped({ stdin: fs.readFileSync(stream) }, '-', image);
	expect(run('qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', raw, image)).toMatch(/identical/);
});
