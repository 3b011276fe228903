import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { vconv } from '../helpers/cli.ts';
import { has } from '../helpers/programs.ts';

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
