import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { convertFile, migrate, planMigration } from '../../src/node/index.ts';
import { openLocked, unlock } from '../../src/node/lock.ts';
import { type MigrateFilesOptions, runMigration } from '../../src/node/migrate/migrate.ts';
import { vconv } from '../helpers/cli.ts';
import { patternBytes } from '../helpers/pattern.ts';
import { temporaryFolder } from '../helpers/programs.ts';

const MiB = 1 << 20;

const card = ['ethernet0.present = "TRUE"', 'ethernet0.addressType = "static"', 'ethernet0.address = "00:50:56:11:22:33"'];
const disk = (unit: number, file: string) => [`scsi0:${unit}.present = "TRUE"`, `scsi0:${unit}.fileName = "${file}"`];

/** A folder `web` with a VMX and the disks that it names, each with bytes of its own. */
const machine = async (more: readonly string[] = [], disks = ['web.vmdk', 'data.vmdk']): Promise<string> => {
	const folder = path.join(temporaryFolder(), 'web');
	fs.mkdirSync(folder);
	const said = disks.flatMap((file, unit) => disk(unit, file));
	const lines = ['displayName = "web"', 'guestOS = "debian12-64"', 'memsize = "512"', 'scsi0.present = "TRUE"', ...said, ...card, ...more];
	fs.writeFileSync(path.join(folder, 'web.vmx'), `${lines.join('\n')}\n`);
	const raw = path.join(folder, '.raw');
	for (const [index, file] of disks.entries()) {
		const bytes = new Uint8Array(4 * MiB);
		bytes.set(patternBytes(index * MiB, MiB), MiB);
		fs.writeFileSync(raw, bytes);
		await convertFile(raw, path.join(folder, path.basename(file.replace(/^\[.*\] /, ''))), { inputFormat: 'raw', format: 'vmdk' });
	}
	fs.rmSync(raw);
	return folder;
};

const out = (vm: string, name = 'out'): string => path.join(path.dirname(vm), name);
const read = (folder: string, name: string): string => fs.readFileSync(path.join(folder, name), 'utf8');
const files = (folder: string): string[] => fs.readdirSync(folder).sort();
const FILES = ['README.txt', 'report.json', 'web-disk1.qcow2', 'web-disk2.qcow2', 'web.xml'];

test('a machine becomes a domain with its disks beside it, in their order, and is the same again on the way back', async () => {
	const vm = await machine();
	const report = await migrate(vm, out(vm), { to: 'libvirt' });
	expect(files(out(vm))).toEqual(FILES);
	const xml = read(out(vm), 'web.xml');
	expect([...xml.matchAll(/<source file='(.*?)'/g)].map((match) => match[1])).toEqual([
		path.join(out(vm), 'web-disk1.qcow2'),
		path.join(out(vm), 'web-disk2.qcow2'),
	]);
	expect(xml).toContain("<mac address='00:50:56:11:22:33'/>");
	expect(report).toMatchObject({ name: 'web', to: 'libvirt', disks: [{ id: 'scsi0:0', verified: 'full' }, { id: 'scsi0:1' }] });
	expect(JSON.parse(read(out(vm), 'report.json'))).toEqual(JSON.parse(JSON.stringify(report)));
	expect(read(out(vm), 'README.txt')).toContain(`virsh define ${path.join(out(vm), 'web.xml')}\n`);

	const back = out(vm, 'back');
	await migrate(out(vm), back, { to: 'esxi' });
	expect(files(back).filter((name) => name.endsWith('.vmdk'))).toEqual([
		'web-disk1-flat.vmdk',
		'web-disk1.vmdk',
		'web-disk2-flat.vmdk',
		'web-disk2.vmdk',
	]);
	expect(read(back, 'web.vmx')).toMatch(/scsi0:0\.fileName = "web-disk1.vmdk"\n(.*\n)*scsi0:1\.fileName = "web-disk2.vmdk"/);
	for (const [index, name] of ['web', 'data'].entries()) {
		expect((await vconv('compare', path.join(vm, `${name}.vmdk`), path.join(back, `web-disk${index + 1}.vmdk`))).code).toBe(0);
	}
});

test('nothing is written by a dry run, which says what would be', async () => {
	const vm = await machine();
	const { code, stdout } = await vconv('migrate', '--to', 'libvirt', '--dry-run', '--images', '/vms', vm, out(vm));
	expect(code).toBe(0);
	expect(stdout).toMatch(/scsi0:1 {2}\S*data\.vmdk \(vmdk, 4 MiB\)\n {4}becomes web-disk2\.qcow2 .* vdb on virtio\n/);
	expect(stdout).toContain('00:50:56:11:22:33');
	const json = JSON.parse((await vconv('migrate', '--to', 'libvirt', '-n', '--json', vm, out(vm))).stdout);
	expect(json).toMatchObject({ 'virtual-size': 8 * MiB, blocking: [], disks: [{ format: 'qcow2', bus: 'virtio' }, {}] });
	expect(fs.existsSync(out(vm))).toBe(false);
});

test('an option for machines of the other kind has no effect, and a note says so', async () => {
	const vm = await machine();
	const { code, stderr } = await vconv('migrate', '--to', 'libvirt', '-n', '--guest-os', 'other', vm, out(vm));
	expect(code).toBe(0);
	expect(stderr).toContain("note: --guest-os has no effect; it is for a machine of VMware's");
});

test('format, name and the folder on the host are as the user says', async () => {
	const vm = await machine();
	const argv = ['-O', 'raw', '--name', "it's $(me)", '--images', '/srv/my vms', '--verify', 'none', vm, out(vm)];
	expect(await vconv('migrate', '--to', 'libvirt', '-q', ...argv)).toMatchObject({ code: 0, stderr: '' });
	expect(files(out(vm))).toContain('it-s-me-disk1.raw');
	const xml = read(out(vm), 'it-s-me.xml');
	expect(xml).toContain("<source file='/srv/my vms/it-s-me-disk1.raw'/>");
	expect(xml).toContain("type='raw'");
	expect(read(out(vm), 'README.txt')).toContain("virsh start 'it'\\''s $(me)'\n");
	expect(JSON.parse(read(out(vm), 'report.json')).disks[0].verified).toBe('none');
});

test('a name that looks like an option is none for virsh', async () => {
	const vm = await machine();
	await vconv('migrate', '--to', 'libvirt', '-q', '--name=--web', vm, out(vm));
	expect(read(out(vm), 'README.txt')).toContain('virsh start --domain=--web\n');
});

describe('a machine that cannot be moved as it is, is refused by name, and nothing is there', () => {
	const refused = async (vm: string, argv: readonly string[], code: number, message: RegExp) => {
		const ran = await vconv('migrate', '--to', 'libvirt', ...argv, vm, out(vm));
		expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
		expect(fs.existsSync(out(vm))).toBe(false);
	};

	test('one that runs', async () => {
		const vm = await machine();
		fs.mkdirSync(path.join(vm, 'web.vmx.lck'));
		await refused(vm, [], 3, /running[\s\S]*--allow-running/);
		expect((await vconv('migrate', '--to', 'libvirt', '--allow-running', vm, out(vm))).code).toBe(0);
	});

	test('one that is suspended', async () => {
		const vm = await machine();
		fs.writeFileSync(path.join(vm, 'web-1a2b3c4d.vmem'), '');
		await refused(vm, [], 3, /suspended[\s\S]*--discard-suspend/);
	});

	test('one that is encrypted', async () => refused(await machine(['encryption.keySafe = "vmware:key/x"']), [], 3, /encrypted/));

	test('one without a disk that it names', async () => {
		const vm = await machine(disk(3, '[store1] web/more.vmdk'));
		await refused(vm, [], 5, /scsi0:3, '\[store1\] web\/more\.vmdk', is not there[\s\S]*--path-map '\[store1\]=/);
		const elsewhere = path.join(path.dirname(vm), 'web2', 'web');
		fs.mkdirSync(elsewhere, { recursive: true });
		fs.copyFileSync(path.join(vm, 'data.vmdk'), path.join(elsewhere, 'more.vmdk'));
		const mapped = await vconv('migrate', '--to', 'libvirt', '--path-map', `[store1]=${path.dirname(elsewhere)}`, vm, out(vm));
		expect(mapped.code).toBe(0);
		expect(files(out(vm))).toContain('web-disk3.qcow2');
	});

	test('one with a disk in another folder, unless that is allowed', async () => {
		const vm = await machine(disk(3, '/etc/hostname'));
		await refused(vm, [], 5, /outside its own folder[\s\S]*--allow-external/);
	});

	test('one that a link in the folder describes, out of it, unless that is allowed', async () => {
		const vm = await machine();
		const elsewhere = path.join(path.dirname(vm), 'elsewhere.vmx');
		fs.renameSync(path.join(vm, 'web.vmx'), elsewhere);
		fs.symlinkSync(elsewhere, path.join(vm, 'web.vmx'));
		await refused(vm, [], 5, /symbolic link, to .*elsewhere\.vmx, outside the folder[\s\S]*--allow-external/);
		await refused(vm, ['--untrusted', '--allow-external', path.dirname(vm)], 5, /--untrusted follows none/);
		const plan = ['migrate', '--to', 'libvirt', '-n', vm, out(vm)];
		expect((await vconv(...plan, '--allow-external', path.dirname(vm))).code).toBe(0);
	});

	test('one that something critical stands against, unless that is accepted', async () => {
		const vm = await machine(disk(3, 'data.vmdk'));
		await refused(vm, [], 7, /try this: correct the description, or name each image once; or --accept vconv\.disk\.image\.duplicate;/);
		expect((await vconv('migrate', '--to', 'libvirt', '--accept', 'vconv.disk.image.duplicate', vm, out(vm))).code).toBe(0);
	});

	test('one with an image for which something is to be done, which is said', async () => {
		const vm = await machine();
		const plan = await planMigration(vm, out(vm), { to: 'libvirt' });
		const evidence = [{ what: 'its log is full', hint: 'vconv check --repair' }];
		const concern = {
			id: 'x',
			category: 'Critical',
			label: 'Full',
			assessment: '',
			remedy: 'Empty it.',
			target: 'libvirt',
			evidence,
		} as const;
		await expect(runMigration({ ...plan, blocking: [concern] }, out(vm), { to: 'libvirt' })).rejects.toMatchObject({
			message: 'Full: its log is full',
			hint: 'vconv check --repair; or --accept x; --dry-run shows all that is in the way',
		});
	});

	test('none of several, one of the same hypervisor, and one that nobody says a place for', async () => {
		const vm = await machine();
		fs.copyFileSync(path.join(vm, 'web.vmx'), path.join(vm, 'copy.vmx'));
		await refused(vm, [], 2, /2 files[\s\S]*copy\.vmx, web\.vmx/);
		fs.rmSync(path.join(vm, 'copy.vmx'));
		expect((await vconv('migrate', '--to', 'esxi', vm, out(vm))).code).toBe(2);
		expect((await vconv('migrate', vm, out(vm))).stderr).toContain('--to libvirt or esxi');
	});
});

test('disks on a datastore are found beside the VMX', async () => {
	const vm = await machine([], ['[store1] web/web.vmdk']);
	const { code, stderr } = await vconv('migrate', '--to', 'libvirt', vm, out(vm));
	expect(code).toBe(0);
	expect(stderr).toContain("there is no '[store1] web/web.vmdk'");
});

test('what is there is not replaced unasked, and no half of a machine is left beside it', async () => {
	const vm = await machine();
	fs.mkdirSync(out(vm));
	fs.writeFileSync(path.join(out(vm), 'web.xml'), 'mine');
	expect(await vconv('migrate', '--to', 'libvirt', vm, out(vm))).toMatchObject({ code: 5, stderr: expect.stringContaining('--force') });
	expect(files(out(vm))).toEqual(['web.xml']);
	expect(read(out(vm), 'web.xml')).toBe('mine');
	expect((await vconv('migrate', '--to', 'libvirt', '--force', vm, out(vm))).code).toBe(0);
	expect(files(out(vm))).toEqual(FILES);
});

test('a rule that there is none of is not accepted', async () => {
	const vm = await machine();
	expect(await vconv('migrate', '--to', 'libvirt', '-n', '--accept', 'nosuchrule', vm, out(vm))).toMatchObject({
		code: 2,
		stderr: expect.stringMatching(/no rule 'nosuchrule'\n.*vconv validate --list/),
	});
	expect((await vconv('migrate', '--to', 'libvirt', '-n', '--accept', 'vconv.vm.running', vm, out(vm))).code).toBe(0);
});

test('nothing is written over what is read, though it is in the way', async () => {
	const vm = await machine([], ['web-disk1.qcow2']);
	const migrating = (source: string) => vconv('migrate', '--to', 'libvirt', '--force', source, vm);
	const before = fs.readFileSync(path.join(vm, 'web-disk1.qcow2'));
	expect(await migrating(vm)).toMatchObject({ code: 2, stderr: expect.stringContaining('the disk scsi0:0 and web-disk1.qcow2 of DIR') });
	expect(fs.readFileSync(path.join(vm, 'web-disk1.qcow2')).equals(before)).toBe(true);
	fs.renameSync(path.join(vm, 'web-disk1.qcow2'), path.join(vm, 'web.vmdk'));
	const text = read(vm, 'web.vmx').replace('web-disk1.qcow2', 'web.vmdk');
	fs.writeFileSync(path.join(vm, 'web.xml'), text);
	expect(await migrating(path.join(vm, 'web.xml'))).toMatchObject({ code: 2, stderr: expect.stringContaining('VM and web.xml of DIR') });
	expect(read(vm, 'web.xml')).toBe(text);
});

describe('an interrupted migration', () => {
	/** Stop it when it is that far, of all bytes. */
	const stopped = async (vm: string, share: number, more: Partial<MigrateFilesOptions> = {}) => {
		const controller = new AbortController();
		let kept: string | undefined;
		const work = migrate(vm, out(vm), {
			to: 'libvirt',
			signal: controller.signal,
			onProgress: ({ done, total }) => done >= total * share && controller.abort(new Error('enough')),
			onKept: (folder) => {
				kept = folder;
			},
			...more,
		});
		await expect(work).rejects.toThrow('enough');
		return kept;
	};

	test('goes on with the same call: disks that are done are not done again', async () => {
		const vm = await machine();
		expect(await stopped(vm, 0.8)).toBe(path.join(out(vm), '.vconv-migration'));
		expect(files(out(vm))).toEqual(['.vconv-migration']);
		const staged = path.join(out(vm), '.vconv-migration', 'web-disk1.qcow2');
		const { ino } = fs.statSync(staged);
		await migrate(vm, out(vm), { to: 'libvirt' });
		expect(files(out(vm))).toEqual(FILES);
		expect(fs.statSync(path.join(out(vm), 'web-disk1.qcow2')).ino).toBe(ino);
	});

	test.for([
		['the source has changed', (vm: string) => fs.utimesSync(path.join(vm, 'web.vmdk'), 1, 1)],
		['the copy was touched', (vm: string) => fs.utimesSync(path.join(out(vm), '.vconv-migration', 'web-disk1.qcow2'), 1, 1)],
	] as const)('does a disk again if %s', async ([, change]) => {
		const vm = await machine();
		await stopped(vm, 0.8);
		const staged = path.join(out(vm), '.vconv-migration', 'web-disk1.qcow2');
		const { ino } = fs.statSync(staged);
		change(vm);
		const keep = fs.openSync(staged, 'r'); // so that its number is not given again
		await migrate(vm, out(vm), { to: 'libvirt' });
		fs.closeSync(keep);
		expect(fs.statSync(path.join(out(vm), 'web-disk1.qcow2')).ino).not.toBe(ino);
	});

	test('is not mixed up with that of another machine', async () => {
		const vm = await machine();
		await stopped(vm, 0.8);
		const other = await machine();
		await expect(migrate(other, out(vm), { to: 'libvirt' })).rejects.toThrow('another machine');
		await migrate(other, out(vm), { to: 'libvirt', restart: true });
		expect(files(out(vm))).toEqual(FILES);
	});

	/** As if it had been killed while it gave names, of which it has given some; `noted` changes what it has put down of that. */
	const killedGiving = async (
		vm: string,
		given: readonly string[],
		noted: (names: Record<string, string>) => unknown = (names) => names,
	) => {
		await stopped(vm, 0.8);
		const at = (name: string) => path.join(out(vm), '.vconv-migration', name);
		for (const name of ['web-disk2.qcow2', 'report.json', 'README.txt', 'web.xml']) fs.writeFileSync(at(name), 'done');
		const versions = FILES.map((name) => {
			const { ino, size, mtimeNs } = fs.statSync(at(name), { bigint: true });
			return [name, `${ino} ${size} ${mtimeNs}`];
		});
		for (const name of given) fs.linkSync(at(name), path.join(out(vm), name));
		const state = JSON.parse(fs.readFileSync(at('state.json'), 'utf8'));
		fs.writeFileSync(at('state.json'), JSON.stringify({ ...state, publishing: noted(Object.fromEntries(versions)) }));
	};

	test('is finished where it was giving names', async () => {
		const vm = await machine();
		await killedGiving(vm, ['web-disk1.qcow2', 'report.json']);
		await migrate(vm, out(vm), { to: 'libvirt' });
		expect(files(out(vm))).toEqual(FILES);
	});

	test('takes no file for one that it has given its name, but that very file', async () => {
		const vm = await machine();
		await killedGiving(vm, ['report.json']);
		fs.writeFileSync(path.join(out(vm), 'web.xml'), 'mine');
		await expect(migrate(vm, out(vm), { to: 'libvirt' })).rejects.toMatchObject({ path: path.join(out(vm), 'web.xml'), exitCode: 5 });
		expect(files(out(vm))).toEqual(['.vconv-migration', 'report.json', 'web.xml']);
		expect(read(out(vm), 'web.xml')).toBe('mine');
	});

	test.for([
		['names that are none of its own', (names: object) => ({ ...names, '../precious.txt': '1 2 3' }), 5, /precious\.txt[\s\S]*--restart/],
		['a list of names', () => ['mine.txt', '../precious.txt'], 5, /not what vconv notes[\s\S]*--restart/],
	] as const)('touches nothing if what is noted of it has %s', async ([, noted, code, message]) => {
		const vm = await machine();
		await killedGiving(vm, ['report.json'], noted);
		const precious = path.join(path.dirname(vm), 'precious.txt');
		fs.writeFileSync(precious, 'precious');
		fs.writeFileSync(path.join(out(vm), 'mine.txt'), 'mine');
		const before = fs.readdirSync(path.join(out(vm), '.vconv-migration'));
		const run = await vconv('migrate', '--to', 'libvirt', vm, out(vm));
		expect(run).toMatchObject({ code, stderr: expect.stringMatching(message) });
		expect(files(out(vm))).toEqual(['.vconv-migration', 'mine.txt', 'report.json']);
		expect(fs.readdirSync(path.join(out(vm), '.vconv-migration'))).toEqual(before);
		await expect(migrate(vm, out(vm), { to: 'libvirt', restart: true, force: true })).resolves.toMatchObject({ name: 'web' });
		expect(fs.readFileSync(precious, 'utf8')).toBe('precious');
		expect(files(out(vm))).toEqual([...FILES, 'mine.txt'].sort());
	});

	test.for(['{"tool":"1"}', 'null', '{', ''])('is refused if what is noted of it is %s', async (text) => {
		const vm = await machine();
		await stopped(vm, 0.8);
		fs.writeFileSync(path.join(out(vm), '.vconv-migration', 'state.json'), text);
		await expect(migrate(vm, out(vm), { to: 'libvirt' })).rejects.toMatchObject({
			exitCode: 5,
			hint: expect.stringContaining('--restart'),
		});
	});

	test('that is at work keeps others out', async () => {
		const vm = await machine();
		await stopped(vm, 0.8);
		const lock = await openLocked(path.join(out(vm), '.vconv-migration', 'lock'));
		expect((await vconv('migrate', '--to', 'libvirt', vm, out(vm))).code).toBe(75);
		if (lock === undefined) throw new Error('it is locked already');
		unlock(lock);
		fs.closeSync(lock);
	});

	test('of which nothing is worth keeping leaves nothing', async () => {
		const vm = await machine();
		await expect(migrate(vm, out(vm), { to: 'libvirt', signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
		expect(fs.existsSync(out(vm))).toBe(false);
	});
});

test('a copy that differs from its source gets no name', async () => {
	const vm = await machine();
	const work = migrate(vm, out(vm), {
		to: 'libvirt',
		format: 'raw',
		onProgress({ stage }) {
			const folder = path.join(out(vm), '.vconv-migration');
			const copy = fs.existsSync(folder) && fs.readdirSync(folder).find((name) => /web-disk1.*\.vconv-partial$/.test(name));
			if (stage === 'copy' || !copy) return;
			const fd = fs.openSync(path.join(folder, copy), 'r+');
			fs.writeSync(fd, 'x', 1.5 * MiB);
			fs.closeSync(fd);
		},
	});
	await expect(work).rejects.toMatchObject({ exitCode: 6 });
	expect(fs.existsSync(out(vm))).toBe(false);
});

test('a plan says which driver decided', async () => {
	const vm = await machine();
	const plan = await planMigration(vm, out(vm), { to: 'libvirt' });
	expect(plan).toMatchObject({ name: 'web', description: 'web.xml', blocking: [], guest: { os: null } });
	const ofGuest = ({ concerns }: typeof plan) => concerns.filter(({ id }) => id.startsWith('vconv.guest.')).length;
	expect(ofGuest(plan)).toBeGreaterThan(0);
	const blind = await planMigration(vm, out(vm), { to: 'libvirt', inspect: false });
	expect(blind.guest).toBeUndefined();
	expect(ofGuest(blind)).toBe(0);
});

test.each([
	['esxi', 'no VMX is rewritten for ESXi', 'vconv --for esxi DISK.vmdk'],
	['workstation', 'no VMX is rewritten for Workstation', 'vconv -o subformat=monolithicSparse DISK.vmdk'],
] as const)("a machine of VMware's is not moved to %s, and what to do instead is said", async (to, what, hint) => {
	const vm = await machine();
	const refusal = { exitCode: 2, message: expect.stringContaining(what), hint: expect.stringContaining(hint) };
	await expect(planMigration(vm, out(vm), { to })).rejects.toMatchObject(refusal);
});

test('a word that is not known is refused with those that are, before anything is looked at', async () => {
	const wrong = async (options: object): Promise<unknown> =>
		planMigration('no-such.vmx', 'out', options as never).catch(({ name, message, hint }) => `${name}: ${message}; ${hint}`);
	expect(await wrong({ to: 'kvm' })).toBe("UsageError: to 'kvm' is not known; one of libvirt, esxi, workstation");
	expect(await wrong({ to: 'libvirt', kvm: { machine: 'q36' } })).toBe("UsageError: machine 'q36' is not known; one of q35, pc");
	expect(await wrong({ to: 'esxi', vmware: { firmware: 'uefi' } })).toBe("UsageError: firmware 'uefi' is not known; one of bios, efi");
	expect(await wrong({ to: 'esxi', accept: ['bogus'] })).toContain("there is no rule 'bogus'");
});
