import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { vconv } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { sarifErrors } from '../helpers/sarif.ts';
import { kvmWith } from '../machine/kvm-sample.ts';
import { domainWith, richVmx, vmxWith } from '../machine/samples.ts';

const written = (name: string, text: string | Uint8Array): string => {
	const file = path.join(temporaryFolder(), name);
	fs.writeFileSync(file, text);
	return file;
};

const beside = (file: string, name: string): string => path.join(path.dirname(file), name);

const config = (...argv: string[]) => vconv('config', '--intent', 'faithful', ...argv);

test('a VMX becomes a domain, and what is lost is printed, the worst first', async () => {
	const input = written('web.vmx', richVmx);
	const output = beside(input, 'web.xml');
	const { code, stdout, stderr } = await config('--vmx-path', '[store] web/web.vmx', '--datacenter', 'a/b', input, output);
	expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
	const xml = fs.readFileSync(output, 'utf8');
	expect(xml).toContain("<source file='[store] web/web.vmdk'/>");
	expect(xml).toContain('<vmware:datacenterpath>a/b</vmware:datacenterpath>');
	const lines = stdout.trimEnd().split('\n');
	expect(lines[0]).toMatch(/^error {3}pcipassthru0: .*\[PASSTHROUGH\]$/);
	expect(lines.at(-1)).toMatch(/^info/);
	expect(fs.readdirSync(path.dirname(input)).sort()).toEqual(['web.vmx', 'web.xml']);
});

test('a domain becomes a VMX of the hardware version that is asked for', async () => {
	const input = written('web.xml', domainWith());
	const output = beside(input, 'web.vmx');
	expect((await config('--hw-version', '13', input, output)).code).toBe(0);
	expect(fs.readFileSync(output, 'utf8')).toContain('virtualHW.version = "13"\n');
});

test('the report is JSON for a script', async () => {
	const input = written('web.vmx', richVmx);
	const { stdout } = await config('--report', 'json', '--profile', '12.5', input, beside(input, 'web.xml'));
	const said = JSON.parse(stdout);
	expect(said).toMatchObject({ input, format: 'libvirt', intent: 'faithful', profile: '12.5' });
	expect(said.counts.error).toBeGreaterThan(0);
	expect(said.report).toContainEqual(expect.objectContaining({ code: 'PASSTHROUGH', severity: 'error', keys: ['pciPassthru0.present'] }));
});

test('with --strict an error of the report is an exit code', async () => {
	const input = written('web.vmx', richVmx);
	expect((await config('--strict', input, beside(input, 'web.xml'))).code).toBe(7);
	expect(fs.existsSync(beside(input, 'web.xml'))).toBe(true);
	const fine = written('x.vmx', vmxWith('memsize = "64"'));
	expect((await config('--strict', fine, beside(fine, 'x.xml'))).code).toBe(0);
});

test('nothing is replaced unless --force says so, and never the input', async () => {
	const input = written('web.vmx', vmxWith());
	const output = beside(input, 'web.xml');
	fs.writeFileSync(output, 'mine');
	expect(await config(input, output)).toMatchObject({ code: 5, stderr: expect.stringContaining('--force') });
	expect(fs.readFileSync(output, 'utf8')).toBe('mine');
	expect((await config('--force', input, output)).code).toBe(0);
	expect(fs.readFileSync(output, 'utf8')).toContain('<domain');
	const link = beside(input, 'link.xml');
	fs.linkSync(input, link);
	expect((await config('--force', input, link)).code).toBe(2);
	expect(fs.readFileSync(input, 'utf8')).toBe(vmxWith());
});

test('the report is written over neither what is read nor what is written, whatever it is called', async () => {
	const input = written('web.vmx', vmxWith());
	const output = beside(input, 'web.xml');
	const link = beside(input, 'link');
	fs.symlinkSync(path.dirname(input), link);
	const networks = beside(input, 'networks');
	fs.writeFileSync(networks, 'default=network=default\n');
	const reporting = (file: string) => vconv('config', '--force', '--net-map', networks, '--report-file', file, input, output);
	for (const [file, other] of [
		[input, 'IN'],
		[path.join(link, 'web.vmx'), 'IN'],
		[output, 'OUT'],
		[path.join(link, 'web.xml'), 'OUT'],
		[networks, '--net-map'],
	] as const) {
		expect(await reporting(file)).toMatchObject({ code: 2, stderr: expect.stringContaining(`${other} and --report-file are one file`) });
	}
	expect(fs.existsSync(output)).toBe(false);
	expect(fs.readFileSync(input, 'utf8')).toBe(vmxWith());
	expect((await reporting(path.join(link, 'report.txt'))).code).toBe(0);
});

test('a description is written to no pipe, and no file gets the name of one', async () => {
	const input = written('web.vmx', vmxWith());
	expect(await vconv('config', input, '-')).toMatchObject({ code: 2, stderr: expect.stringContaining('- is a pipe') });
});

test('a file of rules for networks that is a folder or without end is refused', async () => {
	const input = written('web.vmx', vmxWith());
	const asked = (name: string) => vconv('config', '--net-map', name, input, beside(input, 'web.xml'));
	const folder = path.dirname(input);
	expect(await asked(folder)).toMatchObject({ code: 5, stderr: expect.stringContaining(`it is a folder\n  at ${folder}\n`) });
	fs.writeFileSync(beside(input, 'endless'), '');
	fs.truncateSync(beside(input, 'endless'), 2 ** 40);
	const refusal = 'it has more than 16 MiB, the most that a file for --net-map has';
	expect(await asked(beside(input, 'endless'))).toMatchObject({ code: 2, stderr: expect.stringContaining(refusal) });
});

test.for([
	['an intent that is none', ['--intent', 'guess'], 2, /intent.*guess|guess.*intent/s],
	['a word for networks that is none', ['--net-map', 'nam:VM Network=bridge=br0'], 2, /'nam' is none of mac/],
	['a rule for networks that is none', ['--net-map', 'default=nowhere'], 2, /rule for networks/],
	['a folder that is no whole path', ['--images', 'images'], 2, /--images/],
	['a profile that is none', ['--intent', 'faithful', '--profile', '8'], 2, /no profile '8'/],
	['a profile that is none, where none is asked for', ['--profile', 'libvirt-99'], 2, /no profile 'libvirt-99'/],
	['a path that is none', ['--intent', 'faithful', '--vmx-path', '/x.vmx'], 2, /no path on a datastore/],
	['a hardware version that is none', ['--intent', 'faithful', '--hw-version', 'new'], 2, /hardware version/],
	['a hardware version that is not yet', ['--hw-version', '99'], 2, /from 4 to 22, the newest, of ESXi 9\.0/],
] as const)('%s is refused, and nothing is written', async ([, argv, code, message]) => {
	const disk = 'ide0:0.present = "TRUE"\nide0:0.fileName = "a.vmdk"';
	const input = written('web.vmx', vmxWith(disk));
	const ran = await vconv('config', ...argv, input, beside(input, 'web.xml'));
	expect(ran).toMatchObject({ code, stderr: expect.stringMatching(message) });
	expect(fs.readdirSync(path.dirname(input))).toEqual(['web.vmx']);
});

test.for(['bogus:x=VM Network', 'name:x=VM Network', 'VM Network=nat', 'type:hostonly=nat'])(
	'%s fits no card of a domain, and is refused',
	async (rule) => {
		const input = written('web.xml', kvmWith("<interface type='bridge'><source bridge='br0'/></interface>"));
		const ran = (said: string) => vconv('config', '--net-map', said, input, beside(input, 'web.vmx'));
		expect(await ran(rule)).toMatchObject({ code: 2, stderr: expect.stringContaining('is none of mac, bridge') });
		expect(fs.readdirSync(path.dirname(input))).toEqual(['web.xml']);
	},
);

test.for([
	['UTF-16', Buffer.from(`\uFEFF${domainWith()}`, 'utf16le'), 3],
	['ISO-8859-1', Buffer.from(domainWith('<description>caf\u00E9</description>'), 'latin1'), 4],
] as const)('a domain in %s is refused with how it is recoded', async ([, bytes, code]) => {
	const input = written('web.xml', bytes);
	const ran = await vconv('config', input, beside(input, 'web.vmx'));
	expect(ran).toMatchObject({ code, stderr: expect.stringMatching(/try .*iconv -f .* -t UTF-8/) });
});

test('a rule fits a card of a domain by its network', async () => {
	const input = written('web.xml', kvmWith("<interface type='bridge'><source bridge='br0'/></interface>"));
	expect((await vconv('config', '--net-map', 'bridge:br0 -> DMZ', input, beside(input, 'web.vmx'))).code).toBe(0);
	expect(fs.readFileSync(beside(input, 'web.vmx'), 'utf8')).toContain('networkName = "DMZ"');
});

test.for([
	['what libvirt refuses', 'a.vmx', vmxWith('firmware = "bios"'), 3],
	['a DOCTYPE', 'a.xml', '<!DOCTYPE d [<!ENTITY x "y">]><domain type="vmware"><name>&x;</name></domain>', 3],
	['XML that is broken', 'a.xml', '<domain type="vmware"><name>', 4],
	['an empty file', 'a.vmx', '', 3],
	['a disk', 'a.vmx', new Uint8Array(9 << 20), 3],
	['noise', 'a.vmx', Uint8Array.from({ length: 2048 }, (_, i) => (i * 37) % 256), 3],
] as const)('%s is refused in three lines', async ([, name, text, code]) => {
	const input = written(name, text as string | Uint8Array);
	const ran = await config(input, beside(input, 'out'));
	expect(ran.code).toBe(code);
	expect(ran.stdout).toBe('');
	expect(ran.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(3);
	expect(fs.readdirSync(path.dirname(input))).toEqual([name]);
});

test.skipIf(process.platform === 'win32')('a pipe is refused, and no other pipe is offered', async () => {
	const { code, stderr } = await vconv('config', '/dev/null', beside(written('web.vmx', ''), 'x.xml'));
	expect(code).toBe(3);
	expect(stderr).toContain('try a file with its contents\n');
});

test('a name that says another form is refused', async () => {
	const input = written('web.vmx', vmxWith());
	expect(await config(input, beside(input, 'copy.vmx'))).toMatchObject({ code: 2, stderr: expect.stringContaining('.xml') });
});

test('a VMX becomes a domain of KVM unless something else is asked for; its snapshots are told', async () => {
	const input = written('web.vmx', richVmx);
	fs.writeFileSync(
		beside(input, 'web.vmsd'),
		'snapshot.numSnapshots = "1"\nsnapshot0.uid = "4"\nsnapshot0.displayName = "before |22it|22"\n',
	);
	const argv = ['config', '--net-map', 'name:VM Network=bridge=br0', '--images', '/vms', input, beside(input, 'web.xml')];
	const { code, stdout } = await vconv(...argv);
	expect(code).toBe(0);
	expect(stdout).toContain('1 snapshots (\'before "it"\') are not carried over');
	const xml = fs.readFileSync(beside(input, 'web.xml'), 'utf8');
	expect(xml).toContain("<domain type='kvm'>");
	expect(xml).toContain("<source bridge='br0'/>");
	expect(xml).toContain("<source file='/vms/web.qcow2'/>");
});

test('a machine that runs is refused, unless somebody says that it does not', async () => {
	const input = written('web.vmx', vmxWith());
	fs.mkdirSync(beside(input, 'web.vmx.lck'));
	expect(await vconv('config', input, beside(input, 'web.xml'))).toMatchObject({
		code: 3,
		stderr: expect.stringContaining('--allow-running'),
	});
	expect((await vconv('config', '--allow-running', input, beside(input, 'web.xml'))).code).toBe(0);
});

test('the report is SARIF for a code host, in a file of its own', async () => {
	const input = written('web.vmx', richVmx);
	const file = beside(input, 'web.sarif');
	const { stdout } = await vconv('config', '--report', 'sarif', '--report-file', file, input, beside(input, 'web.xml'));
	expect(stdout).toBe('');
	const log = fs.readFileSync(file, 'utf8');
	expect(sarifErrors(log)).toEqual([]);
	const [run] = JSON.parse(log).runs;
	expect(run.tool.driver.rules[run.results[0].ruleIndex].id).toBe(run.results[0].ruleId);
	expect(run.results).toContainEqual(expect.objectContaining({ ruleId: 'PASSTHROUGH', level: 'error' }));
});

test('an option that means nothing for what is written is a mistake, and the message says what it is for', async () => {
	const vmx = written('web.vmx', vmxWith());
	const domain = written('web.xml', domainWith());
	const refused = async (...argv: string[]) => {
		const { code, stderr } = await vconv('config', ...argv);
		return [code, /^vconv: (.*)$/m.exec(stderr)?.[1]];
	};
	expect(await refused('--devices', 'virtio', domain, beside(domain, 'a.vmx'))).toEqual([
		2,
		'--devices is for a machine of KVM, and the VMX that is written is none',
	]);
	expect(await refused('--product', 'esxi', vmx, beside(vmx, 'a.xml'))).toEqual([
		2,
		"--product is for a machine of VMware's, and the domain that is written is none",
	]);
	expect((await vconv('config', '--firmware', 'efi', '--devices', 'auto', domain, beside(domain, 'a.vmx'))).code).toBe(0);
});
