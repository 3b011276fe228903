import { parseNetRules } from '../../src/machine/migrate/net-map.ts';
import type { MigrateOptions } from '../../src/machine/migrate/options.ts';
import { pciBridges, richVmx, vmxWith } from './samples.ts';

const disks = (adapter: string, model: string, count: number): string[] => [
	`${adapter}0.present = "TRUE"`,
	...(model === '' ? [] : [`${adapter}0.virtualDev = "${model}"`]),
	...Array.from({ length: count }, (_, unit) => [
		`${adapter}0:${unit}.present = "TRUE"`,
		`${adapter}0:${unit}.fileName = "${adapter}${unit}.vmdk"`,
	]).flat(),
];

const cards = (...models: string[]): string[] =>
	models.flatMap((model, index) => [
		`ethernet${index}.present = "TRUE"`,
		`ethernet${index}.virtualDev = "${model}"`,
		`ethernet${index}.networkName = "net ${index}"`,
	]);

const sound = (model: string): string[] => ['sound.present = "TRUE"', `sound.virtualDev = "${model}"`];

const bios = (text: string): string => text.replace('firmware = "efi"', '');

/** Machines of VMware's for every kind of domain that is made of one: policies, guests, firmware, and each device that differs in QEMU. */
export const kinds: readonly (readonly [string, string, MigrateOptions?])[] = [
	['rich', richVmx, { keepSource: true }],
	['windows', richVmx.replace('ubuntu-64', 'windows9-64').replace('"pvscsi"', '"lsisas1068"')],
	['windows-bios', bios(richVmx).replace('ubuntu-64', 'windows9srv-64').replace('"pvscsi"', '"lsisas1068"')],
	['xp', bios(richVmx).replace('ubuntu-64', 'winXPPro').replace('"pvscsi"', '"buslogic"')],
	['rhel', bios(richVmx).replace('ubuntu-64', 'rhel8-64')],
	['preserved', bios(richVmx).replace('"pvscsi"', '"lsilogic"'), { devices: 'preserve' }],
	[
		'named',
		vmxWith(
			'guestOS = "debian11-64"',
			...pciBridges,
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
	['efi', vmxWith('guestOS = "debian12-64"', 'firmware = "efi"', ...disks('sata', '', 2))],
	[
		'tpm',
		vmxWith(
			'guestOS = "windows11-64"',
			'firmware = "efi"',
			'uefi.secureBoot.enabled = "TRUE"',
			'vtpm.present = "TRUE"',
			...disks('nvme', '', 2),
			...cards('e1000e'),
			...sound('hdaudio'),
		),
	],
	['virtio-scsi', vmxWith('guestOS = "debian12-64"', ...disks('scsi', 'pvscsi', 6), 'scsi0:5.mode = "independent-nonpersistent"')],
	['cards', vmxWith('guestOS = "ubuntu-64"', ...cards('vmxnet3', 'e1000', 'e1000e', 'vlance')), { devices: 'compat' }],
	[
		'networks',
		vmxWith('guestOS = "ubuntu-64"', ...cards('vmxnet3', 'vmxnet3', 'vmxnet3', 'vmxnet3', 'vmxnet3')),
		{
			netMap: parseNetRules(
				'net 0=bridge=br0\nnet 1=ovs=br-int,vlan=7\nnet 2=network=prod,portgroup=web\nnet 3=direct=eth0,mode=bridge,model=rtl8139\nnet 4=user',
			),
		},
	],
	['sound-old', vmxWith('guestOS = "winXPPro"', ...disks('ide', '', 2), ...sound('es1371'), ...cards('vlance'))],
	['sound-older', vmxWith('guestOS = "win98"', ...disks('ide', '', 1), ...sound('sb16'))],
	['sound-bios', vmxWith('guestOS = "windows7"', ...disks('ide', '', 1), ...sound('hdaudio'), 'usb.present = "TRUE"')],
	['shared', vmxWith('guestOS = "debian12-64"', ...disks('scsi', 'pvscsi', 2), 'scsi0:1.sharing = "multi-writer"')],
	[
		'ports',
		vmxWith(
			'guestOS = "debian12-64"',
			...[
				['network', 'tcp://0.0.0.0:4001', 'server'],
				['network', 'telnet://10.0.0.1:4002', 'client'],
				['pipe', 'console', 'server'],
				['device', '/dev/ttyS0', ''],
			].flatMap(([type, name, end], index) => [
				`serial${index}.present = "TRUE"`,
				`serial${index}.fileType = "${type}"`,
				`serial${index}.fileName = "${name}"`,
				...(end === '' ? [] : [`serial${index}.${type}.endPoint = "${end}"`]),
			]),
			'parallel0.present = "TRUE"',
			'parallel0.fileType = "file"',
			'parallel0.fileName = "printed"',
		),
	],
	['file', vmxWith('guestOS = "debian12-64"', 'serial0.present = "TRUE"', 'serial0.fileType = "file"', 'serial0.fileName = "said.log"')],
];
