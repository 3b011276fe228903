import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { rules } from '../../src/validate/rules/index.ts';
import { vconv } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { emptyDisk, idsOf, makeMachine, validated, vmx, write } from './validate-machine.ts';

describe('what lies beside a description', () => {
	test('tells that the machine runs, is suspended, and has snapshots', async () => {
		const { folder, file } = makeMachine('checkpoint.vmState = "web-1a2b.vmss"');
		fs.mkdirSync(path.join(folder, 'web.vmx.lck'));
		const snapshot = 'snapshot0.uid = "1"\nsnapshot0.displayName = "before"\nsnapshot0.filename = "web-Snapshot1.vmsn"\n';
		write(folder, 'web.vmsd', `.encoding = "UTF-8"\nsnapshot.numSnapshots = "1"\nsnapshot.needConsolidate = "TRUE"\n${snapshot}`);
		write(folder, 'web-Snapshot1.vmem', '');
		const { code, report } = await validated('--to', 'libvirt', file);
		expect(code).toBe(7);
		expect(idsOf(report, 'Critical')).toEqual(['vconv.vm.running', 'vconv.vm.suspended']);
		expect(idsOf(report, 'Warning', 'Information')).toEqual(
			expect.arrayContaining(['vmware.snapshot.detected', 'vconv.snapshot.consolidation', 'ovirt.snapshot.online_memory.detected']),
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

test.each([
	['validate', 'an empty file', '', '--to', 'libvirt'],
	['validate', 'no text', '\u0000\u0001\u0002', '--to', 'libvirt'],
	['inspect', 'words', 'no machine at all'],
])('%s says of %s called .vmx that it is no description', async (command, _what, content, ...more) => {
	const file = write(temporaryFolder(), 'web.vmx', content);
	expect(await vconv(command, file, ...more)).toMatchObject({
		code: 3,
		stderr: expect.stringContaining(`it describes no machine that vconv knows\n  at ${file}\n  try a VMware VMX or libvirt domain XML`),
	});
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

test('a device of the host is no disk that is here, until the user says where its data is', async () => {
	const folder = temporaryFolder();
	const disk = `<disk type='block'><source dev='/dev/nowhere/lun'/><target dev='vda' bus='virtio'/></disk>`;
	const xml = write(
		folder,
		'web.xml',
		`<domain type='kvm'><name>web</name><memory>524288</memory><os><type>hvm</type></os><devices>${disk}</devices></domain>`,
	);
	const copy = emptyDisk(folder, 'copy.raw');
	expect(idsOf((await validated('--to', 'libvirt', xml)).report, 'Critical')).toEqual(['vmware.disk.rdm.detected']);
	const told = await validated('--to', 'libvirt', '--path-map', `/dev/nowhere/lun=${copy}`, xml);
	expect({ code: told.code, critical: idsOf(told.report, 'Critical') }).toEqual({ code: 0, critical: [] });
});

test.each([
	['fullDevice', 'RW 16384 FLAT "/dev/sdb" 0', 'scsi-hardDisk'],
	['partitionedDevice', 'RW 16384 FLAT "\\\\.\\PhysicalDrive1" 0', 'rawDisk'],
	['vmfsRawDeviceMap', 'RW 16384 VMFSRDM "web-rdm.vmdk"', 'scsi-hardDisk'],
	['vmfsPassthroughRawDeviceMap', 'RW 16384 VMFSRDM "web-rdmp.vmdk"', 'rawDisk'],
])('an image that stands for a device of a host is one, until a copy is named: %s', async (createType, extent, deviceType) => {
	const { folder, file } = makeMachine(`scsi0:0.deviceType = "${deviceType}"`);
	fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('"web.raw"', '"web.vmdk"'));
	write(folder, 'web.vmdk', `# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType="${createType}"\n${extent}\n`);
	const { report } = await validated('--to', 'libvirt', file);
	expect(idsOf(report, 'Critical')).toEqual(['vmware.disk.rdm.detected']);
	expect(report.verdicts[0]?.concerns[0]?.evidence).toMatchObject([{ hint: expect.stringMatching(/vmkfstools -i|vconv convert -f raw/) }]);
	expect((await validated('--to', 'libvirt', '--path-map', `web.vmdk=${path.join(folder, 'web.raw')}`, file)).code).toBe(0);
});

test('a machine that names an image with deltas beside it is warned of, and one that names the delta is not', async () => {
	const { folder, file } = makeMachine();
	const at = (name: string): string => path.join(folder, name);
	await vconv('convert', '-O', 'qcow2', at('web.raw'), at('base.qcow2'));
	await vconv('convert', '-O', 'qcow2', '-B', path.relative('.', at('base.qcow2')), '-F', 'qcow2', at('web.raw'), at('top.qcow2'));
	const naming = async (image: string) => {
		fs.writeFileSync(file, vmx().replace('web.raw', image));
		return idsOf((await validated('--to', 'libvirt', file)).report, 'Critical', 'Warning');
	};
	expect(await naming('base.qcow2')).toContain('vconv.image.deltas');
	expect(await naming('top.qcow2')).not.toContain('vconv.image.deltas');
});

test('one image is not two disks, by whichever names', async () => {
	const { folder } = makeMachine();
	const image = path.join(folder, 'web.raw');
	fs.symlinkSync('web.raw', path.join(folder, 'link.raw'));
	for (const other of [image, `${folder}/./web.raw`, path.join(folder, 'link.raw')]) {
		expect(idsOf((await validated('--to', 'libvirt', image, other)).report, 'Critical')).toEqual(['vconv.disk.image.duplicate']);
	}
	fs.copyFileSync(image, path.join(folder, 'copy.raw'));
	expect(idsOf((await validated('--to', 'libvirt', image, path.join(folder, 'copy.raw'))).report, 'Critical')).toEqual([]);
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

test.for([
	['inspect', 'web.vmx'],
	['inspect', 'web.xml'],
	['validate', 'web.vmx', '--to', 'libvirt'],
])('%s says of a %s that is too large that it is no description', async ([command, name, ...more]) => {
	const large = write(temporaryFolder(), name as string, 'config.version = "8"');
	fs.truncateSync(large, 9 << 20);
	expect(await vconv(command as string, large, ...more)).toMatchObject({
		code: 3,
		stderr: expect.stringContaining(`it has ${9 << 20} bytes, and no description of a machine has over ${8 << 20}\n  at ${large}`),
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

test.each(['web.xml', 'web', 'web.txt'])('a VMX called %s is a machine, by what it says', async (name) => {
	const { folder, file } = makeMachine();
	const other = path.join(folder, name);
	fs.renameSync(file, other);
	const [looked, inspected] = [await validated('--to', 'libvirt', other), await vconv('inspect', '--json', other)];
	expect(looked).toMatchObject({ code: 0, report: { verdicts: [{ subject: other }] } });
	expect(JSON.parse(inspected.stdout).disks).toMatchObject([{ image: path.join(folder, 'web.raw') }]);
	if (name.endsWith('.xml')) expect((await validated('--to', 'libvirt', folder)).report.verdicts).toMatchObject([{ subject: other }]);
});

test.each(['a.ovf', 'pom.xml', 'notes.txt'])('%s is no machine and no image, and broken is an image alone', async (name) => {
	const folder = temporaryFolder();
	const file = write(folder, name, name === 'notes.txt' ? 'to do' : '<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"/>');
	const { code, stdout, stderr } = await vconv('validate', '--to', 'libvirt', file);
	expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
	expect(stderr).toContain('it is neither the description of a machine nor an image');
	const disk = write(folder, 'a.qcow2', 'to do');
	expect((await validated('--to', 'libvirt', disk)).code).toBe(7);
	// Beside a machine that could be looked at it is told too.
	const { file: machine } = makeMachine();
	expect((await validated('--to', 'libvirt', machine, file)).report).toMatchObject({
		verdicts: [{ subject: machine }],
		failures: [{ subject: file }],
	});
});

test('a domain called .vmx is a machine, and what a guest wrote into a raw disk is none', async () => {
	const { folder } = makeMachine();
	const domain = `<domain type='kvm'><name>web</name><memory>524288</memory><os><type arch='x86_64'>hvm</type></os><devices>
		<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='web.raw'/><target dev='vda' bus='virtio'/></disk></devices></domain>`;
	for (const name of ['db.vmx', 'db']) expect((await validated('--to', 'esxi', write(folder, name, domain))).code).toBe(0);
	for (const argv of [['db.raw'], ['-f', 'raw', 'db']]) {
		const disk = write(folder, argv.at(-1) as string, domain.padEnd(1 << 20, ' '));
		const { disks } = JSON.parse((await vconv('inspect', '--json', ...argv.slice(0, -1), disk)).stdout);
		expect(disks).toMatchObject([{ image: disk }]);
	}
});

test('a folder passes over no file that is called as a VMX is, and over no link, and follows none out of it unasked', async () => {
	const { folder } = makeMachine();
	write(folder, 'empty.vmx', '');
	write(folder, 'zeros.vmx', Buffer.alloc(3000));
	write(folder, 'wide.vmx', Buffer.from(vmx(), 'utf16le'));
	write(folder, 'other.xml', '<other/>');
	const { code, report } = await validated('--to', 'libvirt', folder);
	const seen = ({ verdicts, failures }: typeof report) => [...verdicts, ...failures].map(({ subject }) => path.basename(subject));
	expect({ code, seen: seen(report) }).toEqual({ code: 7, seen: ['web.vmx', 'empty.vmx', 'wide.vmx', 'zeros.vmx'] });
	const links = temporaryFolder();
	fs.symlinkSync(path.join(folder, 'web.raw'), path.join(links, 'a.raw'));
	const out = await vconv('validate', '--to', 'libvirt', links);
	expect(out).toMatchObject({ code: 5, stderr: expect.stringContaining(`--allow-external ${fs.realpathSync(folder)}`) });
	for (const more of [['--allow-external', folder], [path.join(folder, 'web.raw')], [folder]]) {
		expect(
			(await validated('--to', 'libvirt', links, ...more)).report.failures.filter(({ problem }) => problem.kind === 'refused'),
		).toEqual([]);
	}
	fs.rmSync(path.join(links, 'a.raw'));
	fs.mkdirSync(path.join(links, 'inner'));
	emptyDisk(path.join(links, 'inner'), 'a.raw');
	fs.symlinkSync('inner/a.raw', path.join(links, 'a.raw'));
	fs.symlinkSync('nowhere.raw', path.join(links, 'b.raw'));
	fs.symlinkSync('.', path.join(links, 'loop.raw'));
	emptyDisk(links, 'c.raw');
	const followed = await validated('--to', 'libvirt', links);
	expect({ code: followed.code, seen: seen(followed.report) }).toEqual({ code: 7, seen: ['a.raw', 'c.raw', 'b.raw'] });
	expect((await validated('--to', 'libvirt', '--untrusted', links)).report.failures).toMatchObject([
		{ problem: { kind: 'refused', message: expect.stringContaining('link') } },
		{ problem: { kind: 'refused' } },
	]);
});

test('what several names lead to is one machine, and one image', async () => {
	const { folder, file } = makeMachine();
	const link = path.join(temporaryFolder(), 'link');
	fs.symlinkSync(folder, link);
	const { code, report } = await validated(
		'--to',
		'libvirt',
		file,
		folder,
		path.join(folder, '..', path.basename(folder), 'web.vmx'),
		link,
	);
	expect({ code, subjects: report.verdicts.map(({ subject }) => subject) }).toEqual({ code: 0, subjects: [file] });
	const image = path.join(folder, 'web.raw');
	fs.rmSync(file);
	expect((await validated('--to', 'libvirt', link, image)).report.verdicts).toHaveLength(1);
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
