import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { machineFormats } from '../../formats/machines.ts';
import { AccessError, UnrecognizedError, UnsupportedError } from '../../src/errors.ts';
import { convertFile, gate, gatherFacts, migrate, planMigration } from '../../src/node/index.ts';
import { patternBytes } from '../helpers/pattern.ts';
import { run, sharedFolder, temporaryFolder } from '../helpers/programs.ts';
import { kvmWith } from '../machine/kvm-sample.ts';

const MiB = 1 << 20;

const onTarget = (type: string, source: string): string =>
	`<disk type='${type}' device='disk'><driver name='qemu' type='raw'/>${source}<target dev='vda' bus='virtio'/></disk>`;

/** A folder with a domain of one disk. */
const domain = (disk: string): string => {
	const folder = temporaryFolder();
	fs.writeFileSync(path.join(folder, 'web.xml'), kvmWith(disk));
	return folder;
};

const network = (protocol: string, name: string, host = ''): string =>
	onTarget('network', `<source protocol='${protocol}' name='${name}'>${host}</source>`);

const elsewhere = [
	['an RBD image', network('rbd', 'pool/image', "<host name='mon' port='6789'/>"), /rbd export pool\/image vda\.raw.*--path-map rbd:/],
	[
		'an iSCSI target',
		network('iscsi', 'iqn.2013-07.com.example:a/1', "<host name='h' port='3260'/>"),
		/qemu-img convert .* iscsi:\/\/h:3260/,
	],
	['a download', network('https', 'it&apos;s.img', "<host name='h' port='443'/>"), /curl -o vda\.img 'https:\/\/h:443\/it'\\''s\.img'/],
	[
		'a download that wants more',
		onTarget('network', "<source protocol='https' name='a.img' query='sig=hunter2'><host name='u:hunter2@h'/></source>"),
		/^curl -o vda\.img 'https:\/\/\*\*\*@h\/a\.img' with the domain's query \(not shown here\), and then/,
	],
	['a volume', onTarget('volume', "<source pool='default' volume='web.img'/>"), /virsh vol-path --pool default web\.img/],
	['an NVMe drive of the host', onTarget('nvme', "<source type='pci' namespace='1'/>"), /a copy of it in a file, and --path-map/],
	['a folder', onTarget('dir', "<source dir='/srv'/>"), /a copy of it in a file, and --path-map/],
] as const;

describe('a disk that is in no file', () => {
	test.for(elsewhere)('is refused with what to do: %s', async ([, disk, hint]) => {
		const folder = domain(disk);
		const planning = planMigration(folder, path.join(folder, 'out'), { to: 'esxi' });
		await expect(planning).rejects.toThrow(UnsupportedError);
		await expect(planning).rejects.toMatchObject({ exitCode: 3, field: 'devices/disk', hint: expect.stringMatching(hint) });
	});

	test('is told without the user and the query of its address, and so is what is beneath another', async () => {
		const source = "<source protocol='https' name='a.img?sig=hunter2'><host name='u:hunter2@h'/></source>";
		const beneath = (format: string) =>
			`<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='a.qcow2'/><backingStore type='network'>${format}${source}</backingStore><target dev='vda' bus='virtio'/></disk>`;
		for (const disk of [onTarget('network', source), beneath(''), beneath("<format type='raw'/>")]) {
			const folder = domain(disk);
			fs.writeFileSync(path.join(folder, 'base.raw'), patternBytes(0, MiB));
			const [top, base] = [path.join(folder, 'a.qcow2'), path.join(folder, 'base.raw')];
			await convertFile(base, top, { format: 'qcow2', backing: base, backingFormat: 'raw' });
			const planning = planMigration(folder, path.join(folder, 'out'), { to: 'esxi' });
			await expect(planning).rejects.toThrow('https://***@h/a.img?***');
			await expect(planning).rejects.not.toThrow('hunter2');
		}
	});

	test('is taken from where the user says', async () => {
		const folder = domain(network('rbd', 'pool/image'));
		const copy = path.join(folder, 'copy.raw');
		fs.writeFileSync(copy, patternBytes(0, MiB));
		const out = path.join(folder, 'out');
		await migrate(folder, out, { to: 'esxi', pathMap: [{ from: 'rbd:pool/image', to: copy }] });
		expect(fs.readFileSync(path.join(out, 'x-disk1-flat.vmdk')).equals(fs.readFileSync(copy))).toBe(true);
	});
});

describe('a disk whose bytes do not say its format', () => {
	/** What a user is told of it. */
	const hintFor = async (description: string, text: string): Promise<string> => {
		const folder = temporaryFolder();
		fs.writeFileSync(path.join(folder, description), text);
		fs.writeFileSync(path.join(folder, 'bytes.raw'), patternBytes(0, MiB));
		await convertFile(path.join(folder, 'bytes.raw'), path.join(folder, 'web.img'), { format: 'qcow2' });
		const to = description === 'web.xml' ? 'esxi' : 'libvirt';
		const error: unknown = await planMigration(path.join(folder, description), path.join(folder, 'out'), { to }).catch((caught) => caught);
		expect(error).toBeInstanceOf(UnrecognizedError);
		return (error as UnrecognizedError).hint ?? '';
	};

	test('is described by its domain', async () => {
		const disk = "<disk type='file' device='disk'><source file='web.img'/><target dev='vda' bus='virtio'/></disk>";
		expect(await hintFor('web.xml', kvmWith(disk))).toBe(
			"<driver type='raw'/> in the domain for the bytes as they are, or <driver type='qcow2'/> in the domain",
		);
	});

	test('becomes one that a VMX can name', async () => {
		const lines = ['displayName = "web"', 'memsize = "512"', 'ide0:0.present = "TRUE"', 'ide0:0.fileName = "web.img"'];
		expect(await hintFor('web.vmx', lines.join('\n'))).toContain('or a VMDK that vconv convert -f qcow2 makes of it');
	});
});

describe('what a domain says that an image is made of', () => {
	const at = sharedFolder();
	const beneath = (name: string, format = 'raw'): string =>
		`<backingStore type='file'><format type='${format}'/><source file='${at(name)}'/><backingStore/></backingStore>`;

	/** A plan for one disk, with more than its source. */
	const planWith = async (image: string, more: string, slices = '') => {
		const format = path.extname(image).slice(1);
		const source = `<driver name='qemu' type='${format}'/><source file='${at(image)}'>${slices}</source>`;
		const disk = `<disk type='file' device='disk'>${source}${more}<target dev='vda' bus='virtio'/></disk>`;
		fs.writeFileSync(at('web.xml'), kvmWith(disk));
		return planMigration(at('web.xml'), at('out'), { to: 'esxi' });
	};

	beforeAll(async () => {
		fs.writeFileSync(at('one.raw'), patternBytes(0, MiB));
		fs.writeFileSync(at('two.raw'), patternBytes(1, MiB));
		fs.writeFileSync(at('top.raw'), patternBytes(2, MiB));
		await convertFile(at('top.raw'), at('overlay.qcow2'), { format: 'qcow2', backing: at('one.raw'), backingFormat: 'raw' });
		await convertFile(at('top.raw'), at('whole.qcow2'), { format: 'qcow2' });
	});

	const slice = "<slices><slice type='storage' offset='65536' size='65536'/></slices>";

	test.for([
		['a part of a file', 'one.raw', '', slice, /vda is but a part of/],
		['another image beneath', 'overlay.qcow2', beneath('two.raw'), '', /two\.raw' beneath it by the domain, and .*one\.raw by its image/],
		['another format beneath', 'overlay.qcow2', beneath('one.raw', 'qcow2'), '', /as qcow2 by the domain, and as raw by its image/],
		['nothing beneath', 'overlay.qcow2', '<backingStore/>', '', /ends with .* by the domain, and has .*one\.raw beneath/],
		['an image beneath a whole one', 'whole.qcow2', beneath('one.raw'), '', /by the domain, and nothing by its image/],
		['its data elsewhere', 'whole.qcow2', `<dataStore type='file'><source file='one.raw'/></dataStore>`, '', /has its data in/],
	] as const)('is refused where the image says otherwise: %s', async ([, image, more, slices, message]) => {
		const error = await planWith(image, more, slices).catch((caught: unknown) => caught);
		expect(error).toBeInstanceOf(UnsupportedError);
		expect((error as Error).message).toMatch(message);
	});

	test('is taken where the image says the same', async () => {
		const { disks, report } = await planWith('overlay.qcow2', beneath('one.raw'));
		expect(disks[0]?.chain).toHaveLength(2);
		expect(report.filter(({ code }) => code === 'DISK_CHAIN_LOST')).toEqual([]);
		expect((await planWith('whole.qcow2', '<backingStore/>')).disks).toHaveLength(1);
	});

	test('is a problem of the disk in a validation', async () => {
		await expect(planWith('overlay.qcow2', '<backingStore/>')).rejects.toThrow();
		const { disks } = await gatherFacts([at('web.xml')], { opening: { formats: diskFormats, gate: gate() }, machineFormats });
		expect(disks[0]?.problem).toMatchObject({ kind: 'unsupported', message: expect.stringContaining('by the domain') });
	});
});

test.each([
	['esxi', 'vdi', /takes vmdk, and -O says vdi$/, '-O vmdk'],
	['libvirt', 'vdi', /takes qcow2 or raw, and -O says vdi$/, '-O qcow2 or -O raw'],
	['workstation', 'raw', /takes vmdk, and -O says raw$/, '-O vmdk'],
] as const)('%s takes no disks in %s', async (to, format, message, hint) => {
	const disk = onTarget('file', "<source file='web.raw'/>");
	const lines = ['displayName = "web"', 'memsize = "512"', 'ide0:0.present = "TRUE"', 'ide0:0.fileName = "web.vmdk"'];
	const folder = domain(disk);
	fs.writeFileSync(path.join(folder, 'web.raw'), patternBytes(0, MiB));
	await convertFile(path.join(folder, 'web.raw'), path.join(folder, 'web.vmdk'));
	fs.writeFileSync(path.join(folder, 'web.vmx'), lines.join('\n'));
	const vm = path.join(folder, to === 'libvirt' ? 'web.vmx' : 'web.xml');
	const planning = planMigration(vm, path.join(folder, 'out'), { to, format });
	await expect(planning).rejects.toThrow(message);
	await expect(planning).rejects.toMatchObject({ exitCode: 2, hint });
});

const [device] = fs.existsSync('/dev')
	? fs.readdirSync('/dev').filter((name) => fs.statSync(`/dev/${name}`, { throwIfNoEntry: false })?.isBlockDevice())
	: [];

test('a device of this computer is not read because a description names it', async ({ skip }) => {
	skip(device === undefined, 'this computer has no block device');
	const folder = domain(onTarget('block', `<source dev='/dev/${device}'/>`));
	const planning = planMigration(folder, path.join(folder, 'out'), { to: 'esxi' });
	await expect(planning).rejects.toThrow(AccessError);
	await expect(planning).rejects.toMatchObject({ hint: expect.stringContaining(`--path-map /dev/${device}=/dev/${device}`) });
});

test('a device of this computer is a disk where the user says so', async ({ skip }) => {
	const folder = temporaryFolder();
	const image = path.join(folder, 'image');
	fs.writeFileSync(image, patternBytes(0, MiB));
	const made = spawnSync('losetup', ['--find', '--show', '--read-only', image], { encoding: 'utf8' });
	skip(made.status !== 0, 'no loop device is to be had');
	const name = made.stdout.trim();
	onTestFinished(() => void run('losetup', '--detach', name));
	fs.writeFileSync(path.join(folder, 'web.xml'), kvmWith(onTarget('block', `<source dev='${name}'/>`)));
	const out = path.join(folder, 'out');
	const report = await migrate(folder, out, { to: 'esxi', pathMap: [{ from: name, to: name }] });
	expect(report.concerns).not.toContainEqual(expect.objectContaining({ id: 'vmware.disk.rdm.detected' }));
	expect(fs.readFileSync(path.join(out, 'x-disk1-flat.vmdk')).equals(fs.readFileSync(image))).toBe(true);
});

test("an optical drive of VMware's host is a drive without an image, and no disk that is missing", async () => {
	const folder = temporaryFolder();
	fs.writeFileSync(path.join(folder, 'raw'), patternBytes(0, MiB));
	await convertFile(path.join(folder, 'raw'), path.join(folder, 'web.vmdk'), { inputFormat: 'raw' });
	const lines = [
		...['displayName = "web"', 'guestOS = "debian12-64"', 'sata0.present = "TRUE"'],
		...['sata0:0.present = "TRUE"', 'sata0:0.fileName = "web.vmdk"'],
		...['sata0:1.present = "TRUE"', 'sata0:1.deviceType = "cdrom-raw"', 'sata0:1.fileName = "emptyBackingString"'],
		...['ide1:0.present = "TRUE"', 'ide1:0.deviceType = "cdrom-raw"', 'ide1:0.fileName = "auto detect"'],
	];
	fs.writeFileSync(path.join(folder, 'web.vmx'), `${lines.join('\n')}\n`);
	const { disks, spec } = await planMigration(folder, path.join(folder, 'out'), { to: 'libvirt' });
	expect(disks).toHaveLength(1);
	expect(spec.disks.map(({ kind }) => kind)).toEqual(['disk', 'cdrom', 'cdrom']);
});

test('a disk that is not there is refused with the folders where VMware would look for it, and is found by the way that is told', async () => {
	const folder = temporaryFolder();
	fs.mkdirSync(path.join(folder, 'redo'));
	fs.writeFileSync(path.join(folder, 'raw'), patternBytes(0, MiB));
	const image = path.join(folder, 'redo/web.vmdk');
	await convertFile(path.join(folder, 'raw'), image, { inputFormat: 'raw' });
	const lines = [
		'displayName = "web"',
		'workingDir = "redo"',
		'scsi0.present = "TRUE"',
		'scsi0:0.present = "TRUE"',
		'scsi0:0.fileName = "web.vmdk"',
	];
	fs.writeFileSync(path.join(folder, 'web.vmx'), lines.join('\n'));
	const planning = (pathMap: readonly { from: string; to: string }[]) =>
		planMigration(folder, path.join(folder, 'out'), { to: 'libvirt', pathMap });
	await expect(planning([])).rejects.toMatchObject({
		message: "its disk scsi0:0, 'web.vmdk', is not there; its workingDir, which is not searched, is 'redo'",
		hint: expect.stringContaining("--path-map 'web.vmdk=WHERE IT IS'"),
	});
	expect((await planning([{ from: 'web.vmdk', to: image }])).disks).toHaveLength(1);
});
