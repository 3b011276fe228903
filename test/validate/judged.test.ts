import { describe, expect, it } from 'vitest';
import type { DiskBus } from '../../src/guest/facts.ts';
import type { Facts } from '../../src/validate/facts.ts';
import { targets } from '../../src/validate/targets.ts';
import { targetNamed, validate } from '../../src/validate/validate.ts';
import { absent, card, domain, domcaps, dynamicDisk, fired, img, inside, luks, made, nic, spread, vm, windows } from './facts-of.ts';
import { disk, drivers, guest, healthy, machine, noDrivers, system, withDisks } from './healthy.ts';

const PASSTHRU = ['scsi0:3.present = "TRUE"', 'scsi0:3.deviceType = "scsi-passthru"'];
const USB = '<hostdev mode="subsystem" type="usb"><source><vendor id="0x0529"/><product id="0x0001"/></source></hostdev>';
const RESERVED =
	'<disk type="block" device="lun"><source dev="/dev/sdx"><reservations managed="yes"/></source><target dev="sda" bus="scsi"/></disk>';
const LIMITED =
	'<disk type="file"><source file="a.raw"/><target dev="vda" bus="virtio"/><iotune><total_iops_sec>100</total_iops_sec></iotune></disk>';
const cardOf = (model: string): string => `<interface type="bridge"><source bridge="b"/><model type="${model}"/></interface>`;
const USUAL =
	'<emulator>/usr/bin/qemu-system-x86_64</emulator><controller type="usb" model="qemu-xhci" ports="15"/><channel type="unix"><target type="virtio" name="org.qemu.guest_agent.0"/></channel><input type="tablet" bus="usb"/><memballoon model="virtio"/><rng model="virtio"><backend model="random">/dev/urandom</backend></rng>';
const STAGED = { disk: drivers.disk, network: { hyperv: { state: 'staged', evidence: 'wnetvsc.inf' } } } as const;
const CARD = '<mac address="52:54:00:00:00:01"/><source><address type="pci" domain="0" bus="59" slot="2" function="1"/></source>';

describe('what a description says', () => {
	it.for<readonly [string, Facts, id: string, target?: string]>([
		["a card of the host as libvirt's interface", domain(`<interface type="hostdev">${CARD}</interface>`), 'vmware.device.sriov.detected'],
		['a SCSI device of the host', withDisks(...PASSTHRU, 'scsi0:3.fileName = "/dev/sg3"'), 'vmware.passthrough_device.detected'],
		['a USB device of the host', domain(USB), 'vconv.usb.devices', 'esxi'],
		[
			'memory that SEV encrypts',
			domain('', '<launchSecurity type="sev"><policy>3</policy></launchSecurity>'),
			'vconv.memory.protected',
			'esxi',
		],
		['enclaves', vm('sgx.epcSize = "128"'), 'vconv.memory.protected'],
		['CPUs that are pinned', domain('', '<cputune><vcpupin vcpu="0" cpuset="2"/></cputune>'), 'vmware.cpu_affinity.detected'],
		['an element that nobody knows', domain('<quantum/>'), 'vconv.keys.unknown', 'esxi'],
		['a disk that is reserved', domain(RESERVED), 'vmware.disk.shared.detected', 'esxi'],
		['a limit of a disk', domain(LIMITED), 'vconv.watchdog', 'esxi'],
		["a card of QEMU's", domain(cardOf('igb')), 'ovirt.nic.interface_type.unsupported', 'proxmox'],
		['a TPM that is added at the next start', vm('managedvm.autoAddVTPM = "software"'), 'vmware.tpm.detected'],
		['a CPU limit', vm('sched.cpu.max = "1000"'), 'vconv.cpu.shares'],
		['a CPU reservation', vm('sched.cpu.min = "1000"'), 'vconv.cpu.shares'],
		['a reservation of memory', vm('sched.mem.min = "1024"'), 'vconv.cpu.shares'],
		['memory that stays in the host', vm('sched.mem.pin = "TRUE"'), 'vconv.cpu.shares'],
		['a NUMA node', vm('sched.mem.affinity = "0"'), 'vmware.numa_affinity.detected'],
		['a rate of a card', nic('ethernet0.limit = "100"'), 'ovirt.nic.network_filter.detected'],
		['a USB device that another host serves', domain('<redirdev bus="usb" type="tcp"><source host="h"/></redirdev>'), 'vconv.usb.devices'],
		['a dynamic disk that a system may start from', dynamicDisk(null, true), 'vconv.guest.dynamic_disk'],
		['a system over two disks by LVM', spread(['disk0p2', 'disk1']), 'vconv.guest.root.spread', 'aws'],
		['a system over two disks by an array', spread(['md:1']), 'vconv.guest.root.spread', 'aws'],
		['a serial port on a device', domain('<serial type="dev"><source path="/dev/ttyS0"/></serial>'), 'vconv.serial'],
		['an old card of VMware', card('vmxnet'), 'ovirt.nic.interface_type.unsupported'],
		['the usual card of VMware', vm('ethernet0.present = "TRUE"'), 'ovirt.nic.interface_type.unsupported', 'hyperv'],
		[
			'the usual card of a guest of 32 bits',
			vm('guestOS = "debian5"', 'ethernet0.present = "TRUE"'),
			'ovirt.nic.interface_type.unsupported',
			'hyperv',
		],
		['an older card of VMware', card('vmxnet2'), 'ovirt.nic.interface_type.unsupported', 'proxmox'],
	])('is a concern where it is %s', ([, facts, id, to = 'libvirt']) => {
		expect(fired(facts, to)).toContain(id);
	});

	it.for<readonly [string, Facts, id: string, target?: string]>([
		["a card on the host's bridge", domain('<interface type="bridge"><source bridge="b"/></interface>'), 'vmware.device.sriov.detected'],
		[
			'an optical drive of the host',
			withDisks(...PASSTHRU, 'scsi0:3.fileName = "/vmfs/devices/cdrom/mpx.vmhba0"'),
			'vmware.passthrough_device.detected',
		],
		['a USB device of the host', domain(USB), 'vmware.passthrough_device.detected', 'esxi'],
		[
			'memory that SEV encrypts, which stays so',
			domain('', '<launchSecurity type="sev"><policy>3</policy></launchSecurity>'),
			'vconv.memory.protected',
		],
		['memory that SEV could encrypt', vm('sev.enable = "FALSE"', 'sgx.epcSize = "0"'), 'vconv.memory.protected'],
		['CPUs that are pinned', domain('', '<cputune><vcpupin vcpu="0" cpuset="2"/></cputune>'), 'vconv.watchdog', 'esxi'],
		["a card of QEMU's", domain(cardOf('igb')), 'ovirt.nic.interface_type.unsupported', 'kubevirt'],
		['an element that nobody knows, which stays so', domain('<quantum/>'), 'vconv.keys.unknown'],
		['a domain as virt-install makes it', domain(USUAL), 'vconv.keys.unknown', 'esxi'],
		['a kind of virtio', domain(cardOf('virtio-non-transitional')), 'ovirt.nic.interface_type.unsupported', 'gcp'],
		['persistent memory without a file', vm('nvdimm0.present = "TRUE"'), 'vconv.memory.persistent', 'esxi'],
		[
			'persistent memory that is out',
			vm('nvdimm0.present = "TRUE"', 'nvdimm0:0.present = "FALSE"', 'nvdimm0:0.fileName = "pmem.vmdk"'),
			'vconv.memory.persistent',
			'esxi',
		],
		['a stick of memory that is out', vm('usb.present = "TRUE"', 'usb:1.present = "FALSE"', 'usb:1.fileName = "a.vmdk"'), 'vconv.disk.usb'],
		['no TPM', vm('managedvm.autoAddVTPM = ""'), 'vmware.tpm.detected'],
		[
			'no limit',
			vm('sched.cpu.max = "unlimited"', 'sched.cpu.min = "0"', 'sched.mem.min = "0"', 'sched.mem.pin = "FALSE"'),
			'vconv.cpu.shares',
		],
		['a TPM beside a passphrase', luks('systemd-tpm2', 'passphrase'), 'vconv.guest.encrypted.tpm'],
		['a server beside a TPM', luks('clevis-tpm2', 'clevis-tang'), 'vconv.guest.encrypted.tpm'],
		['a server alone', luks('clevis-tang'), 'vconv.guest.encrypted.tpm'],
		['a server beside a passphrase', luks('clevis-tang', 'passphrase'), 'vconv.guest.encrypted.network'],
		['a dynamic disk beside Windows', dynamicDisk(windows({ root: 'disk1p1' }), false), 'vconv.guest.dynamic_disk'],
		['a dynamic disk beside Linux', dynamicDisk(system(), true), 'vconv.guest.dynamic_disk'],
		['a system on one disk by LVM', spread(['disk0p2', 'disk0p3']), 'vconv.guest.root.spread', 'aws'],
		['all NUMA nodes', vm('sched.mem.affinity = "all"'), 'vmware.numa_affinity.detected'],
		['the usual rate of a card', nic('ethernet0.shares = "normal"', 'ethernet0.limit = "-1"'), 'ovirt.nic.network_filter.detected'],
		['how fault tolerance would work', vm('ftcpt.ftEncryptionMode = "ftEncryptionOpportunistic"'), 'vmware.fault_tolerance.enabled'],
		['that replay could be', vm('replay.supported = "TRUE"'), 'vmware.fault_tolerance.enabled'],
		['a channel for USB', domain('<redirdev bus="usb" type="spicevmc"/>'), 'vconv.usb.devices'],
		['a serial port on a terminal', domain('<serial type="pty"/>'), 'vconv.serial'],
		["a way to VMware's printers", vm('serial0.present = "TRUE"', 'serial0.fileType = "thinprint"'), 'vconv.serial'],
		['an old card of VMware', card('vmxnet'), 'ovirt.nic.interface_type.unsupported', 'esxi'],
		['a card whose driver is in the store of Windows', inside({ drivers: STAGED }), 'vconv.guest.network.driver', 'hyperv'],
	])('is none where it is %s', ([, facts, id, to = 'libvirt']) => {
		expect(fired(facts, to)).not.toContain(id);
	});

	it('is told in one line for a device of libvirt', () => {
		const facts = domain('<hostdev mode="subsystem" type="pci"><source><address domain="0" bus="3"/></source></hostdev>');
		const found = validate(facts, targetNamed('esxi')).find(({ id }) => id === 'vmware.passthrough_device.detected');
		expect(found?.evidence.map(({ what }) => what)).toEqual([
			"devices/hostdev: mode 'subsystem', type 'pci', source/address/domain '0', source/address/bus '3'",
		]);
	});

	it('is told in bytes where a size and its limit read the same', () => {
		const size = 2041 * 2 ** 30;
		const found = validate(img({ size }), targetNamed('azure')).find(({ id }) => id === 'vconv.disk.size.limit');
		expect(found?.evidence[0]?.what).toMatch(new RegExp(`^${size} bytes, and Azure .*takes at most \\d+ bytes$`));
	});
});

describe('a target', () => {
	it.for([
		['Web01', ['kubevirt', 'gcp']],
		['a..b', ['kubevirt', 'proxmox', 'gcp']],
		['a.-b', ['kubevirt', 'proxmox', 'gcp']],
		['1web', ['gcp']],
		['web.01', ['gcp']],
		['web-', ['kubevirt', 'proxmox', 'azure', 'gcp']],
		['web_1', ['kubevirt', 'proxmox', 'azure', 'gcp']],
		['w'.repeat(64), ['kubevirt', 'gcp']],
		['w'.repeat(81), ['kubevirt', 'esxi', 'azure', 'gcp']],
		['prod/web', ['libvirt', 'kubevirt', 'proxmox', 'azure', 'gcp']],
		['web-01', []],
	] as const)('takes the name %s, unless it is one of these', ([name, refusing]) => {
		const facts = vm(`displayName = "${name}"`);
		expect(targets.map(({ id }) => id).filter((id) => fired(facts, id).includes('vmware.vm.name.invalid'))).toEqual(refusing);
	});

	it('is a Hyper-V of the first generation for a machine with a BIOS', () => {
		const large = ['numvcpus = "128"', 'memsize = "2097152"'];
		const floppy = ['floppy0.present = "TRUE"', 'floppy0.fileType = "file"', 'floppy0.fileName = "a.flp"'];
		const [limits, drive] = [['vconv.cpu.limit', 'vconv.memory.limit'], ['vconv.floppy']];
		const all = [...limits, ...drive];
		const seen = (firmware: string) =>
			fired(vm(`firmware = "${firmware}"`, ...large, ...floppy), 'hyperv')
				.filter((id) => all.includes(id))
				.sort();
		expect([seen('bios'), seen('efi')]).toEqual([limits, drive]);
	});

	// Microsoft's maximum scale limits: 64 adapters of Hyper-V's own, and for generation 1 four of legacy; 4 × 64 disks on SCSI and four on IDE.
	it.each([
		['efi', 64, 256],
		['bios', 68, 260],
	])('is a Hyper-V with places for cards and disks of a machine with %s', (firmware, nics, places) => {
		const cards = (count: number) => Array.from({ length: count }, (_, i) => `ethernet${i}.present = "TRUE"`);
		const disks = (count: number) => Array.from({ length: count }, (_, i) => disk({ path: `${i}.vmdk` }));
		const facts = (count: [number, number]) =>
			healthy({ machine: machine(`firmware = "${firmware}"`, ...cards(count[0])), disks: disks(count[1]) });
		const seen = (count: [number, number]) => fired(facts(count), 'hyperv').filter((id) => /\.(nic|disk)\..*(count|limit)/.test(id));
		expect(seen([nics, places])).toEqual([]);
		expect(seen([nics + 1, places + 1]).sort()).toEqual(['vconv.nic.limit', 'vmware.disk.count.exceeds.limit']);
	});

	it.each(['rtl8139', 'pcnet'])('is KubeVirt with the card %s', (model) => {
		expect(fired(card(model), 'kubevirt')).not.toContain('ovirt.nic.interface_type.unsupported');
	});

	it('is Proxmox with 57 places for disks', () => {
		const facts = (count: number) => healthy({ disks: Array.from({ length: count }, (_, i) => disk({ path: `${i}.vmdk` })) });
		expect([57, 58].map((count) => fired(facts(count), 'proxmox').includes('vmware.disk.count.exceeds.limit'))).toEqual([false, true]);
	});
});

describe('a guest with drivers for nothing but', () => {
	const only = (bus: DiskBus, lines: readonly string[] = [], changes: Partial<Facts> = {}): Facts =>
		healthy({
			machine: machine(...lines),
			guest: guest({
				firmware: { type: lines.includes(EFI) ? 'uefi' : 'bios' },
				drivers: { ...drivers, disk: { ...noDrivers.disk, lsisas1068: absent, [bus]: drivers.disk.sata } },
			}),
			...changes,
		});
	const EFI = 'firmware = "efi"';
	const SAFE = { choices: { devices: 'safe' } } as const;
	const DRIVER = 'vconv.guest.disk.driver';
	const SLOWER = 'vconv.guest.disk.slower';

	it.each<[what: string, facts: Facts, to: string, expected: readonly string[]]>([
		["VMware's LSI Logic does not start with QEMU's", only('lsilogic', ['scsi0.virtualDev = "lsilogic"']), 'libvirt', [DRIVER]],
		['it does not start on Proxmox', only('lsilogic', ['scsi0.virtualDev = "lsilogic"']), 'proxmox', [DRIVER]],
		['it starts on ESXi', only('lsilogic', [], { machine: undefined }), 'esxi', [SLOWER]],
		['on ESXi it stays where it is if it comes from VMware', only('lsilogic'), 'esxi', []],
		['NVMe is no slower on ESXi', only('nvme', [], { machine: undefined }), 'esxi', []],
		['NVMe by VMBus is no slower on Azure', only('hyperv-nvme', [EFI]), 'azure', []],
		['NVMe without VMBus does not start on Azure', only('nvme', [EFI]), 'azure', [DRIVER]],
		['pvscsi is no slower than the LSI Logic of Workstation', only('pvscsi', [], { machine: undefined }), 'workstation', []],
		['the import of AWS adds what is missing', only('pvscsi'), 'aws', ['vconv.guest.disk.import']],
		['NVMe does not start, for the planner has none', only('nvme'), 'libvirt', [DRIVER]],
		['pvscsi starts', only('pvscsi'), 'libvirt', [SLOWER]],
		['pvscsi does not start by EFI', only('pvscsi', [EFI]), 'libvirt', [DRIVER]],
		['pvscsi starts by firmware that has a driver', only('pvscsi', [EFI], { choices: { uefiScsi: true } }), 'libvirt', [SLOWER]],
		['pvscsi starts by the EFI of Proxmox', only('pvscsi', [EFI]), 'proxmox', [SLOWER]],
		['SAS-1068 starts', only('lsisas1068'), 'libvirt', [SLOWER]],
		['virtio-scsi starts', only('virtio-scsi'), 'libvirt', []],
		['virtio does not start where SATA was asked for', only('virtio-scsi', [], SAFE), 'libvirt', [DRIVER]],
		['IDE does not start as images for EFI', only('ide', [EFI], { machine: undefined }), 'hyperv', [DRIVER]],
		['pvscsi does not start as images for EFI', only('pvscsi', [EFI], { machine: undefined }), 'libvirt', [DRIVER]],
	])('%s', (_, facts, to, expected) => {
		expect(fired(facts, to).filter((id) => id.startsWith('vconv.guest.disk.'))).toEqual(expected);
	});

	it.each<[controller: string, lines: readonly string[], choices: Facts['choices'], fires: boolean]>([
		['pvscsi', [EFI], { devices: 'preserve' }, true],
		['lsisas1068', [EFI], { devices: 'preserve' }, true],
		['lsilogic', [EFI], { devices: 'preserve' }, true],
		['lsisas1068', [EFI], { devices: 'preserve', uefiScsi: true }, false],
		['lsisas1068', [EFI], {}, false],
		['lsisas1068', [], { devices: 'preserve' }, false],
	])('%s with %j and %j: firmware that does not find it: %s', (controller, lines, choices, fires) => {
		const facts = only('lsisas1068', [`scsi0.virtualDev = "${controller}"`, ...lines], { choices });
		expect(fired(facts, 'libvirt').includes('vconv.guest.firmware.bus')).toBe(fires);
	});

	it('SATA is judged by the disk that the planner would make where the disks are not to decide', () => {
		const facts = only('sata', [], { choices: { inspect: false } });
		expect(fired(facts, 'libvirt')).toContain(DRIVER);
		expect(fired({ ...facts, choices: {} }, 'libvirt')).not.toContain(DRIVER);
	});
});

describe('what the host says', () => {
	const secure = ['numvcpus = "280"', 'firmware = "efi"', 'uefi.secureBoot.enabled = "TRUE"'];
	const plain = { secureBoot: false, maxCpus: 255, firmware: ['bios'] };
	const heard = (facts: Facts): readonly string[] => fired(facts, 'libvirt').filter((id) => id.startsWith('vconv.host.'));
	const domain = (type: string): ReturnType<typeof machine> => {
		const described = machine(...secure);
		return { ...described, format: 'libvirt', spec: { ...described.spec, platform: { machine: type } } };
	};

	it.each(['pc-q35-9.0', 'q35', 'ubuntu-q35'])('of the machine type %s counts for a machine that gets q35', (type) => {
		const judged = ['vconv.host.firmware', 'vconv.host.secure_boot', 'vconv.host.cpus'];
		const host = domcaps({ ...plain, machine: type });
		expect(heard(healthy({ machine: machine(...secure), host }))).toEqual(judged);
		expect(heard(healthy({ machine: domain('pc-q35-7.2'), host }))).toEqual(judged);
	});

	it.each(['pc-i440fx-8.2', 'pc', 'ubuntu', 'virt-9.0'])('of the machine type %s does not, and that is said', (type) => {
		const host = domcaps({ ...plain, machine: type });
		expect(heard(healthy({ machine: machine(...secure), host }))).toEqual(['vconv.host.machine']);
		expect(heard(healthy({ machine: domain('pc-q35-7.2'), host }))).toEqual(['vconv.host.machine']);
	});

	it('counts for an x86 machine on an ARM host, whatever is on its disks', () => {
		const host = domcaps({ arch: 'aarch64' });
		expect(heard(healthy({ machine: machine(...secure), guest: undefined, host }))).toContain('vconv.host.arch');
		expect(heard(healthy({ machine: machine('guestOS = "arm-debian12-64"'), guest: undefined, host }))).not.toContain('vconv.host.arch');
	});

	// QEMU: hw/i386/pc_q35.c and pc_piix.c have a machine type for each version; RHEL and Ubuntu have their own.
	it.each([
		['pc-q35-9.2', 'pc-q35-7.2', true],
		['pc-q35-10.0', 'pc-q35-9.2', true],
		['pc-i440fx-9.0', 'pc-i440fx-8.2', true],
		['pc-q35-rhel9.4.0', 'pc-q35-rhel9.2.0', true],
		['virt-9.0', 'virt-7.2', true],
		['pc-q35-7.2', 'pc-q35-7.2', false],
		['pc-q35-9.2', 'pc-q35-10.0', false],
		['pc-q35-9.2', 'pc-q35-rhel9.2.0', false],
		['q35', 'pc-q35-7.2', false],
		['pc-q35-noble', 'pc-q35-jammy', false],
		['pc-q35-9.2', 'q35', false],
	])('of its QEMU counts for a domain: %s where the newest is %s: %s', (type, newest, fires) => {
		expect(heard(healthy({ machine: domain(type), host: domcaps({ machine: newest }) })).includes('vconv.host.qemu')).toBe(fires);
	});

	it('counts for a domain of the same type, and for one that does not say its own', () => {
		const host = domcaps({ machine: 'pc-i440fx-8.2', maxCpus: 255 });
		expect(heard(healthy({ machine: domain('pc-i440fx-6.1'), host }))).toEqual(['vconv.host.cpus']);
		const silent = { ...domain(''), spec: { ...domain('').spec, platform: {} } };
		expect(heard(healthy({ machine: silent, host }))).toEqual(['vconv.host.cpus']);
	});
});

describe('a machine with a CPU of another kind', () => {
	const heard = (facts: Facts, to: string): readonly string[] => fired(facts, to).filter((id) => id.startsWith('vconv.cpu.architecture'));
	const CRITICAL = ['vconv.cpu.architecture'];
	const WARNED = ['vconv.cpu.architecture.host'];

	it.each(['ppc64', 's390x', 'riscv64'])('of the kind %s moves to libvirt alone, and to KubeVirt where that has it', (arch) => {
		for (const { id } of targets) {
			const isThere = id === 'libvirt' || (id === 'kubevirt' && arch === 's390x');
			expect(heard(made(arch), id), id).toEqual(isThere ? WARNED : CRITICAL);
		}
	});

	it("for ARM moves where hosts for it are, and in no VMX: vconv makes no domain of VMware's for ARM", () => {
		const refusing = targets.filter(({ id }) => heard(made('aarch64'), id)[0] === CRITICAL[0]).map(({ id }) => id);
		expect(refusing).toEqual(['esxi', 'workstation', 'aws']);
		expect(heard(vm('guestOS = "arm-debian12-64"'), 'libvirt')).toEqual(CRITICAL);
	});

	it('that only its disks tell of is known too, and one of 32 bits is of the usual kind', () => {
		expect(heard(healthy({ machine: undefined, guest: guest({ os: system({ arch: 'ppc64le' }) }) }), 'gcp')).toEqual(CRITICAL);
		for (const arch of ['i686', 'x86_64', 'amd64']) expect(heard(made(arch), 'aws')).toEqual([]);
	});
});

describe('a guest that cannot be read', () => {
	const UNKNOWN = 'vconv.guest.disk.unknown';
	const unread = (type: 'uefi' | 'bios' | 'unknown') =>
		healthy({ guest: guest({ os: null, drivers: null, firmware: { type, fallbackLoader: true } }) });

	it.each(['libvirt', 'kubevirt', 'hyperv', 'aws'])('may not start at %s', (to) => {
		expect(fired(unread('bios'), to)).toContain(UNKNOWN);
		expect(fired(unread('uefi'), to)).toContain(UNKNOWN);
	});

	it('is no matter where nothing starts from the disks', () => {
		expect(fired(unread('unknown'), 'libvirt')).not.toContain(UNKNOWN);
	});
});
