import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { machineFormats } from '../../formats/machines.ts';
import { UnrecognizedError, UnsupportedError, UsageError, VconvError } from '../../src/errors.ts';
import type { FaithfulOptions } from '../../src/machine/faithful/context.ts';
import { parseMachine } from '../../src/machine/plan.ts';
import { planFaithfully, translate, unaccounted, unaccountedParts } from './account.ts';
import { domainWith, richDomain, richVmx, vmxWith } from './samples.ts';

const toXml = (text: string, options: FaithfulOptions = {}): string => translate(text, 'libvirt', options);
const toVmx = (text: string, options: FaithfulOptions = {}): string => translate(text, 'vmx', { hardwareVersion: 4, ...options });
const codes = (text: string, to: string, options: FaithfulOptions = {}): string[] =>
	planFaithfully(text, to, options).report.map(({ code }) => code);

describe('a VMX as a domain', () => {
	test('says what libvirt would', () => {
		const xml = toXml(richVmx, { vmxPath: '[store] web/web.vmx', datacenter: 'a/b' });
		for (const part of [
			"<domain type='vmware' xmlns:vmware='http://libvirt.org/schemas/domain/vmware/1.0'>",
			'<name>web "one" 100%</name>',
			'<uuid>564d0011-2233-4455-6677-8899aabbccdd</uuid>',
			'<description>two\nlines of |text|</description>',
			"<memory unit='KiB'>2097152</memory>",
			"<currentMemory unit='KiB'>1048576</currentMemory>",
			"<vcpu placement='static' cpuset='0-3'>4</vcpu>",
			'<shares>8000</shares>',
			"<feature enabled='yes' name='secure-boot'/>",
			"<topology sockets='2' dies='1' clusters='1' cores='2' threads='1'/>",
			"<source file='[store] web/web.vmdk'/>",
			"<source file='[store2] web/data.vmdk'/>",
			"<source file='/isos/debian.iso'/>",
			"<source startupPolicy='optional'/>",
			"<mac address='00:50:56:01:02:03' type='static' check='no'/>",
			"<interface type='vds'>",
			"<source mode='connect' host='192.168.0.1' service='4000'/>",
			"<source path='[store] web/printed'/>",
			'<vmware:datacenterpath>a/b</vmware:datacenterpath>',
		]) {
			expect(xml).toContain(part);
		}
		expect(xml).not.toContain('gone.vmdk');
	});

	test('without a path on a datastore, files keep their names', () => {
		expect(toXml(richVmx)).toContain("<source file='/vmfs/volumes/store2/web/data.vmdk'/>");
	});

	test('a TPM that VMware would add at the next start is not there for libvirt', () => {
		expect(toXml(vmxWith('managedvm.autoAddVTPM = "software"'))).not.toContain('<tpm');
	});

	test('a name is what the file is called, where the VMX has none', () => {
		const text = 'config.version = "8"\nvirtualHW.version = "8"\n';
		expect(toXml(text)).toContain('<name>machine</name>');
		expect(codes(text, 'libvirt')).toContain('NAME_ASSUMED');
	});

	test('a generation id is joined as libvirt joins it, and that is said', () => {
		const text = vmxWith('vm.genid = "-570734802784577186"', 'vm.genidX = "-5042519231342505152"');
		expect(toXml(text)).toContain('<genid>f8145713-8312-995e-ba05-5f79bac11340</genid>'.slice(0, 7));
		const halves = [-570734802784577186n, -5042519231342505152n]
			.map((half) => BigInt.asUintN(64, half).toString(16).padStart(16, '0'))
			.join('');
		expect(
			toXml(text)
				.replace(/.*<genid>(.*)<\/genid>.*/s, '$1')
				.replaceAll('-', ''),
		).toBe(halves);
		expect(codes(text, 'libvirt')).toContain('GENID_ORDER');
	});

	test.for([
		['config.version = "6"', 'config.version'],
		['virtualHW.version = "3"', 'virtualHW.version'],
		['memsize = "1002"', 'memsize'],
		['memsize = "0"', 'memsize'],
		['memsize = "many"', 'memsize'],
		['numvcpus = "0"', 'numvcpus'],
		['cpuid.coresPerSocket = "8"', 'cpuid.coresPerSocket'],
		['firmware = "bios"', 'firmware'],
		['firmware = "EFI"', 'firmware'],
		['ethernet0.present = "maybe"', 'ethernet0.present'],
		['ethernet0.present = "TRUE"\nethernet0.connectionType = "hostonly"', 'ethernet0.connectionType'],
		['ethernet0.present = "TRUE"\nethernet0.connectionType = "bridged"', 'ethernet0.networkName'],
		['ethernet0.present = "TRUE"\nethernet0.virtualDev = "flexible"', 'ethernet0.virtualDev'],
		['ethernet0.present = "TRUE"\nethernet0.generatedAddress = "1:2:3"', 'ethernet0.generatedAddress'],
		['serial0.present = "TRUE"\nserial0.fileType = "thinprint"', 'serial0.fileType'],
		['scsi0.present = "TRUE"\nscsi0.virtualDev = "other"', 'scsi0.virtualDev'],
		['ide0:0.present = "TRUE"\nide0:0.deviceType = "rawDisk"\nide0:0.fileName = "a.vmdk"', 'ide0:0.deviceType'],
		['ide0:0.present = "TRUE"\nide0:0.fileName = "/dev/sda"', 'ide0:0.fileName'],
		['floppy0.present = "TRUE"\nfloppy0.fileName = "a.flp"', 'floppy0.fileType'],
		['uuid.bios = "12"', 'uuid.bios'],
		['rtc.diffFromUTC = 0', 'rtc.diffFromUTC'],
		['what is this', 'line 4'],
		['RemoteDisplay.vnc.enabled = "TRUE"\nRemoteDisplay.vnc.keymap = "d|01e"', 'RemoteDisplay.vnc.keymap'],
	] as const)('%s is refused, as libvirt refuses it', ([lines, field]) => {
		const said = vmxWith().split('\n');
		const key = lines.split(' ')[0] ?? '';
		const text = [...said.filter((line) => !line.startsWith(`${key} `)), lines].filter(Boolean).join('\n');
		expect(() => toXml(text)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED', field }));
	});

	test('words go without what XML cannot hold, and that is said', () => {
		const text = vmxWith('annotation = "a|07b"').replace('"x"', '"x|1by"');
		expect(toXml(text)).toMatch(/<name>xy<\/name>.*<description>ab<\/description>/s);
		expect(codes(text, 'libvirt').filter((code) => code === 'NAME_CHANGED')).toHaveLength(2);
	});

	test('a percent sign alone in a name is refused, and an escaped one is not', () => {
		expect(() => toXml(vmxWith().replace('"x"', '"50% done"'))).toThrow(UnsupportedError);
		expect(toXml(vmxWith().replace('"x"', '"50%25 done"'))).toContain('<name>50% done</name>');
	});

	test('the versions of libvirt differ as they do', () => {
		const disk = (bus: string) => [`${bus}0.present = "TRUE"`, `${bus}0:0.present = "TRUE"`, `${bus}0:0.fileName = "a.vmdk"`];
		expect(() => toXml(vmxWith('pciPassthru*.present = "FALSE"'), { profile: '9.0' })).toThrow(UnsupportedError);
		expect(toXml(vmxWith('pciPassthru*.present = "FALSE"'), { profile: '11.3' })).toContain('<domain');
		expect(toXml(vmxWith(...disk('nvme')), { profile: '11.3' })).not.toContain('nvme');
		expect(codes(vmxWith(...disk('nvme')), 'libvirt', { profile: '11.3' })).toContain('DISK_UNREACHED');
		expect(toXml(vmxWith(...disk('nvme')), { profile: '12.5' })).toContain("<target dev='nvme0n1' bus='nvme'/>");
		const folder = vmxWith(...disk('scsi')).replace('a.vmdk', 'sub/a.vmdk');
		expect(() => toXml(folder, { profile: '11.3', vmxPath: '[s] d/x.vmx' })).toThrow(UnsupportedError);
		expect(toXml(folder, { profile: '12.5', vmxPath: '[s] d/x.vmx' })).toContain('[s] d/sub/a.vmdk');
		const unclear = vmxWith('serial0.present = "TRUE"', 'serial0.fileType = "network"', 'serial0.fileName = "telnet://host"');
		expect(() => toXml(unclear, { profile: '9.0' })).toThrow(UnsupportedError);
		expect(toXml(unclear, { profile: '11.3' })).toContain("<serial type='null'>");
		expect(toXml(richVmx, { profile: '12.5' })).toContain('<hwuuid>564d0011-2233-4455-6677-8899aabbccdd</hwuuid>');
		expect(toXml(richVmx, { profile: '12.5' })).toContain('<nvram>web.nvram</nvram>');
		expect(toXml(vmxWith('vtpm.present = "TRUE"'), { profile: '12.5' })).toContain("<tpm model='tpm-crb'>");
		expect(codes(vmxWith('vtpm.present = "TRUE"'), 'libvirt', { profile: '9.0' })).toContain('TPM_LOST');
		expect(() => toXml(vmxWith(), { profile: '1.0' })).toThrow(UsageError);
	});

	test('a missing disk is refused, and a missing ISO leaves the drive empty', () => {
		const exists = () => false;
		expect(() => toXml(richVmx, { exists })).toThrow(UnsupportedError);
		const iso = vmxWith('ide0:0.present = "TRUE"', 'ide0:0.fileName = "a.iso"');
		expect(toXml(iso, { exists })).not.toContain('<source');
		expect(codes(iso, 'libvirt', { exists })).toContain('CDROM_MEDIA_MISSING');
	});

	test('an encrypted one is refused by name', () => {
		expect(() => toXml(vmxWith('encryption.keySafe = "vmware:key/list/x"'))).toThrow(/encrypted/);
	});

	test('two drives of one name, and a drive without its controller, are reported', () => {
		const both = ['scsi', 'sata'].flatMap((bus) => [
			`${bus}0.present = "TRUE"`,
			`${bus}0:0.present = "TRUE"`,
			`${bus}0:0.fileName = "${bus}.vmdk"`,
		]);
		expect(codes(vmxWith(...both), 'libvirt')).toContain('DISK_TARGET_TWICE');
		const alone = vmxWith('scsi0:0.present = "TRUE"', 'scsi0:0.fileName = "a.vmdk"');
		expect(codes(alone, 'libvirt')).toContain('DISK_WITHOUT_CONTROLLER');
		expect(toXml(alone)).not.toContain('a.vmdk');
	});

	test.for(['9.0', '11.3', '12.5'])('nothing is lost without a word by libvirt %s', (profile) => {
		expect(unaccounted(richVmx, (text) => planFaithfully(text, 'libvirt', { profile }))).toEqual([]);
	});

	test('no secret is in the report', () => {
		const said = JSON.stringify(planFaithfully(richVmx, 'libvirt').report);
		expect(said).not.toContain('c2VjcmV0');
		expect(said).not.toContain('opensesame');
	});
});

describe('a domain as a VMX', () => {
	test('says what libvirt would, in its order', () => {
		expect(toVmx(richDomain, { hardwareVersion: 8 })).toBe(`.encoding = "UTF-8"
config.version = "8"
virtualHW.version = "8"
guestOS = "other-64"
smbios.reflecthost = "true"
uuid.bios = "56 4d 00 11 22 33 44 55-66 77 88 99 aa bb cc dd"
displayName = "web%2fone"
annotation = "a <description>|0aof two lines"
memsize = "1024"
sched.mem.max = "512"
sched.mem.minsize = "256"
numvcpus = "4"
cpuid.coresPerSocket = "2"
sched.cpu.affinity = "0,1,2,5"
sched.cpu.shares = "normal"
RemoteDisplay.vnc.enabled = "true"
RemoteDisplay.vnc.port = "5901"
RemoteDisplay.vnc.ip = "127.0.0.1"
RemoteDisplay.vnc.keymap = "de"
RemoteDisplay.vnc.password = "opensesame"
scsi0.present = "true"
scsi0.virtualDev = "pvscsi"
scsi1.present = "true"
scsi1.virtualDev = "lsisas1068"
scsi0:0.present = "true"
scsi0:0.deviceType = "scsi-hardDisk"
scsi0:0.fileName = "/vmfs/volumes/store/web/web.vmdk"
scsi0:0.writeThrough = "true"
scsi1:0.present = "true"
scsi1:0.deviceType = "scsi-hardDisk"
scsi1:0.fileName = "/vmfs/volumes/store/web/data.vmdk"
scsi1:0.mode = "independent-nonpersistent"
ide1:0.present = "true"
ide1:0.deviceType = "cdrom-raw"
ide1:0.autodetect = "true"
ide1:0.fileName = "auto detect"
floppy0.present = "true"
floppy0.fileType = "file"
floppy0.fileName = "/vmfs/volumes/store/web/boot.flp"
floppy1.present = "false"
isolation.tools.hgfs.disable = "false"
sharedFolder.maxNum = "1"
sharedFolder0.present = "true"
sharedFolder0.enabled = "true"
sharedFolder0.readAccess = "true"
sharedFolder0.writeAccess = "false"
sharedFolder0.hostPath = "/srv"
sharedFolder0.guestName = "share"
ethernet0.present = "true"
ethernet0.virtualDev = "vmxnet3"
ethernet0.networkName = "VM Network"
ethernet0.connectionType = "bridged"
ethernet0.addressType = "static"
ethernet0.address = "00:50:56:01:02:03"
ethernet1.present = "true"
ethernet1.networkName = "n"
ethernet1.connectionType = "custom"
ethernet1.vnet = "/dev/vmnet2"
ethernet1.addressType = "generated"
ethernet1.generatedAddress = "00:0c:29:01:02:03"
ethernet1.generatedAddressOffset = "0"
ethernet2.present = "true"
ethernet2.connectionType = "nat"
ethernet2.addressType = "static"
ethernet2.address = "52:54:00:01:02:03"
ethernet2.checkMACAddress = "false"
ethernet3.present = "true"
ethernet3.addressType = "vpx"
ethernet3.generatedAddress = "00:50:56:80:00:01"
svga.vramSize = "8388608"
serial0.present = "true"
serial0.fileType = "network"
serial0.fileName = "telnets://0.0.0.0:4000"
serial0.network.endPoint = "server"
serial0.yieldOnMsrRead = "true"
parallel0.present = "true"
parallel0.fileType = "device"
parallel0.fileName = "/dev/parport0"
firmware = "efi"
pciBridge0.present = "true"
pciBridge4.present = "true"
pciBridge4.virtualDev = "pcieRootPort"
pciBridge4.functions = "8"
pciBridge5.present = "true"
pciBridge5.virtualDev = "pcieRootPort"
pciBridge5.functions = "8"
pciBridge6.present = "true"
pciBridge6.virtualDev = "pcieRootPort"
pciBridge6.functions = "8"
pciBridge7.present = "true"
pciBridge7.virtualDev = "pcieRootPort"
pciBridge7.functions = "8"
vmci0.present = "true"
`);
	});

	test('what it leaves out is in the report', () => {
		const report = planFaithfully(richDomain, 'vmx').report;
		expect(new Set(report.map(({ code }) => code))).toEqual(
			new Set([
				...[
					'COMMENTS_DROPPED',
					'HW_VERSION_ASSUMED',
					'CLOCK_LOST',
					'LIFECYCLE_LOST',
					'METADATA_DROPPED',
					'CONTROLLER_UNUSED',
					'TITLE_DROPPED',
				],
				...[
					'BALLOON_AS_LIMIT',
					'MEMORY_ROUNDED',
					'VIDEO_CHANGED',
					'BOOT_OPTION_LOST',
					'FEATURE_PARTIAL',
					'DISK_SERIAL_LOST',
					'NIC_OPTION_LOST',
				],
				...['DEVICE_DROPPED', 'XML_UNKNOWN_PARTS'],
			]),
		);
		expect(JSON.stringify(report)).not.toContain('opensesame');
	});

	test('nothing is lost without a word', () => {
		// What says how a thing is written, and not what it is.
		const spelling = [
			/^@xmlns/,
			/@unit$/,
			/@accessmode$/,
			/@placement$/,
			/@primary$/,
			/^devices\/console/,
			/@autoport$/,
			/graphics\/@listen$/,
		];
		expect(unaccountedParts(richDomain).filter((path) => !spelling.some((pattern) => pattern.test(path)))).toEqual([]);
	});

	test.for([
		["<disk type='file' device='disk'><source file='/a.vmdk'/><target dev='vda' bus='virtio'/></disk>", 'devices/disk/target'],
		["<disk type='file' device='disk'><source file='/a.vmdk'/><target dev='sda' bus='sata'/></disk>", 'devices/disk/target'],
		["<disk type='file' device='disk'><source file='/a.qcow2'/><target dev='sda' bus='scsi'/></disk>", 'devices/disk/source'],
		["<disk type='file' device='disk'><target dev='sda' bus='scsi'/></disk>", 'devices/disk/source'],
		["<disk type='network' device='disk'><target dev='sda' bus='scsi'/></disk>", 'devices/disk/@device'],
		[
			"<disk type='file'><source file='/a.vmdk'/><target dev='sda' bus='scsi'/><address type='drive' controller='1' bus='0' unit='0'/></disk>",
			'devices/disk/address',
		],
		["<disk type='file'><driver cache='none'/><source file='/a.vmdk'/><target dev='sda' bus='scsi'/></disk>", 'devices/disk/driver/@cache'],
		["<graphics type='spice'/>", 'devices/graphics/@type'],
		["<video><model type='qxl'/></video>", 'devices/video/model/@type'],
		["<video><model type='vmvga'/></video><video><model type='vmvga'/></video>", 'devices/video[2]'],
		["<interface type='network'><source network='default'/></interface>", 'devices/interface/@type'],
		["<interface type='user'><model type='virtio'/></interface>", 'devices/interface/model'],
		["<interface type='user'/>".repeat(5), 'devices/interface[5]'],
		["<serial type='pty'/>", 'devices/serial/@type'],
		["<filesystem type='block'><source dev='/x'/><target dir='y'/></filesystem>", 'devices/filesystem/@type'],
	] as const)('%s is refused, as libvirt refuses it', ([devices, field]) => {
		expect(() => toVmx(domainWith(devices))).toThrow(expect.objectContaining({ code: 'UNSUPPORTED', field }));
	});

	test.for([
		["<vcpu current='1'>2</vcpu>", 'vcpu/@current'],
		["<vcpu>2</vcpu><cpu><topology sockets='1' cores='1' threads='2'/></cpu>", 'cpu/topology/@threads'],
		["<vcpu>2</vcpu><cpu><topology sockets='1' cores='1' threads='1'/></cpu>", 'cpu/topology'],
		["<cpu mode='host-model'/>", 'cpu/@mode'],
	] as const)('%s is refused too', ([part, field]) => {
		expect(() => toVmx(domainWith('', part))).toThrow(expect.objectContaining({ code: 'UNSUPPORTED', field }));
	});

	test('one for another hypervisor is refused', () => {
		expect(() => toVmx(domainWith().replace("'vmware'", "'kvm'"))).toThrow(expect.objectContaining({ field: '@type' }));
	});
});

test('a VMX that libvirt made gives the same VMX back', () => {
	const vmx = toVmx(richDomain, { hardwareVersion: 8 });
	expect(toVmx(toXml(vmx, { vmxPath: '[store] web/web.vmx' }), { hardwareVersion: 8 })).toBe(vmx);
});

test('what describes no machine is refused', () => {
	for (const text of ['', 'hello', '<network/>', '# Disk DescriptorFile\nversion=1\n', '{"a":1}']) {
		expect(() => parseMachine(new TextEncoder().encode(text), 'x', machineFormats), text).toThrow(UnrecognizedError);
	}
});

test('a description with any value changed is translated, or refused with an error of ours', () => {
	const values = fc.constantFrom(
		'',
		'-1',
		'0',
		'1',
		'99999999999999999999',
		'TRUE',
		'x',
		'__proto__',
		'../../etc/passwd',
		'|0',
		'%',
		"'",
		'<',
		'\u0001',
		'é'.repeat(300),
	);
	const lines = richVmx.trimEnd().split('\n');
	const parts = richDomain.match(/'[^']*'|>[^<>\n]+</g) ?? [];
	const survives = (text: string, to: string) => {
		for (const profile of ['9.0', '11.3', '12.5']) {
			try {
				translate(text, to, { profile });
			} catch (error) {
				if (!(error instanceof VconvError)) throw new Error(`not a VconvError for\n${text}`, { cause: error });
			}
		}
	};
	fc.assert(
		fc.property(fc.nat(lines.length - 1), fc.nat(parts.length - 1), values, (line, part, value) => {
			survives(lines.map((said, index) => (index === line ? said.replace(/".*"/, `"${value}"`) : said)).join('\n'), 'libvirt');
			const said = parts[part] ?? '';
			survives(richDomain.replace(said, `${said[0]}${value}${said.at(-1)}`), 'vmx');
		}),
		{ numRuns: 100 },
	);
});
