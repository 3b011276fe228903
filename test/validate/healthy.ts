import { machineFormats } from '../../formats/machines.ts';
import type { DriverFacts, GuestReport, OperatingSystem, VolumeFacts } from '../../src/guest/facts.ts';
import { parseMachine } from '../../src/machine/plan.ts';
import type { DiskState, Facts, HostFacts, ImageState, MachineFacts } from '../../src/validate/facts.ts';

const GiB = 2 ** 30;

const LINES = [
	'.encoding = "UTF-8"',
	'config.version = "8"',
	'virtualHW.version = "19"',
	'displayName = "web"',
	'guestOS = "debian12-64"',
	'firmware = "bios"',
	'uuid.bios = "56 4d 12 34 56 78 9a bc-de f0 12 34 56 78 9a bc"',
	'numvcpus = "2"',
	'memsize = "2048"',
	'ctkEnabled = "TRUE"',
	'scsi0.present = "TRUE"',
	'scsi0.virtualDev = "pvscsi"',
	'scsi0:0.present = "TRUE"',
	'scsi0:0.fileName = "web.vmdk"',
];

/** A machine with these lines in its VMX, in place of those of the same key. */
export const machine = (...lines: readonly string[]): MachineFacts => {
	const keyOf = (line: string): string | undefined => line.split(' = ')[0];
	const others = LINES.filter((line) => !lines.some((given) => keyOf(given) === keyOf(line)));
	const { format, spec, report } = parseMachine(new TextEncoder().encode([...others, ...lines].join('\n')), 'web.vmx', machineFormats);
	return { path: 'web.vmx', format, spec, report, locks: [], suspended: [], snapshots: [] };
};

export const image = (changes: Partial<ImageState> = {}): ImageState => ({
	format: 'vmdk',
	size: 10 * GiB,
	sectorSize: 512,
	fileSize: GiB,
	info: { format: 'vmdk' },
	chain: [{ path: 'web.vmdk', format: 'vmdk', info: { format: 'vmdk' } }],
	...changes,
});

/** The disk of a machine, or of none. */
export const disk = (changes: Partial<DiskState> = {}): DiskState => ({ name: 'scsi0:0', path: 'web.vmdk', image: image(), ...changes });

const all = (state: 'boot' | 'absent'): DriverFacts => {
	const fact = { state, evidence: 'the list of modules' };
	const buses = ['virtio-blk', 'virtio-scsi', 'sata', 'ide', 'nvme', 'pvscsi', 'lsilogic', 'hyperv-scsi', 'hyperv-nvme', 'xen'] as const;
	const models = ['virtio', 'e1000', 'e1000e', 'vmxnet3', 'hyperv', 'pcnet', 'rtl8139'] as const;
	return { disk: Object.fromEntries(buses.map((bus) => [bus, fact])), network: Object.fromEntries(models.map((model) => [model, fact])) };
};

export const drivers = all('boot');
export const noDrivers = all('absent');

export const volume = (changes: Partial<VolumeFacts> = {}): VolumeFacts => ({
	id: 'disk0p1',
	type: 'ext4',
	size: 10 * GiB,
	fileSystemSize: 10 * GiB,
	free: GiB,
	freeInodes: 100_000,
	clean: true,
	state: [],
	mountpoint: '/',
	...changes,
});

export const system = (changes: Partial<OperatingSystem> = {}): OperatingSystem => ({
	family: 'linux',
	distro: 'debian',
	name: 'Debian GNU/Linux 12 (bookworm)',
	version: '12',
	arch: 'x86_64',
	hostname: 'web',
	root: 'disk0p1',
	kernels: [{ version: '6.1.0-18-amd64', default: true }],
	bootloader: { kind: 'grub', file: '/boot/grub/grub.cfg', commandLine: 'root=UUID=1 ro console=ttyS0' },
	mounts: [{ device: 'UUID=1', mountpoint: '/', type: 'ext4', options: [], volume: 'disk0p1', where: '/etc/fstab:1' }],
	marks: [],
	...changes,
});

export const guest = (changes: Partial<GuestReport> = {}): GuestReport => ({
	schema: 'vconv.guest/1',
	cost: { milliseconds: 1, reads: 1, bytes: 1 },
	disks: [{ index: 0, image: 'web.vmdk', size: 10 * GiB, sectorSize: 512, scheme: 'mbr', flags: [], partitions: [], biosBootCode: 'grub' }],
	volumes: [volume()],
	firmware: { type: 'bios' },
	os: system(),
	otherSystems: [],
	drivers,
	network: [{ source: '/etc/network/interfaces:3', name: 'ens192', mac: '00:50:56:00:00:01', method: 'dhcp' }],
	software: { qemuAgent: '7.2' },
	incomplete: [],
	...changes,
});

export const host = (changes: Partial<HostFacts> = {}): HostFacts => ({
	folder: '/images',
	free: 100 * GiB,
	largestFile: 2 ** 44,
	needed: { libvirt: [{ path: 'web.vmdk', length: 10 * GiB, written: 10 * GiB }] },
	capabilities: {
		path: 'domcaps.xml',
		arch: 'x86_64',
		machine: 'q35',
		maxCpus: 255,
		firmware: ['bios', 'efi'],
		secureBoot: true,
		cpuModes: ['host-model'],
		diskBuses: ['virtio', 'sata'],
		videoModels: ['virtio'],
		tpmBackends: ['emulator'],
	},
	...changes,
});

/** A machine that moves anywhere without a word. */
export const healthy = (changes: Partial<Facts> = {}): Facts => {
	const described = changes.machine ?? machine();
	return {
		subject: 'web.vmx',
		machine: described,
		disks: [disk({ device: described.spec.disks[0] })],
		guest: guest(),
		host: host(),
		...changes,
	};
};

/** Its disks, as a description names them. */
export const withDisks = (...lines: readonly string[]): Facts => {
	const described = machine(...lines);
	const disks = described.spec.disks
		.filter(({ kind }) => kind === 'disk' || kind === 'lun')
		.map((device) => disk({ name: device.id, path: device.fileName ?? '', device }));
	return healthy({ machine: described, disks });
};
