import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEBIAN, type Files, grub, initramfs, modulesDep } from '../guest/linux/make.ts';
import { vconv } from '../helpers/cli.ts';
import { effort } from '../helpers/effort.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';
import { emptyDisk, idsOf, makeMachine, validated, write } from './validate-machine.ts';

process.env['PATH'] += ':/sbin:/usr/sbin'; // where Debian has mke2fs

const UUID = '11111111-2222-3333-4444-555555555555';
const VERSION = '6.1.0-50-amd64';

const MODULES = `lib/modules/${VERSION}/modules.dep`;

/** A Debian that lacks nothing, as files. */
const WHOLE: Files = {
	...DEBIAN,
	'etc/fstab': `UUID=${UUID} / ext4 defaults 0 1\n`,
	'usr/sbin/qemu-ga': '',
	'boot/grub/grub.cfg': grub(VERSION, `root=UUID=${UUID} ro quiet`),
};

/** The same with an initramfs that knows SATA alone. */
const WITHOUT_VIRTIO: Files = { ...WHOLE, [`boot/initrd.img-${VERSION}`]: initramfs('ahci', 'libahci', 'libata', 'sd_mod') };

/** A disk with a boot loader for BIOS, and a root of these files. */
const makeDisk = (folder: string, name: string, files: Files): string => {
	const root = temporaryFolder();
	for (const [file, content] of Object.entries(files)) write(root, file, content);
	const disk = emptyDisk(folder, name, 161 << 20);
	run('mke2fs', '-q', '-F', '-t', 'ext4', '-U', UUID, '-d', root, '-O', '^has_journal', '-E', 'offset=1048576', disk, '160M');
	return disk;
};

/** A machine of KVM with this disk on virtio. */
const kvm = (disk: string): string =>
	`<domain type='kvm'><name>web</name><memory unit='MiB'>512</memory><os><type arch='x86_64' machine='q35'>hvm</type></os><devices><disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${disk}'/><target dev='vda' bus='virtio'/></disk></devices></domain>`;

describe.skipIf(!has('mke2fs'))('a guest', () => {
	test('that lacks virtio in its initramfs is warned of, and cannot move where virtio is asked for', async () => {
		const { folder, file } = makeMachine();
		makeDisk(folder, 'web.raw', WITHOUT_VIRTIO);
		const byItself = await validated('--to', 'libvirt', file);
		expect(byItself.code).toBe(0);
		expect(idsOf(byItself.report, 'Critical', 'Warning')).toEqual(['vconv.guest.disk.slower']);
		expect(byItself.report.verdicts[0]?.concerns[0]?.evidence[0]?.what).toContain(
			'virtio_scsi is in /lib/modules and not in the initramfs',
		);
		const asked = await validated('--to', 'libvirt', '--devices', 'virtio', file);
		expect(asked.code).toBe(7);
		expect(idsOf(asked.report, 'Critical')).toEqual(['vconv.guest.disk.virtio']);
	});

	test("whose initramfs knows VMware's LSI Logic alone is stopped by validate and by migrate, until that is accepted", async () => {
		const { folder, file } = makeMachine();
		makeDisk(folder, 'web.raw', {
			...WITHOUT_VIRTIO,
			[`boot/initrd.img-${VERSION}`]: initramfs('mptspi', 'sd_mod'),
			[MODULES]: `${WHOLE[MODULES]}${modulesDep('mptspi')}`,
		});
		const checked = await validated('--to', 'libvirt', file);
		expect(checked.code).toBe(7);
		expect(idsOf(checked.report, 'Critical')).toEqual(['vconv.guest.disk.driver']);
		const move = ['migrate', '--to', 'libvirt', '--dry-run', file, path.join(folder, 'out')];
		expect((await vconv(...move)).code).toBe(7);
		expect((await vconv(...move, '--accept', 'vconv.guest.disk.driver')).code).toBe(0);
	});

	test('goes to ESXi on a bus that it starts from', async () => {
		const { folder } = makeMachine();
		const file = write(folder, 'kvm.xml', kvm(makeDisk(folder, 'web.raw', WITHOUT_VIRTIO)));
		const out = path.join(folder, 'out');
		expect((await vconv('migrate', '--to', 'esxi', file, out)).code).toBe(0);
		const made = fs.readFileSync(path.join(out, 'web.vmx'), 'utf8');
		expect(made).toContain('sata0:0.fileName = "web-disk1.vmdk"');
		expect(made).not.toContain('pvscsi');
	});

	test('that has everything moves without a warning', async () => {
		const { folder, file } = makeMachine();
		makeDisk(folder, 'web.raw', WHOLE);
		for (const devices of ['auto', 'virtio']) {
			const { code, report } = await validated('--to', 'libvirt', '--strict', '--devices', devices, file);
			expect(idsOf(report, 'Critical', 'Warning')).toEqual([]);
			expect(code).toBe(0);
		}
	});

	test('whose file system is damaged anywhere is judged all the same, and soon', async () => {
		const { folder, file } = makeMachine();
		const disk = makeDisk(folder, 'web.raw', WHOLE);
		const sound = Buffer.alloc(2 << 20);
		const open = fs.openSync(disk, 'r+');
		fs.readSync(open, sound, 0, sound.length, 1 << 20);
		const byte = fc.tuple(fc.integer({ min: 0, max: sound.length - 1 }), fc.integer({ min: 0, max: 255 }));
		await fc.assert(
			fc.asyncProperty(fc.array(byte, { minLength: 1, maxLength: 64 }), async (changes) => {
				const damaged = Buffer.from(sound);
				for (const [at, value] of changes) damaged[at < 1 << 19 ? at % 8192 : at] = value;
				fs.writeSync(open, damaged, 0, damaged.length, 1 << 20);
				const spent = effort();
				expect([0, 7]).toContain((await validated('--to', 'libvirt', file)).code);
				expect(spent()).toBeLessThan(2000);
			}),
			{ numRuns: process.env['VCONV_THOROUGH'] ? 300 : 8 },
		);
		fs.closeSync(open);
	});
});
