import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseXml } from '../../src/bytes/xml.ts';
import type { Category } from '../../src/validate/rule.ts';
import { rules } from '../../src/validate/rules/index.ts';
import type { ValidationReport } from '../../src/validate/verdict.ts';
import { DEBIAN, type Files, grub, initramfs } from '../guest/linux/make.ts';
import { mbrSector } from '../guest/make-disk.ts';
import { vconv } from '../helpers/cli.ts';
import { effort } from '../helpers/effort.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';
import { sarifErrors } from '../helpers/sarif.ts';

process.env['PATH'] += ':/sbin:/usr/sbin'; // where Debian has mke2fs

const UUID = '11111111-2222-3333-4444-555555555555';
const VERSION = '6.1.0-50-amd64';

/** A Debian that lacks nothing, as files. */
const WHOLE: Files = {
	...DEBIAN,
	'etc/fstab': `UUID=${UUID} / ext4 defaults 0 1\n`,
	'usr/sbin/qemu-ga': '',
	'boot/grub/grub.cfg': grub(VERSION, `root=UUID=${UUID} ro quiet`),
};

/** The same with an initramfs that knows SATA alone. */
const WITHOUT_VIRTIO: Files = { ...WHOLE, [`boot/initrd.img-${VERSION}`]: initramfs('ahci', 'libahci', 'libata', 'sd_mod') };

const write = (folder: string, name: string, content: string | Uint8Array): string => {
	const file = path.join(folder, name);
	fs.mkdirSync(path.dirname(file), { recursive: true });
	fs.writeFileSync(file, content);
	return file;
};

/** A disk with a boot loader for BIOS, and one partition in which nothing is. */
const emptyDisk = (folder: string, name: string, size = 8 << 20): string => {
	const boot = mbrSector([{ type: 0x83, start: 2048, count: size / 512 - 2048, active: true }]);
	boot.set(Buffer.from('\xeb\x63\x90GRUB \0', 'latin1'));
	const disk = write(folder, name, boot);
	fs.truncateSync(disk, size);
	return disk;
};

/** The same with a root of these files. */
const makeDisk = (folder: string, name: string, files: Files): string => {
	const root = temporaryFolder();
	for (const [file, content] of Object.entries(files)) write(root, file, content);
	const disk = emptyDisk(folder, name, 161 << 20);
	run('mke2fs', '-q', '-F', '-t', 'ext4', '-U', UUID, '-d', root, '-O', '^has_journal', '-E', 'offset=1048576', disk, '160M');
	return disk;
};

const vmx = (...more: string[]): string =>
	[
		'.encoding = "UTF-8"',
		'config.version = "8"',
		'virtualHW.version = "19"',
		'displayName = "web"',
		'guestOS = "debian12-64"',
		'uuid.bios = "56 4d 12 34 56 78 9a bc-de f0 12 34 56 78 9a bc"',
		'memsize = "512"',
		'ctkEnabled = "TRUE"',
		'scsi0.present = "TRUE"',
		'scsi0.virtualDev = "pvscsi"',
		'scsi0:0.present = "TRUE"',
		'scsi0:0.fileName = "web.raw"',
		...more,
		'',
	].join('\n');

/** A machine in a folder of its own, its disk empty. */
const makeMachine = (...more: string[]): { readonly folder: string; readonly file: string } => {
	const folder = temporaryFolder();
	emptyDisk(folder, 'web.raw');
	return { folder, file: write(folder, 'web.vmx', vmx(...more)) };
};

const validated = async (...argv: string[]): Promise<{ readonly code: number; readonly report: ValidationReport }> => {
	const { code, stdout, stderr } = await vconv('validate', '--json', ...argv);
	if (stdout === '') throw new Error(stderr);
	return { code, report: JSON.parse(stdout) as ValidationReport };
};

const idsOf = ({ verdicts }: ValidationReport, ...categories: Category[]): readonly string[] =>
	verdicts.flatMap(({ concerns }) => concerns.filter(({ category }) => categories.includes(category)).map(({ id }) => id));

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

describe('what lies beside a description', () => {
	test('tells that the machine runs, is suspended, and has snapshots', async () => {
		const { folder, file } = makeMachine('checkpoint.vmState = "web-1a2b.vmss"');
		fs.mkdirSync(path.join(folder, 'web.vmx.lck'));
		const snapshot = 'snapshot0.uid = "1"\nsnapshot0.displayName = "before"\nsnapshot0.filename = "web-Snapshot1.vmsn"\n';
		write(folder, 'web.vmsd', `.encoding = "UTF-8"\nsnapshot.numSnapshots = "1"\n${snapshot}`);
		write(folder, 'web-Snapshot1.vmem', '');
		const { code, report } = await validated('--to', 'libvirt', file);
		expect(code).toBe(7);
		expect(idsOf(report, 'Critical')).toEqual(['vconv.vm.running', 'vconv.vm.suspended']);
		expect(idsOf(report, 'Warning', 'Information')).toEqual(
			expect.arrayContaining(['vmware.snapshot.detected', 'ovirt.snapshot.online_memory.detected']),
		);
		write(folder, 'web.vmsd', new Uint8Array([0, 1, 2]));
		expect(idsOf((await validated('--to', 'libvirt', file)).report, 'Warning')).toContain('vconv.vm.files.unread');
	});

	test('is no state of a machine that says it is not suspended', async () => {
		const { folder, file } = makeMachine('checkpoint.vmState = ""');
		write(folder, 'web-1a2b3c4d.vmss', 'old');
		expect((await validated('--to', 'libvirt', file)).code).toBe(0);
	});
});

test.each([
	['gone.vmdk', 'vmware.datastore.missing'],
	['../../etc/passwd', 'vconv.image.reference.refused'],
	['data.vmdk', 'vconv.image.in_use'],
	['broken.qcow2', 'vconv.image.corrupt'],
	['odd.vmdk', 'vconv.image.unsupported'],
])('a disk in %s is a concern, %s', async (name, id) => {
	const { folder, file } = makeMachine('scsi0:1.present = "TRUE"', `scsi0:1.fileName = "${name}"`);
	await vconv('convert', path.join(folder, 'web.raw'), path.join(folder, 'data.vmdk'));
	write(folder, 'data.vmdk.lck/M1.lck', '');
	write(folder, 'broken.qcow2', Buffer.from('QFI\xfb\0\0\0\x03'.padEnd(512, '\0'), 'latin1'));
	write(folder, 'odd.vmdk', 'nothing that anybody knows');
	const { code, report } = await validated('--to', 'libvirt', file);
	expect(code).toBe(7);
	expect(idsOf(report, 'Critical')).toEqual([id]);
});

test('disks in a datastore are found where the user says that it is', async () => {
	const { folder, file } = makeMachine();
	fs.writeFileSync(file, vmx().replace('"web.raw"', '"[store1] web/web.raw"'));
	const store = path.join(folder, 'store');
	fs.mkdirSync(store);
	fs.renameSync(path.join(folder, 'web.raw'), path.join(store, 'web.raw'));
	expect((await validated('--to', 'libvirt', file)).code).toBe(7);
	expect((await validated('--to', 'libvirt', '--path-map', `[store1] web=${store}`, file)).code).toBe(0);
	expect((await vconv('validate', '--to', 'libvirt', '--path-map', 'store1', file)).code).toBe(2);
});

test('the chain of an image is checked, and the image of a machine that is elsewhere', async () => {
	const folder = temporaryFolder();
	fs.truncateSync(write(folder, 'base.raw', ''), 8 << 20);
	const at = (name: string): string => path.join(folder, name);
	await vconv('convert', at('base.raw'), at('base.qcow2'));
	await vconv('convert', '-B', at('base.qcow2'), '-F', 'qcow2', at('base.raw'), at('top.qcow2'));
	const { report } = await validated('--to', 'libvirt', at('top.qcow2'));
	expect(idsOf(report, 'Information')).toContain('vconv.image.chain');
	// In a folder without descriptions each image is a machine, and a parent is none.
	fs.rmSync(at('base.raw'));
	expect((await validated('--to', 'libvirt', folder)).report.verdicts.map(({ subject }) => path.basename(subject))).toEqual(['top.qcow2']);
});

test('several targets are compared in a table, and each concern is told once', async () => {
	const { file } = makeMachine('ethernet0.present = "TRUE"', 'ethernet0.virtualDev = "vmxnet3"');
	const { stdout } = await vconv('validate', '--to', 'libvirt,kubevirt', '--to', 'azure', file);
	expect(stdout).toMatch(/^ +libvirt {2}kubevirt {2}azure$/m);
	expect(stdout).toMatch(/^Network card of another model +- +W +W$/m);
	expect(stdout.match(/\[vconv\.nic\.mac\.missing\]/g)).toHaveLength(1);
	expect(stdout).toMatch(/-> See whether something/);
	expect(stdout).toMatch(/^.*web\.vmx to azure: nothing blocks it: 0 critical, \d warnings, \d+ for information$/m);
});

describe('what somebody decides', () => {
	const lacking = ['ethernet0.present = "TRUE"'];

	test('is accepted by its id, or with a baseline that knows it', async () => {
		const { folder, file } = makeMachine(...lacking);
		expect((await validated('--to', 'libvirt', '--strict', file)).code).toBe(7);
		expect((await validated('--to', 'libvirt', '--strict', '--accept', 'vconv.nic.mac.missing', file)).code).toBe(0);
		const baseline = path.join(folder, 'known.json');
		expect((await validated('--to', 'libvirt', '--strict', '--write-baseline', baseline, file)).code).toBe(0);
		const { code, report } = await validated('--to', 'libvirt', '--strict', '--baseline', baseline, file);
		expect(code).toBe(0);
		expect(report.verdicts[0]).toMatchObject({ concerns: [], blocking: false });
		fs.writeFileSync(file, vmx(...lacking, 'ethernet1.present = "TRUE"'));
		const more = await validated('--to', 'libvirt', '--strict', '--baseline', baseline, file);
		expect(more.code).toBe(7);
		expect(more.report.verdicts[0]?.concerns.find(({ id }) => id === 'vconv.nic.mac.missing')?.evidence).toHaveLength(1);
	});

	test('is written over nothing that is looked at', async () => {
		const { folder, file } = makeMachine(...lacking);
		const before = fs.readFileSync(file, 'utf8');
		const own = write(folder, 'rules.yaml', 'rules: []\n');
		const disk = fs.readdirSync(folder).find((name) => /\.(raw|vmdk|qcow2)$/.test(name)) as string;
		const link = path.join(temporaryFolder(), 'link');
		fs.symlinkSync(folder, link);
		for (const [subject, baseline] of [
			[file, file],
			[folder, path.join(link, 'web.vmx')],
			[file, path.join(folder, disk)],
			[file, own],
		] as const) {
			const ran = await vconv('validate', '--to', 'libvirt', '--rules', own, '--force', '--write-baseline', baseline, subject);
			expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('and --write-baseline are one file') });
		}
		expect(fs.readFileSync(file, 'utf8')).toBe(before);
	});

	test('changes the categories of rules and adds rules', async () => {
		const { folder, file } = makeMachine(...lacking, 'annotation = "legacy billing"', 'guestinfo.password = "x"');
		const text = `categories:
  vconv.nic.mac.missing: off
  vconv.nic.network.unmapped: Critical
rules:
  - id: site.legacy
    category: Warning
    label: A machine of the old billing
    assessment: It must not move before the new year.
    remedy: Ask its owner.
    targets: [libvirt]
    when: { key: ^annotation$, value: legacy }
  - { id: site.secret, category: Information, label: Secrets, assessment: They move., remedy: None., when: { key: guestinfo } }
`;
		const own = write(folder, 'rules.yaml', text);
		const { code, report } = await validated('--to', 'libvirt', '--rules', own, file);
		expect(code).toBe(7);
		expect(idsOf(report, 'Critical', 'Warning')).toEqual(['vconv.nic.network.unmapped', 'site.legacy']);
		expect(JSON.stringify(report)).toContain('"a secret"');
		expect((await vconv('validate', '--list', '--rules', own)).stdout).toMatch(/^site\.legacy +Warning +A machine of the old billing/m);
		expect(idsOf((await validated('--to', 'esxi', '--rules', own, file)).report, 'Warning')).not.toContain('site.legacy');
	});

	test.each([
		['categories: { no.such.rule: off }', "there is no rule 'no.such.rule'"],
		['categories: { vconv.serial: Bad }', "'Bad' is not possible"],
		['rules: [{ id: a }]', 'when is missing'],
		['rules: [{ id: a, when: { key: "(" } }]', "'(' is no regular expression"],
		['other: 1', "there is no 'other' here"],
		['- a', 'names and values are expected here'],
		['a: [', ''],
	])('is refused where it is no file of rules: %s', async (text, message) => {
		const own = write(temporaryFolder(), 'rules.yaml', text);
		const { code, stderr } = await vconv('validate', '--list', '--rules', own);
		expect(code).toBe(2);
		expect(stderr).toContain(message);
		expect(stderr).toMatch(/line \d+, column \d+/);
	});
});

describe('the host', () => {
	const domcaps = `<domainCapabilities><path>/usr/bin/qemu-system-x86_64</path><machine>pc-q35-7.2</machine><arch>x86_64</arch>
		<vcpu max='4'/><os supported='yes'><enum name='firmware'><value>efi</value></enum><loader supported='yes'>
		<enum name='type'><value>rom</value><value>pflash</value></enum><enum name='secure'><value>no</value></enum></loader></os>
		<cpu><mode name='host-model' supported='yes'/><mode name='custom' supported='no'/></cpu><devices><disk supported='yes'>
		<enum name='bus'><value>sata</value></enum></disk><tpm supported='no'><enum name='backendModel'><value>emulator</value></enum></tpm>
		</devices></domainCapabilities>`;

	test('is asked what it can run', async () => {
		const { folder, file } = makeMachine('numvcpus = "8"', 'firmware = "efi"', 'uefi.secureBoot.enabled = "TRUE"', 'vtpm.present = "TRUE"');
		const { report } = await validated('--to', 'libvirt', '--domcaps', write(folder, 'domcaps.xml', domcaps), file);
		expect(idsOf(report, 'Critical', 'Warning')).toEqual(
			expect.arrayContaining(['vconv.host.secure_boot', 'vconv.host.tpm', 'vconv.host.cpus', 'vconv.host.disk_bus']),
		);
		expect(idsOf(report, 'Critical', 'Warning')).not.toContain('vconv.host.firmware');
	});

	test('has a folder with room for the disks', async () => {
		const { folder, file } = makeMachine();
		expect((await validated('--to', 'libvirt,azure', '--dir', folder, file)).code).toBe(0);
		expect((await vconv('validate', '--to', 'libvirt', '--dir', path.join(folder, 'nowhere'), file)).code).toBe(5);
	});

	test.each([
		['<domain/>', 3],
		['<a>', 4],
	])('is not described by %s', async (text, code) => {
		const { folder, file } = makeMachine();
		expect((await vconv('validate', '--to', 'libvirt', '--domcaps', write(folder, 'd.xml', text), file)).code).toBe(code);
	});
});

describe('for programs', () => {
	test('SARIF has a rule for every result, and places that are references', async () => {
		const { file } = makeMachine('ethernet0.present = "TRUE"');
		const { stdout } = await vconv('validate', '--to', 'libvirt', '--output=sarif', '--accept', 'vconv.nic.mac.missing', file);
		expect(sarifErrors(stdout)).toEqual([]);
		const { runs } = JSON.parse(stdout);
		const [{ tool, results }] = runs;
		expect(results.length).toBeGreaterThan(1);
		for (const { ruleId, ruleIndex, level, message, locations } of results) {
			expect(tool.driver.rules[ruleIndex]).toMatchObject({ id: ruleId, shortDescription: { text: expect.any(String) } });
			expect(['error', 'warning', 'note']).toContain(level);
			expect(message.text).not.toBe('');
			expect(new URL(locations[0].physicalLocation.artifactLocation.uri, 'file:///').pathname).toContain('web.vmx');
		}
		expect(results.filter((result: { suppressions?: unknown }) => result.suppressions)).toMatchObject([
			{ ruleId: 'vconv.nic.mac.missing' },
		]);
	});

	test('JUnit is XML with a case for each concern', async () => {
		const { file } = makeMachine('scsi0:1.present = "TRUE"', 'scsi0:1.fileName = "gone.vmdk"');
		const { code, stdout } = await vconv('validate', '--to', 'libvirt', '--output=junit', file);
		expect(code).toBe(7);
		const root = parseXml(new TextEncoder().encode(stdout), 'report.xml');
		expect(Object.fromEntries(root.attributes)).toMatchObject({ failures: '2', errors: '0', skipped: '0' });
		expect(root.children[0]?.children.map((test) => test.attributes.get('name'))).toContain('vmware.datastore.missing');
	});

	test('a move that is blocked is an error in JSON too', async () => {
		const { file } = makeMachine('scsi0:1.present = "TRUE"', 'scsi0:1.fileName = "gone.vmdk"');
		const { stderr } = await vconv('validate', '--to', 'libvirt', '--json', file);
		expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'BLOCKED', message: 'Disk image not found', exitCode: 7 } });
	});
});

test('a folder is all machines in it and in its folders, and one that cannot be read is said to be', async () => {
	const { folder } = makeMachine();
	write(folder, 'inner/web.vmx', vmx());
	fs.truncateSync(write(folder, 'inner/web.raw', ''), 8 << 20);
	write(folder, 'broken/broken.xml', '<domain>');
	const { code, report } = await validated('--to', 'libvirt', folder);
	expect(code).toBe(7);
	expect(report.verdicts.map(({ subject }) => path.relative(folder, subject))).toEqual(['web.vmx', path.join('inner', 'web.vmx')]);
	expect(report.failures).toMatchObject([{ problem: { kind: 'corrupt' } }]);
	expect(idsOf(report, 'Critical', 'Warning')).toEqual(expect.arrayContaining(['vconv.vm.name.duplicate', 'vconv.vm.uuid.duplicate']));
});

test('what a rule says to do names options that there are', async () => {
	const { stdout: help } = await vconv('migrate', '--help');
	const { stdout: convertHelp } = await vconv('convert', '--help');
	const own = rules.flatMap(({ id, remedy }) =>
		[...remedy.replaceAll(/`.*?`/g, '').matchAll(/(vconv convert )?(--[a-z-]+)/g)].map(
			([, convert, option]) => [id, convert ? convertHelp : help, option] as const,
		),
	);
	expect(own.filter(([, text, option]) => !text.includes(`${option} `)).map(([id, , option]) => [id, option])).toEqual([]);
});

test('all rules are listed, and no two have one id', async () => {
	const { code, stdout } = await vconv('validate', '--list');
	expect(code).toBe(0);
	expect(
		new Set(
			stdout
				.trimEnd()
				.split('\n')
				.map((line) => line.split(' ')[0]),
		).size,
	).toBe(rules.length);
});

test.each<[number, string[]]>([
	[2, []],
	[2, ['--to', 'libvirt']],
	[2, ['web.vmx', '--to', 'nowhere']],
	[2, ['web.vmx', '--to', 'libvirt', '--accept', 'no.such.rule']],
	[5, ['--to', 'libvirt', 'nowhere.vmx']],
	[5, ['--to', 'libvirt', 'nowhere.qcow2']],
	[3, ['--to', 'libvirt', 'docs/decisions']],
])('exit %d for %j', async (code, argv) => {
	expect((await vconv('validate', ...argv)).code).toBe(code);
});
