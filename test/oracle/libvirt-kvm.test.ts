import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { MigrateOptions } from '../../src/machine/migrate/options.ts';
import { corpus } from '../corpus/corpus.ts';
import { forSession, hasQemuDriver, openFolder, qemuCommand, virsh } from '../helpers/embedded-libvirt.ts';
import { has, temporaryFolder } from '../helpers/programs.ts';
import { migrate } from '../machine/account.ts';
import { richVmx, vmxWith } from '../machine/samples.ts';

const bridges = [
	'pciBridge0.present = "TRUE"',
	...[4, 5, 6, 7].flatMap((index) => [
		`pciBridge${index}.present = "TRUE"`,
		`pciBridge${index}.virtualDev = "pcieRootPort"`,
		`pciBridge${index}.functions = "8"`,
	]),
];

/** Machines of every policy, guest and firmware that differ in what libvirt makes of them. */
const machines: readonly (readonly [string, string, MigrateOptions?])[] = [
	['rich', richVmx, { keepSource: true }],
	['windows', richVmx.replace('ubuntu-64', 'windows9-64').replace('"pvscsi"', '"lsisas1068"')],
	['windows-bios', richVmx.replace('ubuntu-64', 'windows9srv-64').replace('firmware = "efi"', '').replace('"pvscsi"', '"lsisas1068"')],
	['xp', richVmx.replace('ubuntu-64', 'winXPPro').replace('firmware = "efi"', '').replace('"pvscsi"', '"buslogic"')],
	['rhel', richVmx.replace('ubuntu-64', 'rhel8-64').replace('firmware = "efi"', '')],
	['preserved', richVmx.replace('firmware = "efi"', '').replace('"pvscsi"', '"lsilogic"'), { devices: 'preserve' }],
	[
		'named',
		vmxWith(
			'guestOS = "debian11-64"',
			...bridges,
			...[160, 192, 1184].flatMap((slot, index) => [`ethernet${index}.present = "TRUE"`, `ethernet${index}.pciSlotNumber = "${slot}"`]),
		),
	],
	[
		'odd',
		vmxWith(
			'guestOS = "freeBSD13-64"',
			'rtc.diffFromUTC = "-3600"',
			'hypervisor.cpuid.v0 = "FALSE"',
			'sound.present = "TRUE"',
			'bios.bootDelay = "5000"',
			'bios.bootRetry.enabled = "TRUE"',
			'numvcpus = "6"',
			'cpuid.coresPerSocket = "3"',
			'vm.genid = "5"',
		),
	],
];

const valid = (file: string): string => {
	const ran = spawnSync('virt-xml-validate', [file, 'domain'], { encoding: 'utf8' });
	return ran.status === 0 ? '' : ran.stderr + ran.stdout;
};

describe.skipIf(!has('virt-xml-validate'))('every domain that is written is one by its schema', () => {
	test.for(machines)('%s', ([name, text, options]) => {
		const file = path.join(temporaryFolder(), `${name}.xml`);
		fs.writeFileSync(file, migrate(text, options).xml);
		expect(valid(file)).toBe('');
	});

	const folders = process.env['VCONV_THOROUGH']
		? ['config/libvirt-vmx2xml', 'config/virt-v2v', 'config/virt-manager']
		: ['config/virt-v2v'];
	test.skipIf(!fs.existsSync(path.join(corpus, 'config')))('and so are those of the corpus', { timeout: 120_000 }, () => {
		for (const folder of folders) {
			for (const name of fs.readdirSync(path.join(corpus, folder)).filter((file) => file.endsWith('.vmx'))) {
				const file = path.join(temporaryFolder(), `${name}.xml`);
				fs.writeFileSync(file, migrate(fs.readFileSync(path.join(corpus, folder, name)), { discardSuspend: true, keepSource: true }).xml);
				expect(valid(file), name).toBe('');
			}
		}
	});
});

describe.skipIf(!hasQemuDriver())("libvirt's driver of QEMU takes every domain", () => {
	test('and defines it', { timeout: 60_000 }, () => {
		const root = openFolder();
		for (const [name, text, options] of machines) {
			const xml = forSession(migrate(text, options).xml).replace(/<name>.*?<\/name>/, `<name>${name}</name>`);
			fs.writeFileSync(path.join(root, `${name}.xml`), xml.replace(/<uuid>.*?<\/uuid>/, ''));
		}
		const commands = machines.map(([name]) => `define --validate ${name}.xml`);
		const ran = virsh(root, [], ['list --all --name', ...commands, 'list --all --name'].join('\n'));
		expect(ran.stderr).toBe('');
		for (const [name] of machines) expect(ran.stdout.split('\n')).toContain(name);
	});

	test.skipIf(!has('qemu-system-x86_64') || !has('qemu-img'))('and its command line starts QEMU', { timeout: 60_000 }, async () => {
		const root = openFolder();
		const text = machines.find(([name]) => name === 'rhel')?.[1] ?? '';
		// Neither a server to connect to, nor cards that only a driver with rights has.
		const plain = text.replaceAll(/^(serial|parallel|ethernet)\d.*\n/gm, '');
		const xml = forSession(migrate(plain, { imageFolder: root }).xml).replace(/<name>.*?<\/name>/, '<name>vm</name>');
		for (const disk of ['web', 'data']) spawnSync('qemu-img', ['create', '-q', '-f', 'qcow2', path.join(root, `${disk}.qcow2`), '16M']);
		const child = spawn('sh', ['-c', `exec ${qemuCommand(root, xml)}`], { stdio: ['ignore', 'ignore', 'pipe'] });
		let said = '';
		child.stderr.on('data', (part) => {
			said += part;
		});
		const ended = await Promise.race([
			new Promise<number | null>((resolve) => child.on('exit', resolve)),
			new Promise<'runs'>((resolve) => setTimeout(() => resolve('runs'), 3000)),
		]);
		child.kill('SIGKILL');
		expect({ ended, said }).toMatchObject({ ended: 'runs' });
	});
});
