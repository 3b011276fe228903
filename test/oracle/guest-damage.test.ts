import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Disk } from '../../src/core/disk.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import type { BlockDevice } from '../../src/guest/device.ts';
import type { GuestReport } from '../../src/guest/facts.ts';
import { inspectGuest } from '../../src/guest/inspect.ts';
import { memorySource } from '../../src/io/memory.ts';
import { onDevice, survivesDamage } from '../guest/damage.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';

process.env['PATH'] += ':/sbin:/usr/sbin'; // where Debian has mke2fs and its like

const MIB = 1 << 20;

/** A GPT disk of 24 MiB: an ESP at 1 MiB with a boot loader, a Linux root at 9 MiB. */
const makeDisk = (): Uint8Array => {
	const folder = temporaryFolder();
	const file = path.join(folder, 'disk.img');
	const root = path.join(folder, 'root');
	fs.mkdirSync(path.join(root, 'etc'), { recursive: true });
	fs.mkdirSync(path.join(root, 'bin'));
	fs.writeFileSync(path.join(root, 'etc/os-release'), 'ID=debian\nPRETTY_NAME="Debian of the test"\nVERSION_ID="12"\n');
	fs.writeFileSync(path.join(root, 'etc/fstab'), 'LABEL=root / ext4 defaults 0 1\nLABEL=ESP /boot/efi vfat defaults 0 1\n');
	run('truncate', '-s', '24M', file);
	fs.writeFileSync(path.join(folder, 'script'), 'label: gpt\nstart=2048,size=16384,type=U\ntype=L\n');
	run('sh', '-c', `sfdisk -q --no-reread --no-tell-kernel ${file} < ${folder}/script`);
	run('mke2fs', '-q', '-F', '-t', 'ext4', '-L', 'root', '-d', root, '-E', `offset=${9 * MIB}`, file, '14M');
	run('mkfs.vfat', '-n', 'ESP', '--offset', '2048', file, '8192');
	run('mmd', '-i', `${file}@@1M`, '::EFI', '::EFI/BOOT');
	run('mcopy', '-i', `${file}@@1M`, path.join(root, 'etc/fstab'), '::EFI/BOOT/BOOTX64.EFI');
	return fs.readFileSync(file);
};

const diskOn = (device: BlockDevice): Disk => ({
	size: device.size,
	sectorSize: 512,
	info: { format: 'made' },
	async *extents(offset, length) {
		yield { offset, length, kind: 'computed', read: (at, count) => device.read(at, count) };
	},
	async close() {},
});

const inspect = (device: BlockDevice): Promise<GuestReport> =>
	inspectGuest([{ image: 'disk', disk: diskOn(device) }], { codec: pakoCodec });

const programs = ['sfdisk', 'mke2fs', 'mkfs.vfat', 'mcopy'];

test.skipIf(!programs.every(has))(
	'a disk of UEFI and Linux is understood, and whatever is damaged the inspection ends with a report',
	async () => {
		const bytes = makeDisk();
		const source = memorySource(bytes);
		const whole = await inspect({
			name: 'disk0',
			size: bytes.length,
			sectorSize: 512,
			read: (offset, length) => source.read(offset, length),
		});
		expect(whole).toMatchObject({
			firmware: { type: 'uefi', fallbackLoader: true, loaders: ['/EFI/BOOT/BOOTX64.EFI'] },
			os: { name: 'Debian of the test', root: 'disk0p2' },
			volumes: [
				{ label: 'ESP', mountpoint: '/boot/efi' },
				{ label: 'root', mountpoint: '/', clean: true },
			],
		});
		const regions = [
			[0, 1536],
			[MIB, MIB + 4096],
			[9 * MIB + 1024, 9 * MIB + 1024 + 400],
			[9 * MIB + 2048, 9 * MIB + 100_000],
		] as const;
		// A report, and never an error: not even one that vconv means to report.
		await survivesDamage(
			bytes,
			onDevice((device) => inspect(device).catch((cause) => Promise.reject(new Error('it failed', { cause })))),
			{ runs: 60, regions },
		);
	},
);
