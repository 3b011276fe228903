import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { redact } from '../../src/bytes/redact.ts';
import { vconv } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { kvmWith } from '../machine/kvm-sample.ts';
import { vmxWith } from '../machine/samples.ts';

const PASSWORD = 'hunter2-swordfish';

describe('T60: a secret of a VMX is in no report', () => {
	const vmx = vmxWith(
		'RemoteDisplay.vnc.enabled = "TRUE"',
		`RemoteDisplay.vnc.password = "${PASSWORD}"`,
		`RemoteDisplay.vnc.key = "${PASSWORD}"`,
		`guestinfo.userdata = "${PASSWORD}"`,
		`guestinfo.ovfEnv = "${PASSWORD}"`,
		`guestinfo.admin.password = "${PASSWORD}"`,
		...[
			// cloud-init's, Ignition's and Talos's own names, and usual ones
			...['metadata', 'vendordata', 'ignition.config.data', 'coreos.config.data', 'talos.config', 'root_pw', 'rootpw'],
			...['aws.credentials', 'ssh_private_key', 'apiKey', 'passwordHash', 'combustion.script'],
		].map((name) => `guestinfo.${name} = "${PASSWORD}"`),
		`machine.id = "${PASSWORD}"`,
		`vtpm.ekCRT = "${PASSWORD}"`,
		`custom.apiToken = "${PASSWORD}"`,
		`billing.apiKey = "${PASSWORD}"`,
	);

	test.for([[], ['--report=json'], ['--report=sarif']])('of a translation %j, nor in the domain', async (flags) => {
		const folder = temporaryFolder();
		const at = (name: string): string => path.join(folder, name);
		fs.writeFileSync(at('web.vmx'), vmx);
		const { stdout, stderr } = await vconv('config', ...flags, at('web.vmx'), at('web.xml'));
		expect(stdout + stderr).not.toContain(PASSWORD);
		expect(fs.readFileSync(at('web.xml'), 'utf8')).not.toContain(PASSWORD);
	});

	test('nor is one of a domain in the report of its translation', async () => {
		const folder = temporaryFolder();
		const at = (name: string): string => path.join(folder, name);
		fs.writeFileSync(
			at('web.xml'),
			kvmWith(
				`<graphics type='vnc' port='5901' passwd='${PASSWORD}'/><graphics type='spice' passwd='${PASSWORD}'/><disk type='network' device='disk'><source protocol='https' name='b/x.img' query='sig=${PASSWORD}'><host name='h' port='443'/><cookies><cookie name='s'>${PASSWORD}</cookie></cookies></source><target dev='vdq' bus='virtio'/></disk><disk type='network' device='disk'><source protocol='https' name='b/y.img?z=${PASSWORD}'><host name='u:${PASSWORD}@h'/></source><target dev='vdr' bus='virtio'/></disk>`,
			).replace(
				'<devices>',
				`<sysinfo type='fwcfg'><entry name='opt/com.coreos/config'>${PASSWORD}</entry></sysinfo><sysinfo type='smbios'><oemStrings><entry>${PASSWORD}</entry></oemStrings></sysinfo><devices>`,
			),
		);
		for (const form of ['text', 'json', 'sarif']) {
			const { stdout, stderr } = await vconv('config', '--force', `--report=${form}`, at('web.xml'), at('web.vmx'));
			expect(stdout + stderr).not.toContain(PASSWORD);
			expect(fs.readFileSync(at('web.vmx'), 'utf8')).not.toContain(PASSWORD);
		}
	});

	test.for(['libvirt', 'esxi', 'kubevirt'])('of a validation for %s', async (target) => {
		const file = path.join(temporaryFolder(), 'web.vmx');
		fs.writeFileSync(file, vmx);
		for (const flags of [[], ['--json'], ['--output=sarif'], ['--output=junit'], ['--output=html']]) {
			const { stdout, stderr } = await vconv('validate', file, '--to', target, ...flags);
			expect(stdout + stderr).not.toContain(PASSWORD);
		}
	});

	test.for(['libvirt', 'esxi'])('nor is one of a domain in any report of its validation for %s', async (target) => {
		const file = path.join(temporaryFolder(), 'web.xml');
		const { arg, env } = { arg: (value: string) => `<qemu:arg value='${value}'/>`, env: `<qemu:env name='PROXY' value='${PASSWORD}'/>` };
		const qemu = `<qemu:commandline>${arg('-object')}${arg(`secret,id=s,data=${PASSWORD}`)}${env}</qemu:commandline>`;
		const disk = `<disk type='network'><source protocol='https' name='web.raw?sig=${PASSWORD}'><host name='h'/></source><target dev='vdz' bus='virtio'/></disk>`;
		const screens = `<graphics type='vnc' port='5901' passwd='${PASSWORD}'/><graphics type='spice' passwd='${PASSWORD}'/>`;
		const xml = kvmWith(disk + screens).replace('</domain>', `${qemu}</domain>`);
		fs.writeFileSync(file, xml.replace('<domain ', `<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' `));
		for (const flags of [[], ['--output=json'], ['--output=sarif'], ['--output=junit'], ['--output=html']]) {
			const { stdout, stderr } = await vconv('validate', file, '--to', target, ...flags);
			expect(stdout).toContain('vdz');
			expect(stdout + stderr).not.toContain(PASSWORD);
		}
	});

	test.for([
		['what QEMU is told', `<q:arg value='-smbios'/><q:arg value='type=11,value=${PASSWORD}'/><q:arg value='-fw_cfg'/>`],
		['what QEMU is given', `<q:arg value='name=opt/org.x,string=${PASSWORD}'/><q:arg value='file=rbd:p/i:id=x:key=${PASSWORD}'/>`],
		['what QEMU has around it', `<q:env name='PROXY' value='${PASSWORD}'/>`],
	])('nor is %s in any report of a domain, whatever it calls the namespace of that', async ([, said]) => {
		const folder = temporaryFolder();
		const [file, other] = [path.join(folder, 'web.xml'), path.join(folder, 'other.xml')];
		const xml = kvmWith('').replace('</domain>', `<q:commandline>${said}</q:commandline></domain>`);
		fs.writeFileSync(file, xml.replace('<domain ', `<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0' `));
		fs.writeFileSync(other, fs.readFileSync(file, 'utf8').replaceAll(PASSWORD, 'other'));
		for (const argv of [
			['config', '--force', file, path.join(folder, 'web.vmx')],
			['config', 'diff', file, other],
			['validate', '--to', 'esxi', file],
		]) {
			const { stdout, stderr } = await vconv(...argv);
			expect(stdout + stderr).not.toContain(PASSWORD);
		}
	});

	test('nor is one in the command line of a kernel, of which the rest is told', async () => {
		const folder = temporaryFolder();
		const file = path.join(folder, 'web.xml');
		const line = `ro rd.luks.key=${PASSWORD} inst.ks=https://u:${PASSWORD}@h/k?x=${PASSWORD} rootpw="a ${PASSWORD}" cryptkey=${PASSWORD} root=//u:${PASSWORD}@h/s rootflags=username=a%${PASSWORD} http_proxy=u:${PASSWORD}@h:80 netroot=iscsi:u:p/${PASSWORD}@h::::iqn`;
		fs.writeFileSync(file, kvmWith('').replace('</type>', `</type><kernel>/boot/vmlinuz</kernel><cmdline>${line}</cmdline>`));
		fs.writeFileSync(path.join(folder, 'other.xml'), fs.readFileSync(file, 'utf8').replaceAll(PASSWORD, 'other').replace('ro rd', 'rw rd'));
		for (const argv of [
			['config', '--force', file, path.join(folder, 'web.vmx')],
			['config', 'diff', file, path.join(folder, 'other.xml')],
			['validate', '--to', 'esxi', file],
		]) {
			const { stdout, stderr } = await vconv(...argv);
			expect(stdout + stderr).toContain('ro rd.luks.key=…');
			expect(stdout + stderr).not.toContain(PASSWORD);
		}
	});

	test('of lint and diff', async () => {
		const folder = temporaryFolder();
		const at = (name: string): string => path.join(folder, name);
		fs.writeFileSync(at('a.vmx'), vmx);
		fs.writeFileSync(at('b.vmx'), vmx.replaceAll(PASSWORD, 'other'));
		for (const argv of [
			['lint', at('a.vmx')],
			['lint', '--json', at('a.vmx')],
			['diff', at('a.vmx'), at('b.vmx')],
			['diff', '--json', at('a.vmx'), at('b.vmx')],
		]) {
			const { stdout, stderr } = await vconv('config', ...argv);
			expect(stdout + stderr).not.toContain(PASSWORD);
		}
	});
});

test.for([
	`vconv --password ${PASSWORD} in out`,
	`vconv --password=${PASSWORD} in out`,
	`https://user:${PASSWORD}@host/disk.vmdk`,
	`https://bucket/disk?X-Amz-Signature=${PASSWORD}&x=1`,
	`https://host/disk?token=${PASSWORD}`,
	`Authorization: Bearer ${PASSWORD}`,
	`Cookie: session=${PASSWORD}`,
	`{"apiKey": "${PASSWORD}"}`,
	`AWS_SECRET_ACCESS_KEY=${PASSWORD}`,
	`https://host/disk?unknown=${PASSWORD}`,
	`https://user:a@${PASSWORD}@host/disk`,
	`password="two words, ${PASSWORD}"`,
	`passwd=a,${PASSWORD} root=/dev/vda`,
])('T60: the log of a batch has no secret of %s', (line) => {
	expect(redact(line)).not.toContain(PASSWORD);
	expect(redact(line)).toContain('***');
});

test.skipIf(process.platform === 'win32')('T60: a journal is for its owner alone', async () => {
	const folder = temporaryFolder();
	const at = (name: string): string => path.join(folder, name);
	fs.writeFileSync(at('in.raw'), new Uint8Array(65536).fill(1));
	const before = process.umask(0);
	try {
		fs.writeFileSync(at('plan.yaml'), `jobs:\n  - { kind: convert, from: ${at('in.raw')}, to: ${at('out.qcow2')} }\n`);
		await vconv('batch', at('plan.yaml'));
	} finally {
		process.umask(before);
	}
	const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
	const journals = files.filter(({ name }) => /journal|\.log$/.test(name));
	expect(journals.length).toBeGreaterThan(0);
	for (const { parentPath, name } of journals) expect(fs.statSync(path.join(parentPath, name)).mode & 0o077, name).toBe(0);
});
