import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { vconv } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { kvmWith } from '../machine/kvm-sample.ts';
import { emptyDisk, idsOf, makeMachine, validated, vmx, write } from './validate-machine.ts';

describe('what somebody decides', () => {
	const lacking = ['ethernet0.present = "TRUE"'];
	/** Its disk has a boot sector, and no system that could be asked for drivers. */
	const unread = 'vconv.guest.disk.unknown';

	test('is accepted by its id, or with a baseline that knows it', async () => {
		const { folder, file } = makeMachine(...lacking);
		expect((await validated('--to', 'libvirt', '--strict', file)).code).toBe(7);
		expect((await validated('--to', 'libvirt', '--strict', '--accept', `vconv.nic.mac.missing,${unread}`, file)).code).toBe(0);
		const baseline = path.join(folder, 'known.json');
		expect((await validated('--to', 'libvirt', '--strict', '--write-baseline', baseline, file)).code).toBe(0);
		const { code, report } = await validated('--to', 'libvirt', '--strict', '--baseline', baseline, file);
		expect(code).toBe(0);
		expect(report.verdicts[0]).toMatchObject({ concerns: [], blocking: false });
		fs.writeFileSync(file, vmx(...lacking, 'ethernet1.present = "TRUE"'));
		const more = await validated('--to', 'libvirt', '--strict', '--baseline', baseline, file);
		expect(more.code).toBe(7);
		expect(more.report.verdicts[0]?.concerns.find(({ id }) => id === 'vconv.nic.mac.missing')?.evidence).toHaveLength(1);
		expect(more.report.verdicts[0]?.accepted.find(({ id }) => id === 'vconv.nic.mac.missing')?.evidence).toHaveLength(1);
		const accepted = `vconv.nic.mac.missing,vconv.nic.network.unmapped,${unread}`;
		expect((await validated('--to', 'libvirt', '--strict', '--accept', accepted, file)).code).toBe(0);
		const all = path.join(folder, 'all.json');
		await validated('--to', 'libvirt', '--strict', '--baseline', baseline, '--write-baseline', all, file);
		expect((await validated('--to', 'libvirt', '--strict', '--baseline', all, file)).code).toBe(0);
	});

	test('is not all written down where a machine could not be looked at', async () => {
		const { folder } = makeMachine();
		write(folder, 'broken.xml', '<domain>');
		expect((await validated('--to', 'libvirt', '--write-baseline', path.join(folder, 'known.json'), folder)).code).toBe(7);
	});

	test('is known wherever the machines lie, and however they are named', async () => {
		const folder = temporaryFolder();
		const nic = ['ethernet0.present = "TRUE"', 'ethernet0.addressType = "static"', 'ethernet0.address = "00:50:56:00:00:01"'];
		for (const name of ['x', 'y']) {
			write(folder, `here/${name}/${name}.vmx`, vmx(...nic).replace('web.raw', 'top.qcow2'));
			const base = emptyDisk(path.join(folder, 'here', name), 'base.raw');
			await vconv('convert', '-O', 'qcow2', base, `${base}.qcow2`);
			// Relative, so that the delta finds it in any folder.
			await vconv('convert', '-B', path.relative('.', `${base}.qcow2`), base, path.join(folder, 'here', name, 'top.qcow2'));
		}
		const baseline = path.join(folder, 'known.json');
		const first = await validated('--to', 'libvirt', '--write-baseline', baseline, path.join(folder, 'here'));
		expect(idsOf(first.report, 'Critical', 'Warning', 'Information')).toEqual(
			expect.arrayContaining(['name', 'uuid', 'mac'].map((what) => `vconv.vm.${what}.duplicate`).concat('vconv.image.chain')),
		);
		fs.renameSync(path.join(folder, 'here'), path.join(folder, 'elsewhere'));
		const { code, report } = await validated('--to', 'libvirt', '--baseline', baseline, path.join(folder, 'elsewhere'));
		expect({ code, ids: idsOf(report, 'Critical', 'Warning', 'Information') }).toEqual({ code: 0, ids: [] });
	});

	test.each<[what: string, uuids: readonly (string | undefined)[], named: 'folder' | 'file']>([
		['with the same name in other folders', [undefined, undefined], 'folder'],
		['with the same name, without a UUID', [undefined, undefined], 'file'],
		[
			'with the same name and another UUID',
			['56 4d 00 00 00 00 00 00-00 00 00 00 00 00 00 01', '56 4d 00 00 00 00 00 00-00 00 00 00 00 00 00 02'],
			'file',
		],
		[
			'that is a copy in another folder',
			['56 4d 00 00 00 00 00 00-00 00 00 00 00 00 00 01', '56 4d 00 00 00 00 00 00-00 00 00 00 00 00 00 01'],
			'folder',
		],
	])('of one machine is not known of one %s', async (_, uuids, named) => {
		const folder = temporaryFolder();
		const files = uuids.map((uuid, i) => {
			emptyDisk(path.join(folder, 'all', `m${i}`), 'web.raw');
			const text = vmx(...lacking).replace(/uuid\.bios = .*\n/, uuid === undefined ? '' : `uuid.bios = "${uuid}"\n`);
			return write(folder, `all/m${i}/web.vmx`, text);
		});
		const baseline = path.join(folder, 'known.json');
		const [first = '', second = ''] = files;
		const whole = path.join(folder, 'all');
		const before = named === 'file' ? [first] : [whole];
		if (named === 'folder') fs.renameSync(path.dirname(second), path.join(folder, 'away'));
		await validated('--to', 'libvirt', '--write-baseline', baseline, ...before);
		if (named === 'folder') fs.renameSync(path.join(folder, 'away'), path.dirname(second));
		const { code, report } = await validated(
			'--to',
			'libvirt',
			'--strict',
			'--baseline',
			baseline,
			...(named === 'file' ? files : [whole]),
		);
		expect(code).toBe(7);
		const unknown = report.verdicts.map(({ concerns }) => concerns.some(({ id }) => id === 'vconv.nic.mac.missing'));
		expect(unknown).toEqual([false, true]);
	});

	test('is known elsewhere where a domain says another chain than its images', async () => {
		const folder = temporaryFolder();
		const within = (name: string): string => path.join(folder, 'here', name);
		for (const name of ['base.raw', 'other.raw']) emptyDisk(path.join(folder, 'here'), name);
		await vconv(
			'convert',
			'-O',
			'qcow2',
			'-B',
			path.relative('.', within('base.raw')),
			'-F',
			'raw',
			within('other.raw'),
			within('top.qcow2'),
		);
		const source = (name: string): string => `<source file='${within(name)}'/>`;
		const backing = `<backingStore type='file'><format type='raw'/>${source('other.raw')}</backingStore>`;
		const disk = `<disk type='file'><driver name='qemu' type='qcow2'/>${source('top.qcow2')}${backing}<target dev='vda' bus='virtio'/></disk>`;
		const xml = kvmWith(disk);
		write(folder, 'here/web.xml', xml);
		const baseline = path.join(folder, 'known.json');
		const first = await validated('--to', 'libvirt', '--write-baseline', baseline, within('web.xml'));
		expect(idsOf(first.report, 'Critical')).toEqual(['vconv.image.unsupported']);
		fs.renameSync(path.join(folder, 'here'), path.join(folder, 'elsewhere'));
		const file = write(folder, 'elsewhere/web.xml', xml.replaceAll(path.join(folder, 'here'), path.join(folder, 'elsewhere')));
		expect((await validated('--to', 'libvirt', '--baseline', baseline, file)).code).toBe(0);
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
		expect(idsOf(report, 'Critical', 'Warning')).toEqual(['vconv.nic.network.unmapped', unread, 'site.legacy']);
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

test.for(['--rules', '--domcaps', '--baseline'])('a file for %s that is far too large is refused with the limit', async (option) => {
	const large = write(temporaryFolder(), 'large', '');
	fs.truncateSync(large, 2 ** 40);
	const { code, stderr } = await vconv('validate', '--to', 'libvirt', option, large, '.');
	expect({ code, stderr }).toEqual({
		code: 2,
		stderr: expect.stringMatching(`it has more than 16 MiB, the most that a file for ${option} has\n  at .*large\n  try ${option} with`),
	});
});
