import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { UnsupportedError } from '../../src/errors.ts';
import { askLibvirt } from '../helpers/ask-libvirt.ts';
import { has, requires } from '../helpers/programs.ts';
import { translate } from '../machine/account.ts';
import { saidByDomain } from '../machine/compare.ts';
import { domainWith, richDomain, richVmx, vmxWith } from '../machine/samples.ts';

/** What this driver does and others do not: it says a boot order and hides passwords. Hardware specification, section 14.5. */
const masked = (xml: string): unknown => saidByDomain(xml.replace(/\s*<boot dev='hd'\/>/, '').replace(/ passwd='[^']*'/, ''));

const version = has('virsh') ? (/^\d+\.\d+/.exec(spawnSync('virsh', ['--version'], { encoding: 'utf8' }).stdout)?.[0] ?? '') : '';

/** The profile that speaks for the libvirt that is installed; none for versions in between. */
const profile = version === '9.0' || version === '11.3' ? version : Number.parseFloat(version) >= 12.5 ? '12.5' : undefined;

const judged = version !== '' && requires(profile !== undefined, `no profile speaks for libvirt ${version}`);

describe.skipIf(!judged)(`a live libvirt ${version} says the same`, () => {
	const disk = (bus: string, ...fields: string[]) => [
		`${bus}0.present = "TRUE"`,
		`${bus}0:0.present = "TRUE"`,
		...fields.map((field) => `${bus}0:0.${field}`),
	];
	const card = (...fields: string[]) => ['ethernet0.present = "TRUE"', ...fields.map((field) => `ethernet0.${field}`)];
	const port = (...fields: string[]) => ['serial0.present = "TRUE"', ...fields.map((field) => `serial0.${field}`)];
	const cases: readonly string[] = [
		richVmx,
		vmxWith(),
		...[
			['annotation = "x" # behind'],
			["annotation = 'x'"],
			['annotation = x'],
			['annotation = "x" # behind "y"'],
			['annotation = "say "this" now"'],
			['annotation ='],
			['annotation = "a|07b"'],
			['annotation = "a|zz"'],
			['annotation = "a|0ab|22"'],
			['memsize = " 8 "'],
			['memsize = "8"', 'sched.mem.max = "unlimited"'],
			['memsize = "8" # was "32"'],
			['memsize = "1002"'],
			['memsize = "unlimited"'],
			['numvcpus = "10"', 'cpuid.coresPerSocket = "4"'],
			['numvcpus = "2"', 'cpuid.coresPerSocket = "8"'],
			['numvcpus = "2"', 'sched.cpu.affinity = " 3 , 1"'],
			['numvcpus = "2"', 'sched.cpu.affinity = "3"'],
			['sched.cpu.shares = "10 "'],
			['sched.cpu.shares = "4321"'],
			['vm.genid = "-570734802784577186"', 'vm.genidX = "-5042519231342505152"'],
			['firmware = "bios"'],
			['firmware = "efi"'],
			['uuid.bios = "564d0011223344556677-8899aabbccdd"'],
			['uuid.bios = "12"'],
			['svga.vramSize = "1000"'],
			['RemoteDisplay.vnc.enabled = "TRUE"', 'RemoteDisplay.vnc.ip = "1.2.3.4"'],
			disk('ide', 'fileName = "a.VMDK"'),
			disk('ide', 'fileName = "a.vmdk"', 'deviceType = "scsi-hardDisk"'),
			disk('ide', 'fileName = "a.vmdk"', 'mode = "INDEPENDENT-nonpersistent"', 'writeThrough = "TRUE"'),
			disk('ide', 'fileName = "a.iso"', 'deviceType = "atapi-cdrom"'),
			disk('ide', 'fileName = "a.ISO"'),
			disk('ide', 'deviceType = "cdrom-image"'),
			disk('ide', 'deviceType = "cdrom-raw"'),
			disk('ide', 'deviceType = "cdrom-raw"', 'fileName = ""'),
			disk('ide', 'deviceType = "atapi-cdrom"', 'fileName = "Auto Detect"'),
			disk('ide', 'fileName = "emptyBackingString"'),
			disk('ide', 'fileName = "emptybackingstring"'),
			disk('ide', 'fileName = "a.vmdk"', 'clientDevice = "TRUE"'),
			disk('sata', 'fileName = "a.vmdk"', 'deviceType = "rawDisk"'),
			disk('sata', 'fileName = "a.vmdk"'),
			disk('scsi', 'fileName = "/vmfs/devices/cdrom/x"', 'deviceType = "scsi-passthru"'),
			disk('scsi', 'fileName = "/dev/sg0"', 'deviceType = "scsi-passthru"'),
			['floppy0.present = "TRUE"', 'floppy0.fileType = "device"', 'floppy0.fileName = "/dev/fd0"'],
			['floppy0.present = "TRUE"', 'floppy0.fileName = "a.flp"'],
			['floppy1.present = "TRUE"', 'floppy1.fileType = "file"'],
			card(),
			card('connectionType = "bridged"'),
			card('connectionType = "custom"', 'vnet = "v"'),
			card('connectionType = "NAT"', 'networkName = "n"'),
			card('networkName = "n"', 'virtualDev = "E1000E"'),
			card('virtualDev = "vmxnet"', 'features = "15"'),
			card('generatedAddress = "0:C:29:1:2:3"'),
			card('addressType = "vpx"', 'generatedAddress = "00:50:56:80:00:01"', 'checkMACAddress = "TRUE"'),
			card('addressType = "static"', 'generatedAddress = "00:50:56:80:00:01"'),
			card('addressType = "other"'),
			card('dvs.portId = "5"'),
			card('dvs.switchId = "50 34 26 b2 94 e9 3b 16-1d 68 87 bf ff 4a 54 40"'),
			port('fileName = "/dev/ttyS0"'),
			port('fileType = "pipe"'),
			port('fileType = "thinprint"'),
			port('fileType = "network"', 'fileName = "tcp4+ssl://host:1"', 'network.endPoint = "client"'),
			port('fileType = "network"', 'fileName = "//host:1"'),
			port('fileType = "network"', 'fileName = "telnet://host"'),
			port('fileType = "network"', 'fileName = "telnet://[::1]:7"'),
			port('fileType = "network"', 'fileName = "http://host:1"'),
			['serial2.present = "TRUE"', 'serial2.fileName = "/dev/ttyS2"'],
			['parallel1.present = "TRUE"', 'parallel1.fileType = "pipe"', 'parallel1.fileName = "x"'],
		].map((lines) => vmxWith(...lines)),
		vmxWith('memsize = "8"').replaceAll('\n', '\r'),
		vmxWith().replace('"x"', '"50% done"'),
		vmxWith().replace('"x"', '"50%25 |22done|22"'),
	];

	test.for(cases.map((text) => [text.replace(vmxWith(), '').trim().replaceAll('\n', ' '), text] as const))('%.60s', ([, text]) => {
		const said = askLibvirt(text);
		if (said === undefined) expect(() => translate(text, 'libvirt', { profile })).toThrow(UnsupportedError);
		else expect(masked(translate(text, 'libvirt', { profile }))).toEqual(masked(said));
	});

	test('what we write, it reads as the machine that it was', () => {
		for (const domain of [richDomain.replace("'sdp'", "'sdb'").replace('web/one', 'web one'), domainWith()]) {
			const vmx = translate(domain, 'vmx', { hardwareVersion: 8 });
			expect(masked(askLibvirt(vmx) ?? '')).toEqual(masked(translate(vmx, 'libvirt', { profile })));
		}
	});
});
