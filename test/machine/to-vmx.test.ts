import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { machineFormats } from '../../formats/machines.ts';
import { UnsupportedError, UsageError, VconvError } from '../../src/errors.ts';
import { targetVersion } from '../../src/machine/migrate/hardware-version.ts';
import type { ToVmxOptions } from '../../src/machine/migrate/to-vmx-context.ts';
import { type MachinePlan, parseMachine, planMachine, printMachine } from '../../src/machine/plan.ts';
import { unaccountedParts } from './account.ts';
import { kvmWith, richKvm } from './kvm-sample.ts';
import { SPELLING } from './to-vmx-spelling.ts';

const plan = (text: string, options: ToVmxOptions = {}): MachinePlan =>
	planMachine(parseMachine(new TextEncoder().encode(text), 'machine.xml', machineFormats), { intent: 'migrate', to: 'vmx', ...options });
const toVmx = (text: string, options?: ToVmxOptions): string => printMachine(plan(text, options), machineFormats);
const entry = (text: string, code: string, options?: ToVmxOptions) => plan(text, options).report.find((told) => told.code === code);

const disk = (dev: string, bus: string, more = '', device = 'disk') =>
	`<disk type='file' device='${device}'><source file='/images/${dev}.qcow2'/><target dev='${dev}' bus='${bus}'/>${more}</disk>`;
const osinfo = (id: string) =>
	`<metadata><l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'><l:os id='http://${id}'/></l:libosinfo></metadata>`;
const WINDOWS = osinfo('microsoft.com/win/10');
const DEBIAN = osinfo('debian.org/debian/11');
const OLD_WINDOWS = osinfo('microsoft.com/win/xp');

describe('a domain of KVM as a VMX', () => {
	test('has its hardware in the words of VMware', () => {
		const vmx = toVmx(richKvm);
		for (const line of [
			'virtualHW.version = "19"',
			'guestOS = "debian11-64"',
			'uuid.bios = "33 22 11 00 55 44 77 66-88 99 aa bb cc dd ee ff"',
			'uuid.action = "keep"',
			'displayName = "web |22one|22 é😀"',
			'annotation = "two|0alines"',
			'vm.genid = "-570734802784577186"',
			'vm.genidX = "-5042519231342505152"',
			'memsize = "2052"',
			'sched.mem.minsize = "2052"',
			'sched.mem.pin = "TRUE"',
			'mem.hotadd = "TRUE"',
			'numvcpus = "4"',
			'cpuid.coresPerSocket = "4"',
			'vcpu.hotadd = "TRUE"',
			'vhv.enable = "TRUE"',
			'hypervisor.cpuid.v0 = "FALSE"',
			'sched.cpu.shares = "high"',
			'rtc.diffFromUTC = "3600"',
			'scsi0.virtualDev = "pvscsi"',
			'scsi0:0.fileName = "data.vmdk"',
			'scsi0:0.mode = "independent-persistent"',
			'scsi0:1.fileName = "root.vmdk"',
			'scsi0:1.sharing = "multi-writer"',
			'scsi0:1.writeThrough = "TRUE"',
			'scsi0:2.fileName = "image.vmdk"',
			'scsi0:2.mode = "independent-nonpersistent"',
			'scsi0:3.fileName = "v.vmdk"',
			'sata0:0.fileName = "data-1.vmdk"',
			'sata0:1.deviceType = "atapi-cdrom"',
			'disk.EnableUUID = "TRUE"',
			'bios.bootOrder = "cdrom,hdd,ethernet0"',
			'bios.hddOrder = "scsi0:1,scsi0:0,scsi0:2,scsi0:3,sata0:0"',
			'bios.bootDelay = "3000"',
			'bios.bootRetry.delay = "10"',
			'ethernet0.virtualDev = "vmxnet3"',
			'ethernet0.connectionType = "nat"',
			'ethernet0.address = "52:54:00:01:02:03"',
			'ethernet0.checkMACAddress = "FALSE"',
			'ethernet1.virtualDev = "e1000"',
			'ethernet1.startConnected = "FALSE"',
			'ethernet2.virtualDev = "e1000e"',
			'serial0.fileType = "pipe"',
			'serial0.pipe.endPoint = "server"',
			'serial2.fileName = "telnet://h:4000"',
			'parallel0.fileName = "printed"',
			'sharedFolder0.hostPath = "/srv"',
			'usb_xhci.present = "TRUE"',
			'svga.vramSize = "67108864"',
			'sound.virtualDev = "hdaudio"',
			'pciBridge7.functions = "8"',
		]) {
			expect(vmx).toContain(`${line}\n`);
		}
		expect(vmx).not.toMatch(/= "(true|false)"|opensesame|serial1|floppy0.present = "TRUE"/);
	});

	test('what it loses, changes and assumes is in the report', () => {
		const { report } = plan(richKvm);
		const codes = new Set<string>(report.map(({ code }) => code));
		for (const code of [
			...[
				'HYPERV_DROPPED',
				'LIFECYCLE_LOST',
				'DISK_TO_CONVERT',
				'CDROM_MEDIA_DROPPED',
				'FLOPPY_DROPPED',
				'DISK_SHARED',
				'DISK_CACHE_DROPPED',
			],
			...[
				'DISK_SERIAL_LOST',
				'BOOT_DRIVER_RISK',
				'UUID_SWAPPED',
				'TITLE_DROPPED',
				'CPU_MODEL_DROPPED',
				'CPU_AFFINITY_LOST',
				'SHARES_SCALED',
			],
			...['CPU_THREADS_FOLDED', 'MEMORY_ROUNDED', 'BALLOON_TARGET_DROPPED', 'SMBIOS_PARTIAL', 'NET_UNMAPPED', 'VLAN_TO_PORTGROUP'],
			...['NIC_MODEL_CHANGED', 'NIC_NAME_CHANGES', 'VIDEO_CHANGED', 'GRAPHICS_CHANGED', 'SERIAL_PIPE', 'SERIAL_DROPPED', 'SOUND_CHANGED'],
			...['TPM_UNSUPPORTED', 'PASSTHROUGH', 'USB_PASSTHROUGH', 'DEVICE_DROPPED', 'TUNING_DROPPED', 'DISK_QOS_LOST', 'TIMERS_DROPPED'],
		]) {
			expect(codes, code).toContain(code);
		}
		expect(JSON.stringify(report)).not.toContain('opensesame');
	});

	test('nothing vanishes', () => {
		expect(unaccountedParts(richKvm, plan).filter((part) => !SPELLING.test(part))).toEqual([]);
	});

	test.for([
		['debian', 'virtio', DEBIAN, 'scsi0:0', 'pvscsi', 'warning'],
		['Windows', 'virtio', WINDOWS, 'nvme0:0', undefined, 'error'],
		['Windows', 'sata', WINDOWS, 'sata0:0', undefined, undefined],
		['Windows', 'ide', WINDOWS, 'ide0:0', undefined, undefined],
		['XP', 'virtio', OLD_WINDOWS, 'ide0:0', undefined, 'error'],
		['RHEL 5', 'virtio', osinfo('redhat.com/rhel/5.4'), 'scsi0:0', 'lsilogic', 'warning'],
	] as const)('%s on %s boots from what its drivers know', ([, bus, guest, id, model, severity]) => {
		const text = kvmWith(disk(bus === 'ide' ? 'hda' : 'vda', bus), guest);
		const { spec } = plan(text);
		expect(spec.disks[0]?.id).toBe(id);
		expect(spec.controllers[0]?.model).toBe(model);
		expect(entry(text, 'BOOT_DRIVER_RISK')?.severity).toBe(severity);
	});

	test.for([
		['the usual adapter, where it has its driver', DEBIAN, { pvscsi: 'boot', sata: 'boot' }, 'scsi0:0', 'pvscsi', 'CONTROLLER_CHANGED'],
		[
			'another that it has the driver of',
			DEBIAN,
			{ pvscsi: 'absent', nvme: 'installed', sata: 'boot' },
			'sata0:0',
			undefined,
			'CONTROLLER_CHANGED',
		],
		[
			'the old adapter of VMware',
			DEBIAN,
			{ pvscsi: 'absent', sata: 'absent', lsilogic: 'boot' },
			'scsi0:0',
			'lsilogic',
			'CONTROLLER_CHANGED',
		],
		['IDE, if it has nothing else', WINDOWS, { nvme: 'installed', sata: 'absent', ide: 'boot' }, 'ide0:0', undefined, 'CONTROLLER_CHANGED'],
		['the usual one, where it has none', DEBIAN, { pvscsi: 'installed', sata: 'absent' }, 'scsi0:0', 'pvscsi', 'BOOT_DRIVER_RISK error'],
		[
			'the usual one, where nothing is known',
			DEBIAN,
			{ pvscsi: 'unknown', sata: 'unknown' },
			'scsi0:0',
			'pvscsi',
			'BOOT_DRIVER_RISK warning',
		],
	] as const)('what was found in the guest decides: it boots from %s', ([, guest, drivers, id, model, told]) => {
		const { spec, report } = plan(kvmWith(disk('vda', 'virtio'), guest), { guest: { disk: drivers } });
		expect(spec.disks[0]?.id).toBe(id);
		expect(spec.controllers.find(({ bus }) => bus === 'scsi')?.model).toBe(model);
		const { code, severity } = report.find(({ subject }) => subject === id) ?? {};
		expect(code === 'BOOT_DRIVER_RISK' ? `${code} ${severity}` : code).toBe(told);
	});

	test('a guest that is known to start from nothing of VMware is an error, and one that stays where it starts from needs no word', () => {
		const none = {
			guest: { disk: { pvscsi: 'installed', lsilogic: 'absent', lsisas1068: 'absent', sata: 'absent', nvme: 'absent', ide: 'absent' } },
		} as const;
		expect(entry(kvmWith(disk('vda', 'virtio'), DEBIAN), 'BOOT_DRIVER_RISK', none)?.severity).toBe('error');
		expect(entry(kvmWith(disk('sda', 'sata'), DEBIAN), 'BOOT_DRIVER_RISK', none)?.severity).toBe('error');
		const { spec } = plan(kvmWith(disk('sda', 'sata'), DEBIAN), { guest: { disk: { sata: 'boot', pvscsi: 'boot' } } });
		expect(spec.disks[0]?.id).toBe('sata0:0');
	});

	test('what is known is not taken where the virtual hardware is too old for it', () => {
		const { spec } = plan(kvmWith(disk('vda', 'virtio'), DEBIAN), { hardwareVersion: 9, guest: { disk: { sata: 'boot', ide: 'boot' } } });
		expect(spec.disks[0]?.id).toBe('ide0:0');
	});

	test('a card is one that the guest is known to have a driver for', () => {
		const card = "<interface type='network'><source network='default'/><model type='virtio'/></interface>";
		const model = (guest: ToVmxOptions['guest']) => plan(kvmWith(disk('vda', 'virtio') + card, DEBIAN), { guest }).spec.nics[0]?.model;
		expect(model({ nic: { vmxnet3: 'absent', e1000e: 'absent', e1000: 'installed' } })).toBe('e1000');
		expect(model({ nic: { vmxnet3: 'installed', e1000: 'boot' } })).toBe('vmxnet3');
		expect(model(undefined)).toBe('vmxnet3');
	});

	test('disks of one bus are in the order of their targets, wherever they are listed', () => {
		const text = kvmWith(
			disk('vdb', 'virtio') +
				disk('sdb', 'sata', '<readonly/>') +
				disk('vdaa', 'virtio', '<serial>AA</serial>') +
				disk('vda', 'virtio') +
				disk('sda', 'sata'),
			DEBIAN,
		);
		const { spec, report } = plan(text);
		expect(spec.disks.map(({ id, fileName }) => `${id} ${fileName}`)).toEqual([
			'scsi0:0 vda.vmdk',
			'scsi0:1 vdb.vmdk',
			'scsi0:2 vdaa.vmdk',
			'sata0:0 sda.vmdk',
			'sata0:1 sdb.vmdk',
		]);
		expect(entry(text, 'BOOT_DRIVER_RISK')?.subject).toBe('scsi0:0');
		// What is said of one is of its own element.
		expect(report.find(({ code }) => code === 'DISK_SERIAL_LOST')).toMatchObject({
			subject: 'scsi0:2',
			keys: expect.arrayContaining(['devices/disk[3]/serial']),
		});
		expect(report.find(({ code }) => code === 'DISK_OPTION_LOST')).toMatchObject({
			subject: 'sata0:1',
			keys: ['devices/disk[2]/readonly'],
		});
	});

	test.for([
		['esxi', 960, 24 << 10],
		['any', 960, 24 << 10],
		['hosted', 32, 128],
	] as const)('with more CPUs or memory than there can be is an error: %s', ([product, cpus, gib]) => {
		const told = (cpu: number, memory: number) => {
			const size = `<vcpu>${cpu}</vcpu><memory unit='GiB'>${memory}</memory>`;
			const { report } = plan(kvmWith('', size).replace('<memory>4096</memory>', ''), { product });
			return report.filter(({ code }) => code === 'BIG_VM').map(({ severity, subject }) => `${severity} ${subject}`);
		};
		expect(told(cpus, gib)).toEqual([]);
		expect(told(cpus + 1, gib + 1)).toEqual(['error cpu', 'error memory']);
	});

	test('have other sectors, or are memory, which is an error', () => {
		const blocks = (size: number) => kvmWith(disk('sda', 'sata', `<blockio logical_block_size='${size}'/>`));
		expect(entry(blocks(4096), 'DISK_SECTOR_SIZE')).toMatchObject({ severity: 'error', subject: 'sata0:0' });
		expect(entry(blocks(512), 'DISK_SECTOR_SIZE')).toBeUndefined();
		const pmem = "<memory model='virtio-pmem'><source><path>/tmp/nv</path></source><target><size>524288</size></target></memory>";
		expect(entry(kvmWith(pmem), 'PMEM_LOST')).toMatchObject({ severity: 'error' });
	});

	test('may be but a part of their files, or over other images than these say, which is no small loss', () => {
		const slice = "<source file='/b'><slices><slice type='storage' offset='512' size='512'/></slices></source>";
		const part = kvmWith(`<disk type='file'>${slice}<target dev='sda' bus='sata'/></disk>`);
		expect(entry(part, 'DISK_SLICE_LOST')).toMatchObject({ severity: 'error' });
		const base = "<backingStore type='file'><format type='raw'/><source file='/base'/><backingStore/></backingStore>";
		expect(entry(kvmWith(disk('sda', 'sata', base)), 'DISK_CHAIN_LOST')).toMatchObject({ severity: 'warning' });
		expect(entry(kvmWith(disk('sda', 'sata', '<backingStore/>')), 'DISK_CHAIN_LOST')).toBeUndefined();
	});

	test('seventeen disks are on two adapters, and none is unit 7', () => {
		const disks = Array.from({ length: 17 }, (_, index) => disk(`vd${String.fromCharCode(97 + index)}`, 'virtio')).join('');
		const ids = plan(kvmWith(disks, DEBIAN)).spec.disks.map(({ id }) => id);
		expect(ids).toHaveLength(17);
		expect(ids).not.toContain('scsi0:7');
		expect(ids.at(-1)).toBe('scsi1:1');
	});

	test('more drives than there is room for are refused', () => {
		const disks = Array.from({ length: 181 }, (_, index) => disk(`vd${index}`, 'virtio')).join('');
		expect(() => plan(kvmWith(disks, DEBIAN))).toThrow(UnsupportedError);
	});

	test('the eleventh network card is left out, and that is an error', () => {
		const cards = "<interface type='bridge'><source bridge='b'/></interface>".repeat(12);
		expect(plan(kvmWith(cards)).spec.nics).toHaveLength(10);
		expect(entry(kvmWith(cards), 'NIC_LIMIT')?.severity).toBe('error');
	});

	test('EFI and secure boot are kept, and a TPM wants somebody to act', () => {
		const text = kvmWith(
			"<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>",
			'',
			"<os firmware='efi'><type arch='x86_64'>hvm</type><firmware><feature name='secure-boot' enabled='yes'/></firmware></os>",
		);
		expect(toVmx(text)).toMatch(/firmware = "efi"\nuefi.secureBoot.enabled = "TRUE"/);
		expect(entry(text, 'TPM_NEEDS_PROVIDER')?.severity).toBe('error');
		expect(entry(text, 'HW_TOO_LOW', { hardwareVersion: 11 })?.severity).toBe('error');
	});

	test('no two disks have one name, not even where case does not count', () => {
		const disk = (file: string, dev: string) => `<disk type='file'><source file='/d/${file}'/><target dev='${dev}' bus='virtio'/></disk>`;
		const vmx = toVmx(kvmWith(disk('disk.raw', 'vda') + disk('DISK.qcow2', 'vdb')));
		expect([...vmx.matchAll(/fileName = "(.*)"/g)].map(([, name]) => name)).toEqual(['disk.vmdk', 'DISK-1.vmdk']);
	});

	test.for([
		['the second alone', [undefined, 1], [2], 'ethernet1,hdd'],
		['one before and one behind the disk', [3, 1], [2], 'ethernet1,hdd,ethernet0'],
		['the first of two behind the disk', [2, undefined], [1], 'hdd,ethernet0'],
		['all, as VMware does', [2, 3], [1], undefined],
		['none', [undefined, undefined], [1], undefined],
	] as const)('network cards are in the boot order by name: %s', ([, cards, [disks], expected]) => {
		const boot = (order: number | undefined) => (order === undefined ? '' : `<boot order='${order}'/>`);
		const text = kvmWith(
			disk('vda', 'virtio', boot(disks)) + cards.map((order) => `<interface type='user'>${boot(order)}</interface>`).join(''),
		);
		expect(plan(text).spec.firmware.bootOrder?.join()).toBe(expected);
		expect(entry(text, 'BOOT_OPTION_LOST')).toBeUndefined();
	});

	test('the network as a kind is the first card, as for libvirt', () => {
		const os = "<os><type arch='x86_64'>hvm</type><boot dev='network'/><boot dev='hd'/></os>";
		expect(toVmx(kvmWith(disk('vda', 'virtio') + "<interface type='user'/>".repeat(2), '', os))).toContain(
			'bios.bootOrder = "ethernet0,hdd"\n',
		);
	});

	test.for([
		[4, [1, 16, 1], '4', 'CPU_SOCKETS_MERGED'],
		[4, [2, 4, 2], '4', 'CPU_SOCKETS_MERGED'],
		[12, [2, 8, 1], '6', 'CPU_SOCKETS_MERGED'],
		[10, [4, 4, 1], '10', 'CPU_SOCKETS_MERGED'],
		[1, [1, 16, 1], undefined, 'CPU_SOCKETS_MERGED'],
		[8, [2, 8, 1], '8', undefined],
		[16, [16, 1, 1], undefined, undefined],
		[4, [1, 8, 1], undefined, 'CPU_TOPOLOGY_INCONSISTENT'],
	] as const)('%i CPUs of 16 that are on fill the sockets of %j', ([online, [sockets, cores, threads], expected, code]) => {
		const topology = `<cpu><topology sockets='${sockets}' cores='${cores}' threads='${threads}'/></cpu>`;
		const text = kvmWith('', `<vcpu current='${online}'>16</vcpu>${topology}`);
		expect(/coresPerSocket = "(\d+)"/.exec(toVmx(text))?.[1]).toBe(expected);
		expect(toVmx(text)).toContain(`numvcpus = "${online}"\n`);
		const codes = plan(text).report.map((told) => told.code);
		expect(codes.filter((told) => told === 'CPU_SOCKETS_MERGED' || told === 'CPU_TOPOLOGY_INCONSISTENT')).toEqual(code ? [code] : []);
	});

	test('what KVM tells Windows is named, or said to be all of it', () => {
		const said = (hyperv: string) => entry(kvmWith('', `<features>${hyperv}</features>`), 'HYPERV_DROPPED')?.message;
		expect(said("<hyperv><relaxed state='on'/></hyperv>")).toBe('VMware tells Windows by itself what relaxed tell');
		expect(said("<hyperv mode='passthrough'/>")).toBe('VMware tells Windows by itself what KVM would');
	});

	// libvirt 9.0: 'missing source information for device vdb'.
	test('a hard disk without an image, which libvirt does not take, is an error', () => {
		const disk = (said: string) => `<disk type='file' device='${said}'><target dev='sdb' bus='scsi'/></disk>`;
		expect(entry(kvmWith(disk('disk')), 'DISK_WITHOUT_FILE')).toMatchObject({ severity: 'error', subject: 'sdb', keys: ['devices/disk'] });
		for (const kind of ['lun', 'cdrom']) expect(entry(kvmWith(disk(kind)), 'DISK_WITHOUT_FILE')).toBeUndefined();
		// Nor is it a disk of the VMX, whose image nobody could make.
		expect(plan(kvmWith(disk('disk'))).spec.disks.filter(({ kind }) => kind === 'disk')).toEqual([]);
		expect(entry(kvmWith(disk('disk')), 'DISK_TO_CONVERT')).toBeUndefined();
	});

	test('a kernel that the host starts is no boot loader, which is an error', () => {
		const os = '<os><type>hvm</type><kernel>/boot/vmlinuz</kernel><initrd>/boot/initrd</initrd><cmdline>root=/dev/vda1</cmdline></os>';
		const said = entry(kvmWith('', '', os), 'DIRECT_BOOT_LOST');
		expect(said?.severity).toBe('error');
		expect(said?.keys).toEqual(['os/kernel', 'os/initrd', 'os/cmdline']);
	});

	test('what libvirt itself says of the file with the variables is known', () => {
		const nvram = "<nvram template='/x/OVMF_VARS.qcow2' templateFormat='qcow2' format='qcow2'>/x/web_VARS.qcow2</nvram>";
		const os = `<os firmware='efi'><type>hvm</type><loader type='pflash'>/x/OVMF_CODE.qcow2</loader>${nvram}</os>`;
		expect(entry(kvmWith('', '', os), 'XML_UNKNOWN_PARTS')).toBeUndefined();
	});

	// osinfo-db has media of both for it, and the x64 edition is an oddity; other Windows are as often of 64 bits.
	test('Windows XP is of 32 bits on a processor of 64, unless the disk or the user says otherwise', () => {
		const domain = kvmWith(disk('hda', 'ide'), OLD_WINDOWS);
		const is64 = 'guestOS = "winXPPro-64"';
		expect(toVmx(domain)).toContain('guestOS = "winXPPro"');
		expect(entry(domain, 'GUESTOS_GUESSED')?.severity).toBe('info');
		expect(toVmx(domain, { guestOs: 'winXPPro-64' })).toContain(is64);
		expect(toVmx(domain, { guest: { bits: 64 } })).toContain(is64);
		expect(entry(domain, 'GUESTOS_GUESSED', { guest: { bits: 32 } })).toBeUndefined();
		expect(toVmx(kvmWith('', osinfo('microsoft.com/win/2k3')))).toContain('guestOS = "winNetEnterprise-64"');
		expect(toVmx(kvmWith('', WINDOWS), { guest: { bits: 32 } })).toContain('guestOS = "windows9"');
	});

	test('a guest that nobody knows is taken as it is said, with a warning', () => {
		const text = kvmWith();
		expect(entry(text, 'GUESTOS_UNKNOWN', { guestOs: 'ubunto-64' })).toMatchObject({ severity: 'warning', action: 'none' });
		expect(toVmx(text, { guestOs: 'ubunto-64' })).toContain('guestOS = "ubunto-64"');
		for (const guestOs of ['ubuntu-64', 'Debian12-64', 'other-64', 'rhel12-64'])
			expect(entry(text, 'GUESTOS_UNKNOWN', { guestOs }), guestOs).toBeUndefined();
	});

	test('networks are those that a map says', () => {
		const card = "<interface type='bridge'><mac address='52:54:00:01:02:03'/><source bridge='br0'/></interface>";
		expect(toVmx(kvmWith(card), { networks: new Map([['bridge:br0', 'Prod']]) })).toContain('networkName = "Prod"');
		expect(entry(kvmWith(card), 'NET_UNMAPPED', { networks: new Map([['default', 'nat']]) })).toBeUndefined();
		const running = card.replace('</i', "<target dev='vnet3'/></i");
		expect(entry(kvmWith(running), 'NET_UNMAPPED')).toBeDefined();
		expect(toVmx(kvmWith(running))).toBe(toVmx(kvmWith(card)));
		expect(toVmx(kvmWith(card.replace('</i', "<target dev='/dev/vmnet3'/></i")))).toContain('vnet = "/dev/vmnet3"');
		const nat = "<interface type='user'/>";
		expect(entry(kvmWith(nat), 'NET_UNMAPPED', { product: 'esxi' })?.severity).toBe('error');
	});

	test('a UUID stays what the guest reads', () => {
		expect(toVmx(kvmWith(), { hardwareVersion: 11 })).toContain('uuid.bios = "00 11 22 33 44 55 66 77-88');
		expect(toVmx(kvmWith(), { newUuid: true })).toContain('uuid.action = "create"');
	});

	test.for([
		["<os><type arch='aarch64' machine='virt'>hvm</type></os>", '', 'os/type/@arch'],
		['<os><type>hvm</type></os>', disk('vda', 'virtio', "<encryption format='luks'/>"), 'devices/disk/encryption'],
	] as const)('%s is refused by name', ([os, devices, field]) => {
		expect(() => plan(kvmWith(devices, '', os))).toThrow(expect.objectContaining({ code: 'UNSUPPORTED', field }));
	});

	test('a version of a product is a hardware version', () => {
		expect(targetVersion('esxi=8.0.2')).toEqual({ product: 'esxi', hardwareVersion: 21 });
		expect(targetVersion('esxi=6.7')).toEqual({ product: 'esxi', hardwareVersion: 14 });
		expect(targetVersion('ws=17')).toEqual({ product: 'hosted', hardwareVersion: 20 });
		expect(targetVersion('hw=13')).toEqual({ hardwareVersion: 13 });
		for (const wrong of ['esxi', 'esxi=1.0', 'hw=2', 'hw=99', 'hw=1.5', 'xen=4']) expect(() => targetVersion(wrong)).toThrow(UsageError);
	});
});

test('a domain with any value changed becomes a VMX, or is refused with an error of ours', () => {
	const values = fc.constantFrom('', '-1', '0', '7', '99999999999999999999', 'yes', 'x', '__proto__', '../../x', '%', 'é'.repeat(300));
	const parts = richKvm.match(/'[^']*'|>[^<>\n]+</g) ?? [];
	fc.assert(
		fc.property(fc.nat(parts.length - 1), values, fc.constantFrom(4, 10, undefined), (part, value, hardwareVersion) => {
			const said = parts[part] ?? '';
			try {
				toVmx(
					richKvm.replace(said, () => `${said[0]}${value}${said.at(-1)}`),
					{ hardwareVersion },
				);
			} catch (error) {
				if (!(error instanceof VconvError)) throw new Error(`not a VconvError for ${said} as ${value}`, { cause: error });
			}
		}),
		{ numRuns: process.env['VCONV_THOROUGH'] ? 5000 : 100 },
	);
});

describe('what is asked for counts before what the domain says', () => {
	const tpm = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>";
	const efi = "<os firmware='efi'><type arch='x86_64'>hvm</type></os>";

	test.for([
		['EFI', kvmWith(), { firmware: 'efi' }, 'firmware = "efi"', 'FIRMWARE_UNKNOWN'],
		['secure boot', kvmWith(), { firmware: 'efi', secureBoot: true }, 'uefi.secureBoot.enabled = "TRUE"', 'SECUREBOOT_KEYS_LOST'],
		['secure boot of a BIOS', kvmWith(), { secureBoot: true }, 'displayName', 'SECUREBOOT_LOST'],
		['a TPM', kvmWith(), { firmware: 'efi', tpm: true }, 'vtpm.present = "TRUE"', 'TPM_NEEDS_PROVIDER'],
		['a clock of local time on ESXi', kvmWith(), { clock: 'localtime', product: 'esxi' }, 'displayName', 'CLOCK_LOST'],
		['a clock of UTC', kvmWith('', "<clock offset='variable' adjustment='60'/>"), { clock: 'utc' }, 'rtc.diffFromUTC = "0"', 'CLOCK_LOST'],
		['no TPM', kvmWith(tpm), { tpm: false }, 'displayName', 'TPM_STATE_LOST'],
	] as const)('%s', ([, domain, options, there, code]) => {
		expect(toVmx(domain, options)).toContain(there);
		expect(entry(domain, code)).toBeUndefined();
		expect(entry(domain, code, options)).toBeDefined();
	});

	test('and takes away what is not wanted', () => {
		const said = kvmWith('', '', efi);
		expect(toVmx(said)).toContain('firmware = "efi"');
		expect(toVmx(said, { firmware: 'bios' })).not.toContain('firmware = ');
		expect(toVmx(kvmWith(), { clock: 'localtime', product: 'hosted' })).not.toContain('rtc.');
	});
});
