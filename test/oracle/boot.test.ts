import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { canBoot, debianGuest } from '../helpers/debian-guest.ts';
import { dist } from '../helpers/dist.ts';
import { run, sharedFolder } from '../helpers/programs.ts';

const execute = promisify(execFile);

/** A Linux from its boot sector up goes from each to the next; qemu reads them as `format`. */
const steps = [
	{ file: 'sparse.vmdk', format: 'vmdk', options: ['-o', 'subformat=monolithicSparse'] },
	{ file: 'plain.qcow2', format: 'qcow2', options: [] },
	{ file: 'stream.vmdk', format: 'vmdk', options: ['-o', 'subformat=streamOptimized'] },
	{ file: 'zlib.qcow2', format: 'qcow2', options: ['-c'] },
	{ file: 'zstd.qcow2', format: 'qcow2', options: ['-c', '-o', 'compression_type=zstd'] },
	{ file: 'disk.vhd', format: 'vpc', options: [] },
	{ file: 'disk.vhdx', format: 'vhdx', options: [] },
	{ file: 'disk.vdi', format: 'vdi', options: [] },
	{ file: 'back.raw', format: 'raw', options: [] },
];
/** For these qemu-img has no check. */
const unchecked = ['vpc', 'raw'];
const booted = steps.filter(({ file }) => ['zstd.qcow2', 'sparse.vmdk', 'disk.vhd', 'disk.vhdx', 'disk.vdi'].includes(file));

const at = sharedFolder();

/** What the guest says on its serial line until it is off. The image stays as it is. */
const boot = async (image: string, format: string): Promise<string> => {
	const machine = ['-accel', 'tcg', '-cpu', 'max', '-m', '256', '-no-reboot', '-nic', 'none', '-nographic', '-monitor', 'none'];
	const drive = ['-drive', `file=${image},format=${format},if=virtio,snapshot=on`];
	const { stdout } = await execute('qemu-system-x86_64', [...machine, '-serial', 'stdio', ...drive], { timeout: 240_000 });
	return stdout;
};

describe.skipIf(!canBoot())('a guest that boots, taken through every format', () => {
	let guest: string;
	beforeAll(async () => {
		guest = await debianGuest();
	});

	test.for(steps.map((step, index) => ({ ...step, from: steps[index - 1]?.file })))(
		'$file keeps every byte, and qemu-img finds nothing wrong',
		async ({ from, file, format, options }) => {
			const output = at(file);
			const input = from === undefined ? guest : at(from);
			await execute(process.execPath, [path.join(dist, 'bin/vconv.js'), input, output, ...options]);
			if (!unchecked.includes(format)) expect(run('qemu-img', 'check', '-f', format, output)).toContain('No errors were found');
			expect(run('qemu-img', 'compare', '-f', 'raw', '-F', format, guest, output)).toContain('Images are identical');
		},
	);

	test.for(booted)('$file boots, and the guest finds all of its files right', { timeout: 250_000 }, async ({ file, format }) => {
		expect(await boot(at(file), format)).toContain('VCONV-GUEST-UP');
	});
});
