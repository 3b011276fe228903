import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { has, requires } from './programs.ts';

/** Whether a guest that boots can be made here and started. Most of what makes it is for root, and not on everybody's path. */
export const canBoot = (): boolean => {
	process.env['PATH'] += ':/usr/sbin:/sbin';
	const programs = [
		'busybox',
		'cpio',
		'modprobe',
		'sfdisk',
		'mkfs.ext4',
		'mkfs.vfat',
		'mcopy',
		'grub-mkimage',
		'qemu-img',
		'qemu-system-x86_64',
	];
	const kernel = spawnSync('apt-cache', ['show', 'linux-image-amd64']).status === 0;
	return programs.every(has) && requires(kernel, 'apt-get knows no linux-image-amd64');
};

/** The raw disk of a small Debian that boots: see test/guest/make.sh, which is given the options. */
export const debianGuest = async (...options: string[]): Promise<string> =>
	(await promisify(execFile)('sh', ['test/guest/make.sh', ...options])).stdout.trim();
