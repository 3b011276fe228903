import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { raw } from '../../formats/raw/index.ts';
import type { GuestReport } from '../../src/guest/facts.ts';
import { initramfsNames } from '../../src/guest/initramfs/names.ts';
import { nodeExpanders } from '../../src/node/expand.ts';
import { inspectFiles } from '../../src/node/inspect.ts';
import { oneFile } from '../guest/initramfs/file.ts';
import { vconv } from '../helpers/cli.ts';
import { has, run } from '../helpers/programs.ts';

process.env['PATH'] += ':/sbin:/usr/sbin'; // where Debian has debugfs and its like

const isThorough = process.env['VCONV_THOROUGH'] !== undefined;
const isReady = isThorough && process.getuid?.() === 0 && ['debootstrap', 'mke2fs', 'debugfs', 'sfdisk', 'lsinitramfs'].every(has);
const MB = 1_000_000;

/** What is asked for by each bus, as modules. Debian builds none of them in. */
const BUSES = {
	'virtio-blk': ['virtio_pci', 'virtio_blk'],
	'virtio-scsi': ['virtio_pci', 'virtio_scsi', 'sd_mod'],
	sata: ['ahci', 'sd_mod'],
	nvme: ['nvme'],
	pvscsi: ['vmw_pvscsi', 'sd_mod'],
	lsilogic: ['mptspi', 'sd_mod'],
	'hyperv-scsi': ['hv_vmbus', 'hv_storvsc', 'sd_mod'],
	'hyperv-nvme': ['hv_vmbus', 'pci_hyperv', 'nvme'],
} as const;

describe.skipIf(!isReady).each(['most', 'list'])('a Debian of 3 GB whose initramfs has the drivers of MODULES=%s', (modules) => {
	let [disk, listed]: [string, readonly string[]] = ['', []];
	let report: GuestReport | undefined;
	const debugfs = (command: string): string => run('debugfs', '-R', command, `${disk}?offset=1048576`);

	beforeAll(async () => {
		disk = (await promisify(execFile)('sh', ['test/guest/debian.sh', modules])).stdout.trim();
		listed = run('lsinitramfs', `${disk}.initrd`).trim().split('\n');
		report = await inspectFiles([disk], {
			opening: { formats: [raw], format: 'raw', gate: () => Promise.reject(new Error('nothing is named')) },
			machineFormats: [],
		});
	}, 900_000);

	test('is what os-release, fstab and debugfs say', () => {
		const release = debugfs('cat /usr/lib/os-release');
		const [version] = /\d+\.[^/]*-amd64/.exec(debugfs('ls -p /usr/lib/modules')) ?? [];
		expect(report).toMatchObject({
			os: {
				distro: 'debian',
				name: /PRETTY_NAME="(.*)"/.exec(release)?.[1],
				version: debugfs('cat /etc/debian_version').trim(),
				arch: 'x86_64',
				hostname: 'debian-of-vconv',
				root: 'disk0p1',
				initramfsTool: 'initramfs-tools',
				kernels: [{ version, default: true, initramfs: `/boot/initrd.img-${version}` }],
				mounts: [{ mountpoint: '/', volume: 'disk0p1', where: '/etc/fstab:1' }],
			},
			volumes: [{ type: 'ext4', clean: true, mountpoint: '/' }],
			incomplete: [],
		});
	});

	test('has the names in its initramfs that lsinitramfs lists', async () => {
		const names: string[] = [];
		for await (const name of initramfsNames(oneFile(fs.readFileSync(`${disk}.initrd`)), nodeExpanders())) names.push(name);
		expect(names).toEqual(listed);
	});

	test.each(Object.entries(BUSES))('can start from %s if lsinitramfs lists all of %j', (bus, wanted) => {
		const isThere = (name: string): boolean => listed.some((path) => path.replaceAll('-', '_').endsWith(`/${name}.ko`));
		expect(report?.drivers?.disk[bus as keyof typeof BUSES]?.state).toBe(wanted.every(isThere) ? 'boot' : 'installed');
	});

	test('is inspected within two seconds, by little more than its initramfs', () => {
		const { milliseconds = 0, bytes = 0 } = report?.cost ?? {};
		const initramfs = fs.statSync(`${disk}.initrd`).size;
		expect(milliseconds).toBeLessThan(2000);
		expect(bytes).toBeLessThan(initramfs + 2 * MB);
		// With every driver there is, the initramfs alone has more: an archive has no list of its names.
		if (modules === 'list') expect(bytes).toBeLessThan(20 * MB);
	});

	test('may go to virtio only if its initramfs has it', async () => {
		const argv = ['validate', '--to', 'libvirt', '--devices', 'virtio', '--output=json', disk];
		const { code, stdout } = await vconv(...argv);
		const [verdict] = JSON.parse(stdout).verdicts;
		const concern = verdict.concerns.find(({ id }: { id: string }) => id === 'vconv.guest.disk.virtio');
		expect(code).toBe(modules === 'most' ? 0 : 7);
		if (modules === 'most') expect(concern).toBeUndefined();
		else
			expect(concern).toMatchObject({
				category: 'Critical',
				evidence: expect.arrayContaining([
					expect.objectContaining({ what: expect.stringMatching(/virtio_blk is in \/lib\/modules and not in the initramfs/) }),
				]),
			});
	});
});
