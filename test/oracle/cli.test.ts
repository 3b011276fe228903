import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { vconv } from '../helpers/cli.ts';
import { has, run, sharedFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const MiB = 1 << 20;

type Entry = Record<'start' | 'length' | 'depth' | 'present' | 'zero' | 'data' | 'offset', unknown>;

const parse = (text: string) => JSON.parse(text) as Record<string, unknown>;

/** Images made by qemu-img of one disk with data at 1 MiB and 5 MiB. */
const makeImages = (at: (name: string) => string): void => {
	rawFile(at('disk.raw'), 8 * MiB, [
		[MiB, 65536],
		[5 * MiB, 65536],
	]);
	const made: readonly (readonly [string, ...string[]])[] = [
		['v3.qcow2', 'qcow2', 'lazy_refcounts=on'],
		['v2.qcow2', 'qcow2', 'compat=0.10,cluster_size=4k'],
		['fine.qcow2', 'qcow2', 'extended_l2=on,refcount_bits=64'],
		['sparse.vmdk', 'vmdk'],
		['stream.vmdk', 'vmdk', 'subformat=streamOptimized'],
		['split.vmdk', 'vmdk', 'subformat=twoGbMaxExtentSparse'],
		['flat.vmdk', 'vmdk', 'subformat=monolithicFlat'],
		['disk.vdi', 'vdi'],
		['disk.vhd', 'vpc', 'force_size=on'],
		['disk.vhdx', 'vhdx'],
	];
	for (const [name, format = '', options] of made) {
		run('qemu-img', 'convert', '-O', format, ...(options ? ['-o', options] : []), at('disk.raw'), at(name));
	}
	run('qemu-img', 'snapshot', '-c', 'before', at('v3.qcow2'));
	run('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', 'v3.qcow2', '-F', 'qcow2', at('delta.qcow2'));
	run('qemu-io', '-c', 'write -P 7 3M 64k', '-c', 'write -z 1M 64k', at('delta.qcow2'));
	run('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', 'preallocation=metadata', at('kept.qcow2'), '8M');
	// Zeros that keep their clusters, give them back, and follow them.
	const writes = ['write -z 0 128k', 'write -zu 128k 128k', 'write -P 7 256k 128k', 'write -z 320k 64k', 'write -zu 7M 1M'];
	run('qemu-io', ...writes.flatMap((write) => ['-c', write]), '-c', 'write -P 7 384k 6784k', at('kept.qcow2'));
	run('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', 'delta.qcow2', '-F', 'qcow2', at('larger.qcow2'), '96M');
	run('qemu-io', '-c', 'write -P 7 80M 64k', '-c', 'write -z 81M 64k', at('larger.qcow2'));
	run('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', 'larger.qcow2', '-F', 'qcow2', at('largest.qcow2'), '1G');
};

const all = [
	'v3.qcow2',
	'v2.qcow2',
	'fine.qcow2',
	'delta.qcow2',
	'sparse.vmdk',
	'stream.vmdk',
	'split.vmdk',
	'flat.vmdk',
	'disk.vdi',
	'disk.vhd',
	'disk.vhdx',
];

describe.skipIf(!has('qemu-img'))('beside qemu-img', () => {
	const at = sharedFolder();
	beforeAll(() => makeImages(at));

	test.for(all)('info of %s has every field of qemu-img, with its value', async (name) => {
		const theirs = parse(run('qemu-img', 'info', '--output=json', at(name)));
		expect(parse((await vconv('info', '--output=json', at(name))).stdout)).toMatchObject(theirs);
	});

	test.for(all)('info of %s has every line of qemu-img, for people', async (name) => {
		const ours = (await vconv('info', at(name))).stdout.split('\n');
		for (const line of run('qemu-img', 'info', at(name)).split('\n')) expect(ours).toContain(line);
	});

	test.for(['v3.qcow2', 'v2.qcow2', 'fine.qcow2', 'largest.qcow2'])(
		"info of %s and its chain is qemu-img's, line for line",
		async (name) => {
			const { stdout } = await vconv('info', '--backing-chain', at(name));
			expect(stdout).toBe(run('qemu-img', 'info', '--backing-chain', at(name)));
		},
	);

	test.for(['v3.qcow2', 'v2.qcow2', 'delta.qcow2', 'larger.qcow2', 'largest.qcow2', 'kept.qcow2', 'sparse.vmdk', 'disk.raw'])(
		"map of %s is qemu-img's",
		async (name) => {
			const fields = (entry: Entry) => [
				entry.start,
				entry.length,
				entry.depth,
				entry.present,
				entry.zero,
				entry.data,
				entry.present && entry.offset,
			];
			const theirs = JSON.parse(run('qemu-img', 'map', '--output=json', at(name))) as Entry[];
			const ours = JSON.parse((await vconv('map', '--output=json', at(name))).stdout) as Entry[];
			expect(ours.map(fields)).toEqual(theirs.map(fields));
		},
	);

	test.for(['v3.qcow2', 'v2.qcow2', 'delta.qcow2', 'disk.vdi', 'disk.raw'])("check of %s ends as qemu-img's", async (name) => {
		const theirs = spawnSync('qemu-img', ['check', '--output=json', at(name)], { encoding: 'utf8' });
		const ours = await vconv('check', '--output=json', at(name));
		expect(ours.code).toBe(theirs.status);
		if (theirs.status === 0) expect(parse(ours.stdout)).toMatchObject(parse(theirs.stdout));
	});

	test.for([
		['v3.qcow2', 'disk.vhdx'],
		['v3.qcow2', 'delta.qcow2'],
		['disk.raw', 'missing.raw'],
	] as const)("compare of %s and %s ends as qemu-img's", async ([a, b]) => {
		const theirs = spawnSync('qemu-img', ['compare', at(a), at(b)], { encoding: 'utf8' });
		expect((await vconv('compare', '-f', a.endsWith('raw') ? 'raw' : 'qcow2', at(a), at(b))).code).toBe(theirs.status);
	});

	test.for(['a', '1', '2', 'snapshot.id=1', 'snapshot.id=a', 'snapshot.name=1', 'snapshot.name=2', 'snapshot.id=2,snapshot.name=1'])(
		'-l %s is the snapshot that qemu-img takes',
		async (wanted) => {
			const [image, theirs, ours] = [at('shots.qcow2'), at('theirs.raw'), at('ours.raw')];
			run('qemu-img', 'create', '-q', '-f', 'qcow2', image, '1M');
			for (const [pattern, name] of ['a', '1'].entries()) {
				run('qemu-io', '-c', `write -P ${pattern + 7} 0 64k`, image);
				run('qemu-img', 'snapshot', '-c', name, image);
			}
			const { status } = spawnSync('qemu-img', ['convert', '-l', wanted, '-O', 'raw', image, theirs]);
			expect((await vconv('--force', '-l', wanted, image, ours)).code === 0).toBe(status === 0);
			if (status === 0) expect(fs.readFileSync(ours).equals(fs.readFileSync(theirs))).toBe(true);
		},
	);
});
