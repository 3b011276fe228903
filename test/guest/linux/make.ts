import zlib from 'node:zlib';
import type { Incomplete, VolumeFacts } from '../../../src/guest/facts.ts';
import { linuxReader } from '../../../src/guest/linux/index.ts';
import { attempts, type SystemFacts } from '../../../src/guest/system.ts';
import { yamlValue } from '../../../src/syntax/value.ts';
import { type Folder, fileSystemOf } from '../make-tree.ts';

/** Files by their paths, without a slash before them; `-> target` is a link. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

const VERSION = '6.1.0-50-amd64';

/** A cpio archive of empty files, as initramfs are. */
export const cpio = (...names: readonly string[]): Uint8Array => {
	const entry = (name: string): Buffer => {
		const head = [
			'070701',
			...Array.from({ length: 13 }, (_, field) => (field === 11 ? name.length + 1 : 0).toString(16).padStart(8, '0')),
		].join('');
		return Buffer.from(`${head}${name}\0`.padEnd((head.length + name.length + 4) & ~3, '\0'), 'latin1');
	};
	return Buffer.concat([...names, 'TRAILER!!!'].map(entry));
};

/** An initramfs with these modules. */
export const initramfs = (...modules: readonly string[]): Uint8Array =>
	zlib.gzipSync(cpio('init', ...modules.map((name) => `usr/lib/modules/${VERSION}/kernel/drivers/${name}.ko`)));

/** `modules.dep` of modules that each need the ones behind the colon. */
export const modulesDep = (...lines: readonly string[]): string =>
	lines
		.map((line) => {
			const [name, ...needed] = line.split(/:? /).map((module) => `kernel/drivers/${module}.ko.xz`);
			return `${name}: ${needed.join(' ')}\n`;
		})
		.join('');

/** A small Debian whose initramfs has virtio and its disks. */
export const DEBIAN: Files = {
	'bin/sh': new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, ...new Array<number>(11).fill(0), 62, 0, 0, 0]),
	'etc/os-release': 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
	'etc/debian_version': '12.15\n',
	'etc/hostname': 'web01\n',
	'etc/fstab': '# a comment\nUUID=0a  /  ext4  defaults  0 1\n',
	'usr/sbin/update-initramfs': '',
	[`lib/modules/${VERSION}/modules.dep`]: modulesDep(
		'virtio_blk: virtio',
		'virtio_pci: virtio',
		'virtio',
		'virtio_net',
		'sd_mod',
		'ahci',
		'vmw_pvscsi',
		'virtio_scsi',
		'vfat',
		'udf',
	),
	[`lib/modules/${VERSION}/modules.builtin`]: 'kernel/drivers/net/e1000/e1000.ko\n',
	[`boot/vmlinuz-${VERSION}`]: '',
	[`boot/initrd.img-${VERSION}`]: initramfs('virtio_blk', 'virtio-pci', 'virtio', 'sd_mod', 'virtio_scsi'),
	'boot/grub/grub.cfg': grub(VERSION),
};

/** A GRUB configuration with one entry for a kernel. */
export function grub(version: string, options = 'root=UUID=0a ro quiet'): string {
	return `set default="0"\nmenuentry 'Debian' --class debian $menuentry_id_option 'simple' {\n\tlinux /boot/vmlinuz-${version} ${options}\n\tinitrd /boot/initrd.img-${version}\n}\n`;
}

/** What is read of a guest with these files on its one volume. */
export const readLinux = async (
	files: Files,
	volumes: readonly Partial<VolumeFacts>[] = [{ uuid: '0a' }],
): Promise<{ readonly facts: SystemFacts | undefined; readonly incomplete: readonly Incomplete[] }> => {
	const incomplete: Incomplete[] = [];
	const all = volumes.map(
		(volume, index): VolumeFacts => ({ id: `disk0p${index + 1}`, type: 'ext4', size: 1 << 30, clean: true, state: [], ...volume }),
	);
	const fileSystem = fileSystemOf(foldersOf(files));
	const root = {
		facts: all[0] ?? { id: 'disk0p1', type: 'ext4', size: 1 << 30, clean: true, state: [] },
		fileSystem,
		device: { name: 'disk0p1', size: 1 << 30, sectorSize: 512, read: () => Promise.reject(new Error('files alone are read')) },
	} as const;
	const facts = await linuxReader(root, { disks: [], volumes: all, open: [root], attempt: attempts(incomplete), parseYaml: yamlValue });
	return { facts, incomplete };
};

const foldersOf = (files: Files): Folder => {
	type Growing = { [name: string]: string | Uint8Array | Growing };
	const root: Growing = {};
	for (const [path, content] of Object.entries(files)) {
		const names = path.split('/');
		let at = root;
		for (const name of names.slice(0, -1)) {
			const next = at[name];
			const folder: Growing = typeof next === 'object' && !(next instanceof Uint8Array) ? next : {};
			at[name] = folder;
			at = folder;
		}
		at[names.at(-1) ?? ''] = content;
	}
	return root;
};
