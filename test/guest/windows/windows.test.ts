import { describe, expect, test } from 'vitest';
import type { DiskBus, DriverFact } from '../../../src/guest/facts.ts';
import { survivesDamage } from '../damage.ts';
import type { Keys } from '../registry/make.ts';
import { makeHive, makeLog } from '../registry/make.ts';
import { merged, readWindows, SOFTWARE, SYSTEM, windowsFiles } from './make.ts';

/** The facts of the same Windows with other settings. */
const windowsWith = async (system: Keys, software: Keys = {}, others = {}) => {
	const { facts, incomplete } = await readWindows(windowsFiles(merged(SYSTEM, system), merged(SOFTWARE, software), others));
	expect(incomplete).toEqual([]);
	return facts;
};

const services = (Services: Keys): Keys => ({ ControlSet001: { Services } });
const control = (Control: Keys): Keys => ({ ControlSet001: { Control } });
const version = (CurrentVersion: Keys): Keys => ({ Microsoft: { 'Windows NT': { CurrentVersion } } });

const driver = async (bus: DiskBus, system: Keys, software: Keys = {}, others = {}): Promise<DriverFact | undefined> =>
	(await windowsWith(system, software, others))?.drivers?.disk[bus];

describe('a Windows', () => {
	test('says which it is, on which volume, and what is installed', async () => {
		const { facts, incomplete } = await readWindows(windowsFiles());
		expect(incomplete).toEqual([]);
		expect(facts?.os).toMatchObject({
			family: 'windows',
			name: 'Windows Server 2019 Standard',
			version: '10.0',
			build: '17763.3650',
			edition: 'ServerStandard',
			arch: 'x86_64',
			hostname: 'web01',
			root: 'disk0p2',
		});
		expect(facts?.os.role).toBeUndefined();
		expect(facts?.mountpoints).toEqual(new Map([['disk0p2', 'C:']]));
		expect(facts?.software).toMatchObject({ vmwareTools: 'VMware Tools 12.1.5.20735119', antivirus: ['Sophos Endpoint Agent'] });
		expect(facts?.software?.qemuAgent).toBeUndefined();
	});

	test('of build 22000 and later is 11, a server is not', async () => {
		const client = version({ ProductName: 'Windows 10 Pro', CurrentBuildNumber: '22631', InstallationType: 'Client' });
		expect((await windowsWith({}, client))?.os.name).toBe('Windows 11 Pro');
		const server = version({ CurrentBuildNumber: '26100' });
		expect((await windowsWith({}, server))?.os.name).toBe('Windows Server 2019 Standard');
	});

	test('that is a domain controller or in a cluster says so', async () => {
		expect((await windowsWith(control({ ProductOptions: { ProductType: 'LanmanNT' } })))?.os.role).toBe('domain-controller');
		expect((await windowsWith(services({ ClusSvc: { Start: 2 } })))?.os.role).toBe('cluster');
		expect((await windowsWith(services({ ClusSvc: { Start: 4 } })))?.os.role).toBeUndefined();
	});

	test('says where its boot manager is', async () => {
		expect((await windowsWith({}, {}, { 'Boot/BCD': 'regf' }))?.os.bootloader).toEqual({ kind: 'bootmgr', file: 'disk0p2:/Boot/BCD' });
		expect((await windowsWith({}))?.os.bootloader).toBeUndefined();
	});

	test('is none where there is no hive', async () => {
		expect((await readWindows({ 'Users/a.txt': 'a' })).facts).toBeUndefined();
	});
});

describe('the drivers of a Windows', () => {
	test('start at boot, do not, are staged or absent, each with its evidence', async () => {
		const { facts } = await readWindows(windowsFiles());
		expect(facts?.drivers?.disk).toMatchObject({
			lsisas1068: { state: 'boot', evidence: 'ControlSet001\\Services\\LSI_SAS: Start=0' },
			sata: { state: 'disabled', evidence: 'ControlSet001\\Services\\storahci: Start=0, StartOverride=3' },
			nvme: { state: 'boot' },
			pvscsi: { state: 'file-missing', evidence: expect.stringContaining('there is no /Windows/System32/drivers/pvscsi.sys') },
			ide: { state: 'disabled', evidence: expect.stringContaining('atapi: Start=3') },
			'virtio-blk': { state: 'staged', evidence: expect.stringContaining('viostor.inf_amd64_0123456789abcdef') },
			'virtio-scsi': { state: 'absent', evidence: 'no service vioscsi' },
			'hyperv-scsi': { state: 'absent' },
		});
		expect(facts?.drivers?.network).toMatchObject({ vmxnet3: { state: 'installed' }, virtio: { state: 'absent' } });
	});

	test('of NVMe that comes by VMBus are more than those of NVMe', async () => {
		expect((await driver('hyperv-nvme', {}))?.state).toBe('absent');
	});

	test('of the current control set count', async () => {
		const second = { Select: { Current: 2 }, ControlSet002: { Services: { stornvme: { Start: 3 } } } };
		expect((await driver('nvme', second))?.state).toBe('disabled');
	});

	test('start at boot where the override says so too', async () => {
		expect((await driver('sata', services({ storahci: { StartOverride: { '0': 0 } } })))?.state).toBe('boot');
	});

	test('of Windows 7 must be in CriticalDeviceDatabase', async () => {
		const seven = version({ CurrentBuildNumber: '7601' });
		const viostor = { viostor: { Start: 0, ImagePath: 'System32\\drivers\\viostor.sys' } };
		const file = { 'Windows/System32/drivers/viostor.sys': 'MZ' };
		expect((await driver('virtio-blk', services(viostor), {}, file))?.state).toBe('boot');
		expect((await driver('virtio-blk', services(viostor), seven, file))?.state).toBe('disabled');
		const known = { 'pci#ven_1af4&dev_1001&subsys_00021af4&rev_00': { Service: 'viostor' } };
		const both = merged(services(viostor), control({ CriticalDeviceDatabase: known }));
		expect((await driver('virtio-blk', both, seven, file))?.state).toBe('boot');
	});
});

test('the addresses that are set by hand are told with their adapters', async () => {
	const { facts } = await readWindows(windowsFiles());
	expect(facts?.network).toEqual([
		{
			source: 'SYSTEM\\ControlSet001\\Services\\Tcpip\\Parameters\\Interfaces\\{a1}',
			name: 'Ethernet0, vmxnet3 Ethernet Adapter',
			method: 'static',
			addresses: ['192.168.7.5/23'],
			gateway: '192.168.6.1',
		},
	]);
});

const codes = (facts: Awaited<ReturnType<typeof windowsWith>>) => (facts?.os.marks ?? []).map((mark) => mark.code);

const GUARD = 'HypervisorEnforcedCodeIntegrity';

describe('settings that matter to a move', () => {
	test('are told alone where they are so', async () => {
		expect(codes(await windowsWith({}))).toEqual(['san-policy']);
	});

	test('do not have Fast Startup where hibernation is off', async () => {
		const system = control({ Power: { HibernateEnabled: 0 }, 'Session Manager': { Power: { HiberbootEnabled: 1 } } });
		expect(codes(await windowsWith(system))).not.toContain('fast-startup');
	});

	test('of a Windows with CompactOS are told by its files', async () => {
		const { facts } = await readWindows(
			windowsFiles(SYSTEM, SOFTWARE, { 'Windows/System32/shell32.dll': '!! compressed by the Windows overlay filter (LZX)' }),
		);
		expect(facts?.os.marks).toContainEqual(expect.objectContaining({ code: 'compact-os', where: '/Windows/System32/shell32.dll' }));
	});

	test.for<[code: string, system: Keys, software?: Keys]>([
		['fast-startup', control({ 'Session Manager': { Power: { HiberbootEnabled: 1 } } })],
		['hibernation-enabled', control({ Power: { HibernateEnabled: 1 } })],
		['rtc-utc', control({ TimeZoneInformation: { RealTimeIsUniversal: 1 } })],
		['secure-boot', control({ SecureBoot: { State: { UEFISecureBootEnabled: 1 } } })],
		['vbs', control({ DeviceGuard: { EnableVirtualizationBasedSecurity: 1 } })],
		['memory-integrity', control({ DeviceGuard: { Scenarios: { [GUARD]: { Enabled: 1 } } } })],
		['credential-guard', control({ Lsa: { LsaCfgFlags: 2 } })],
		['bitlocker', control({ BitLockerStatus: { BootStatus: 1 } })],
		['pending-reboot', control({ 'Session Manager': { PendingFileRenameOperations: ['\\??\\C:\\a'] } })],
		['pending-reboot', {}, { Microsoft: { Windows: { CurrentVersion: { 'Component Based Servicing': { RebootPending: {} } } } } }],
		[
			'device-install-restrictions',
			{},
			{ Policies: { Microsoft: { Windows: { DeviceInstall: { Restrictions: { DenyUnspecified: 1 } } } } } },
		],
		['group-policy', {}, { Microsoft: { Windows: { CurrentVersion: { 'Group Policy': { History: { '{35378EAC}': {} } } } } } }],
		['powershell-all-signed', {}, { Policies: { Microsoft: { Windows: { PowerShell: { ExecutionPolicy: 'AllSigned' } } } } }],
		['device-path', {}, { Microsoft: { Windows: { CurrentVersion: { DevicePath: '%SystemRoot%\\inf;C:\\Drivers' } } } }],
	])('%s', async ([code, system, software]) => {
		expect(codes(await windowsWith(system, software)).filter((other) => other !== 'san-policy')).toEqual([code]);
	});
});

describe('an old Windows', () => {
	const old = (version: string, packages: readonly string[], more: Keys = {}): Keys => ({
		Microsoft: {
			'Windows NT': { CurrentVersion: { CurrentMajorVersionNumber: Number(version[0]), CurrentMinorVersionNumber: Number(version[2]) } },
			Windows: {
				CurrentVersion: {
					'Component Based Servicing': { Packages: Object.fromEntries(packages.map((name) => [name, { CurrentState: 112 }])) },
				},
			},
			...more,
		},
	});
	const END = '~31bf3856ad364e35~amd64~~6.1.1.1';
	const three: Keys = { PowerShell: { '3': { PowerShellEngine: { PowerShellVersion: '5.1' } } } };
	const two: Keys = { PowerShell: { '1': { PowerShellEngine: { PowerShellVersion: '2.0' } } } };

	test.for<[version: string, packages: string[], more: Keys, codes: string[]]>([
		['6.1', [`Package_for_KB976902${END}`], three, ['sha2-signing-absent']],
		['6.1', [`Package_2_for_KB3033929${END}`], three, []],
		['6.1', [`Package_for_RollupFix${END}`], two, ['powershell-old']],
		['6.0', [`Package_for_KB3033929${END}`], {}, ['sha2-signing-absent', 'powershell-old']],
		['6.0', [`Package_for_KB4474419${END}`], three, []],
		['6.2', [], two, []],
	])('%s with %j', async ([version, packages, more, expected]) => {
		expect(codes(await windowsWith({}, old(version, packages, more))).filter((other) => other !== 'san-policy')).toEqual(expected);
	});
});

describe('what cannot be read of a Windows', () => {
	test('does not take the rest along', async () => {
		const { facts, incomplete } = await readWindows(windowsFiles(SYSTEM, new Uint8Array(9000)));
		expect(incomplete).toMatchObject([{ what: 'the hive SOFTWARE', why: expect.stringContaining('no registry hive') }]);
		expect(facts?.os).toMatchObject({ name: 'Windows', hostname: 'web01' });
		expect(facts?.drivers?.disk.nvme?.state).toBe('boot');
	});

	test('is named where it is the control set', async () => {
		const { facts, incomplete } = await readWindows(windowsFiles({ Select: { Current: 9 } }));
		expect(facts?.os).toEqual({ family: 'windows', name: 'Windows', root: 'disk0p2' });
		expect(incomplete).toMatchObject([{ what: 'the control set' }]);
	});

	test('is in the logs of a hive', async () => {
		const before = makeHive(SYSTEM, { dirty: true });
		const after = makeHive(merged(SYSTEM, services({ storahci: { StartOverride: { '0': 0 } } })), { dirty: true });
		const replayed = (
			await readWindows(windowsFiles(before, SOFTWARE, { 'Windows/System32/config/SYSTEM.LOG1': makeLog([before, after], 7) }))
		).facts;
		expect(replayed?.os.marks).toContainEqual(expect.objectContaining({ code: 'hive-replayed', where: 'SYSTEM' }));
		expect(replayed?.drivers?.disk.sata?.state).toBe('boot');
		const alone = (await readWindows(windowsFiles(before))).facts;
		expect(alone?.os.marks).toContainEqual(expect.objectContaining({ code: 'hive-dirty' }));
	});
});

test('a damaged hive costs facts, and nothing else', async () => {
	const [system, software] = [makeHive(SYSTEM), makeHive(SOFTWARE)];
	await survivesDamage(system, async (bytes) => readWindows(windowsFiles(bytes, software)), { runs: 20 });
	await survivesDamage(
		software,
		async (bytes) => {
			const { facts } = await readWindows(windowsFiles(system, bytes));
			expect(facts?.drivers?.disk.nvme?.state).toBe('boot');
		},
		{ runs: 20 },
	);
});
