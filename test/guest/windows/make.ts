import { sourceDevice } from '../../../src/guest/device.ts';
import type { DiskFacts, Incomplete } from '../../../src/guest/facts.ts';
import { attempts, type GuestContext, type SystemFacts } from '../../../src/guest/system.ts';
import { windowsReader } from '../../../src/guest/windows/index.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { type Folder, fileSystemOf } from '../make-tree.ts';
import { type Keys, makeHive } from '../registry/make.ts';

/** Files by their paths: `Windows/System32/cmd.exe`. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

/** A Windows Server 2019 as VMware has it: its disks on LSI SAS, virtio not installed. */
export const SYSTEM: Keys = {
	Select: { Current: 1, Default: 1, Failed: 0, LastKnownGood: 1 },
	MountedDevices: {
		'\\DosDevices\\C:': Uint8Array.of(0x78, 0x56, 0x34, 0x12, 0, 0, 0x10, 0, 0, 0, 0, 0),
		'\\DosDevices\\D:': Buffer.concat([Buffer.from('DMIO:ID:'), Buffer.alloc(16, 0x11)]),
	},
	ControlSet001: {
		Control: {
			ProductOptions: { ProductType: 'ServerNT' },
			'Session Manager': { Environment: { PROCESSOR_ARCHITECTURE: 'AMD64' }, Power: { HiberbootEnabled: 0 } },
			ComputerName: { ComputerName: { ComputerName: 'WEB01' } },
			Class: {
				'{4d36e972-e325-11ce-bfc1-08002be10318}': {
					'0001': { NetCfgInstanceId: '{A1}', DriverDesc: 'vmxnet3 Ethernet Adapter' },
					Properties: {},
				},
			},
			Network: { '{4d36e972-e325-11ce-bfc1-08002be10318}': { '{A1}': { Connection: { Name: 'Ethernet0' } } } },
		},
		Services: {
			LSI_SAS: { Start: 0, ImagePath: 'System32\\drivers\\lsi_sas.sys' },
			storahci: { Start: 0, ImagePath: 'System32\\drivers\\storahci.sys', StartOverride: { '0': 3 } },
			stornvme: { Start: 0, ImagePath: '\\SystemRoot\\System32\\drivers\\stornvme.sys' },
			pvscsi: { Start: 0, ImagePath: 'System32\\drivers\\pvscsi.sys' },
			intelide: { Start: 0, ImagePath: 'System32\\drivers\\intelide.sys' },
			atapi: { Start: 3, ImagePath: 'System32\\drivers\\atapi.sys' },
			vmxnet3ndis6: { Start: 3, ImagePath: '\\??\\C:\\Windows\\System32\\drivers\\vmxnet3.sys' },
			Tcpip: {
				Parameters: {
					Hostname: 'web01',
					Interfaces: {
						'{a1}': {
							EnableDHCP: 0,
							IPAddress: ['192.168.7.5', '0.0.0.0'],
							SubnetMask: ['255.255.254.0', '0.0.0.0'],
							DefaultGateway: ['192.168.6.1'],
						},
						'{b2}': { EnableDHCP: 1 },
					},
				},
			},
			partmgr: { Parameters: { SanPolicy: 2 } },
		},
	},
};

export const SOFTWARE: Keys = {
	Microsoft: {
		'Windows NT': {
			CurrentVersion: {
				ProductName: 'Windows Server 2019 Standard',
				CurrentBuildNumber: '17763',
				CurrentMajorVersionNumber: 10,
				CurrentMinorVersionNumber: 0,
				UBR: 3650,
				EditionID: 'ServerStandard',
				InstallationType: 'Server',
			},
		},
		Windows: {
			CurrentVersion: {
				DevicePath: '%SystemRoot%\\inf',
				Uninstall: {
					'{F1}': { DisplayName: 'VMware Tools', DisplayVersion: '12.1.5.20735119', Publisher: 'VMware, Inc.' },
					'{F2}': { DisplayName: 'Sophos Endpoint Agent', Publisher: 'Sophos Limited' },
					'{F4}': { DisplayName: 'Password Reset Client', Publisher: 'Tools4ever' },
					'{F3}': { DisplayVersion: '1' },
				},
			},
		},
	},
};

const DRIVERS = ['lsi_sas', 'storahci', 'stornvme', 'intelide', 'atapi', 'vmxnet3'];

/** The files of a Windows. */
export const windowsFiles = (system: Keys | Uint8Array = SYSTEM, software: Keys | Uint8Array = SOFTWARE, others: Files = {}): Files => ({
	'Windows/System32/config/SYSTEM': system instanceof Uint8Array ? system : makeHive(system as Keys),
	'Windows/System32/config/SOFTWARE': software instanceof Uint8Array ? software : makeHive(software as Keys),
	'Windows/System32/DriverStore/FileRepository/viostor.inf_amd64_0123456789abcdef/viostor.sys': 'MZ',
	...Object.fromEntries(DRIVERS.map((name) => [`Windows/System32/drivers/${name}.sys`, 'MZ'])),
	...others,
});

const DISK: DiskFacts = {
	...{ index: 0, image: 'web.vmdk', size: 1 << 30, sectorSize: 512, scheme: 'mbr', diskId: '12345678', flags: [], biosBootCode: 'windows' },
	partitions: [{ number: 2, start: 1 << 20, size: 1 << 29, type: 'ntfs', mbrType: 7, bootable: true }],
};

/** What the reader of Windows makes of files. */
export const readWindows = async (files: Files): Promise<{ facts: SystemFacts | undefined; incomplete: readonly Incomplete[] }> => {
	const incomplete: Incomplete[] = [];
	const fileSystem = fileSystemOf(foldersOf(files), { caseInsensitive: true });
	const facts = { id: 'disk0p2', type: 'ntfs', size: 1 << 29, clean: true, state: [] };
	const root = { facts, device: sourceDevice(memorySource(new Uint8Array(512))), fileSystem };
	const context: GuestContext = { disks: [DISK], volumes: [facts], open: [root], attempt: attempts(incomplete) };
	return { facts: await windowsReader(root, context), incomplete };
};

const foldersOf = (files: Files): Folder => {
	const inner: Record<string, Record<string, string | Uint8Array>> = {};
	const out: Record<string, Folder[string]> = {};
	for (const [path, content] of Object.entries(files)) {
		const [first = '', ...rest] = path.split('/');
		if (rest.length === 0) out[first] = content;
		else inner[first] = { ...inner[first], [rest.join('/')]: content };
	}
	for (const [name, below] of Object.entries(inner)) out[name] = foldersOf(below);
	return out;
};

/** Keys with others laid over them. */
export const merged = (below: Keys, above: Keys): Keys => {
	const out: Record<string, Keys[string]> = { ...below };
	for (const [name, value] of Object.entries(above)) {
		const under = out[name];
		out[name] = isKey(value) && isKey(under) ? merged(under, value) : value;
	}
	return out;
};

const isKey = (value: Keys[string] | undefined): value is Keys =>
	typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);
