import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { vconv } from '../helpers/cli.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';

test.skipIf(!has('qemu-img')).for([
	['raw', '1G', ''],
	['qcow2', '4096', 'cluster_size=64k'],
	['qcow2', '100G', 'cluster_size=4k'],
	['qcow2', '16T', 'cluster_size=64k'],
	['qcow2', '1T', 'cluster_size=2M'],
])('a full disk is as long as qemu-img says: -O %s --size %s -o %s', async ([format = '', size = '', options]) => {
	const argv = ['measure', '--output=json', '-O', format, ...(options ? ['-o', options] : []), '--size', size];
	const theirs = JSON.parse(execFileSync('qemu-img', argv, { encoding: 'utf8' }));
	expect(JSON.parse((await vconv(...argv)).stdout)['fully-allocated']).toBe(theirs['fully-allocated']);
});

test.skipIf(!has('qemu-img')).for(['cluster_size=64k', 'cluster_size=4k', 'cluster_size=2M,extended_l2=on', 'compat=0.10'])(
	'what dirty bitmaps would add is what qemu-img says: -o %s',
	async (options) => {
		const image = path.join(temporaryFolder(), 'disk.qcow2');
		run('qemu-img', 'create', '-q', '-f', 'qcow2', image, '9G');
		const words = ['measure', '--output=json', '-O', 'qcow2', '-o', options, image];
		const bitmaps = async (): Promise<readonly unknown[]> => [
			JSON.parse((await vconv(...words)).stdout).bitmaps,
			JSON.parse(run('qemu-img', ...words)).bitmaps,
		];
		const [none, theirNone] = await bitmaps();
		expect(none).toBe(theirNone);
		run('qemu-img', 'bitmap', '--add', image, 'b0');
		run('qemu-img', 'bitmap', '--add', '-g', '512', image, 'näme of some length');
		run('qemu-img', 'bitmap', '--add', '-g', '1M', '--disable', image, 'c');
		const [some, theirs] = await bitmaps();
		expect(some).toBe(theirs);
		expect(JSON.parse((await vconv('measure', '--output=json', '-O', 'raw', image)).stdout)).not.toHaveProperty('bitmaps');
		// An image of version 2 can have none, and nothing is said of them.
		run('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', 'compat=0.10', image, '9G');
		expect(await bitmaps()).toEqual([undefined, undefined]);
	},
);

test.skipIf(!has('qemu-img')).for(['1.1', '0.10'])('what is measured is what is written, to the byte: compat=%s', async (compat) => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	run('qemu-img', 'create', '-q', '-f', 'qcow2', at('in.qcow2'), '10M');
	const options = ['-O', 'qcow2', '-o', `compat=${compat}`];
	const { required } = JSON.parse((await vconv('measure', '--output=json', ...options, at('in.qcow2'))).stdout);
	expect(await vconv('convert', ...options, at('in.qcow2'), at('out.qcow2'))).toMatchObject({ code: 0 });
	expect(fs.statSync(at('out.qcow2')).size).toBe(required);
	// qemu-img measures one cluster more than it writes.
	run('qemu-img', 'convert', ...options, at('in.qcow2'), at('theirs.qcow2'));
	expect(fs.statSync(at('theirs.qcow2')).size).toBeLessThanOrEqual(required);
});
