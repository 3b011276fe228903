import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { convertFile, migrate } from '../../src/node/index.ts';
import { askLibvirt } from '../helpers/ask-libvirt.ts';
import { canBoot, debianGuest } from '../helpers/debian-guest.ts';
import { forSession, hasQemuDriver, openFolder, qemuCommand } from '../helpers/embedded-libvirt.ts';
import { requires, run } from '../helpers/programs.ts';

const variables = '/usr/share/OVMF/OVMF_VARS_4M.fd';
const ready = canBoot() && hasQemuDriver() && requires(fs.existsSync(variables), `${variables} is not installed`);

const MAC = '00:50:56:11:22:33';
const DATA = 20 << 20;

/** A machine of VMware's: the guest on a delta over its base, a data disk, a card with an address of its own, a serial line in a file. */
const vmx = (firmware: string): string => `displayName = "web"
guestOS = "debian12-64"
${firmware === 'efi' ? 'firmware = "efi"\n' : ''}memsize = "512"
scsi0.present = "TRUE"
scsi0.virtualDev = "pvscsi"
scsi0:0.present = "TRUE"
scsi0:0.fileName = "web-000001.vmdk"
scsi0:1.present = "TRUE"
scsi0:1.fileName = "data.vmdk"
ethernet0.present = "TRUE"
ethernet0.virtualDev = "vmxnet3"
ethernet0.addressType = "static"
ethernet0.address = "${MAC}"
ethernet0.connectionType = "nat"
serial0.present = "TRUE"
serial0.fileType = "file"
serial0.fileName = "serial.log"
`;

const makeMachine = async (folder: string, firmware: string, bus: string): Promise<string> => {
	const vm = path.join(folder, 'vm');
	fs.mkdirSync(vm);
	const at = (name: string) => path.join(vm, name);
	await convertFile(await debianGuest(firmware, bus), at('web.vmdk'));
	run('qemu-img', 'create', '-q', '-f', 'vmdk', '-b', 'web.vmdk', '-F', 'vmdk', at('web-000001.vmdk'));
	// Behind the last partition, where no guest looks: what the delta alone has.
	run('qemu-io', '-f', 'vmdk', '-c', `write -q -P 0x5a ${(96 << 20) - 131072} 65536`, at('web-000001.vmdk'));
	fs.writeFileSync(at('data.raw'), Buffer.alloc(DATA, 'some data'));
	await convertFile(at('data.raw'), at('data.vmdk'));
	fs.rmSync(at('data.raw'));
	fs.writeFileSync(at('web.vmx'), vmx(firmware));
	return vm;
};

/** What the guest of a domain says on its serial line, when it is started as libvirt would start it. Its disks stay as they are. */
const boot = async (root: string, xml: string): Promise<string> => {
	const log = path.join(root, 'out', 'web-serial0.log');
	let command = qemuCommand(root, forSession(xml))
		.replace(/ -S(?= )/, '')
		.replace(/ -no-shutdown(?= )/, '')
		.replace(/ -vnc \S+/, ' -display none')
		// The card's other end would be libvirt's own.
		.replaceAll(/"type":"tap","fd":"\d+"/g, '"type":"user"');
	// The variables of a machine's own, which libvirt would have copied.
	const own = /[^"':= ]*_VARS\.fd/.exec(command)?.[0];
	if (own !== undefined) {
		fs.copyFileSync(variables, path.join(root, 'vars.fd'));
		command = command.replaceAll(own, path.join(root, 'vars.fd'));
	}
	const child = spawn('sh', ['-c', `exec ${command} -snapshot`], { stdio: ['ignore', 'ignore', 'pipe'], cwd: root });
	onTestFinished(() => void child.kill('SIGKILL'));
	let said = '';
	child.stderr.on('data', (part) => {
		said += part;
	});
	const code = await new Promise((resolve) => child.on('close', resolve));
	if (code !== 0) throw new Error(`QEMU exited with ${code}: ${said}\n${command}`);
	return fs.readFileSync(log, 'latin1');
};

/** An EFI guest starts in every run; the others where there is time. */
const guests = [
	{ firmware: 'efi', bus: 'virtio', disk: 'vd', chosen: 'virtio' },
	{ firmware: 'bios', bus: 'sata', disk: 'sd', chosen: 'sata', slow: true },
	{ firmware: 'bios', bus: 'virtio', disk: 'vd', chosen: 'virtio', slow: true },
];

describe.skipIf(!ready)('a machine of VMware goes to libvirt, boots there, and comes back', () => {
	test.for(guests)('$firmware, with a driver for $bus when it starts', { timeout: 400_000 }, async (guest) => {
		const root = openFolder();
		const vm = await makeMachine(root, guest.firmware, guest.bus);
		const out = path.join(root, 'out');
		const { disks } = await migrate(vm, out, { to: 'libvirt' });
		expect(disks).toMatchObject([
			{ bus: guest.chosen, target: `${guest.disk}a`, verified: 'full' },
			{ bus: guest.chosen, verified: 'full' },
		]);

		if (!guest.slow || process.env['VCONV_THOROUGH']) {
			const said = await boot(root, fs.readFileSync(path.join(out, 'web.xml'), 'utf8'));
			expect(said).toContain('VCONV-GUEST-UP');
			expect(said).toContain(`VCONV-GUEST-DISKS ${guest.disk}a:${(96 << 20) / 512} ${guest.disk}b:${DATA / 512}`);
			expect(said).toContain(`VCONV-GUEST-CARDS ${MAC}`);
			expect(said.includes('VCONV-GUEST-EFI')).toBe(guest.firmware === 'efi');
		}

		const back = path.join(root, 'back');
		await migrate(path.join(out, 'web.xml'), back, { to: 'esxi' });
		for (const [index, name] of ['web-000001.vmdk', 'data.vmdk'].entries()) {
			const copy = path.join(back, `web-disk${index + 1}.vmdk`);
			expect(run('qemu-img', 'compare', '-f', 'vmdk', '-F', 'vmdk', path.join(vm, name), copy)).toContain('Images are identical');
		}
		const read = askLibvirt(fs.readFileSync(path.join(back, 'web.vmx'), 'utf8')) ?? '';
		expect([...read.matchAll(/<source file='(.*?)'/g)].map((match) => match[1]).slice(0, 2)).toEqual(['web-disk1.vmdk', 'web-disk2.vmdk']);
		expect(read).toContain(`<mac address='${MAC}'`);
		expect(read).toContain("<controller type='scsi' index='0' model='vmpvscsi'/>");
		expect(read.includes("firmware='efi'")).toBe(guest.firmware === 'efi');
	});
});
