import type { Mark } from '../facts.ts';
import type { Key } from '../registry/keys.ts';
import { numberAt, type Registry, textAt } from './hives.ts';

/** A number in the registry that matters to a move where it is as told. */
type NumberMark = {
	readonly code: string;
	readonly hive: 'controlSet' | 'software';
	readonly key: string;
	readonly value: string;
	readonly matters: (value: number) => boolean;
};

const one = (value: number): boolean => value === 1;
const set = (value: number): boolean => value !== 0;

const RESTRICTIONS = 'Policies\\Microsoft\\Windows\\DeviceInstall\\Restrictions';
const DEVICE_GUARD = 'Control\\DeviceGuard';

const NUMBERS: readonly NumberMark[] = [
	{ code: 'fast-startup', hive: 'controlSet', key: 'Control\\Session Manager\\Power', value: 'HiberbootEnabled', matters: one },
	{ code: 'hibernation-enabled', hive: 'controlSet', key: 'Control\\Power', value: 'HibernateEnabled', matters: one },
	// Anything but 1 (online all) leaves data disks offline on another controller.
	{ code: 'san-policy', hive: 'controlSet', key: 'Services\\partmgr\\Parameters', value: 'SanPolicy', matters: (value) => value !== 1 },
	{ code: 'rtc-utc', hive: 'controlSet', key: 'Control\\TimeZoneInformation', value: 'RealTimeIsUniversal', matters: set },
	{ code: 'secure-boot', hive: 'controlSet', key: 'Control\\SecureBoot\\State', value: 'UEFISecureBootEnabled', matters: one },
	{ code: 'vbs', hive: 'controlSet', key: DEVICE_GUARD, value: 'EnableVirtualizationBasedSecurity', matters: one },
	{
		code: 'memory-integrity',
		hive: 'controlSet',
		key: `${DEVICE_GUARD}\\Scenarios\\HypervisorEnforcedCodeIntegrity`,
		value: 'Enabled',
		matters: one,
	},
	{ code: 'credential-guard', hive: 'controlSet', key: 'Control\\Lsa', value: 'LsaCfgFlags', matters: set },
	{ code: 'bitlocker', hive: 'controlSet', key: 'Control\\BitLockerStatus', value: 'BootStatus', matters: set },
	...['DenyUnspecified', 'DenyDeviceIDs', 'DenyDeviceClasses', 'DenyInstanceIDs'].map((value): NumberMark => {
		return { code: 'device-install-restrictions', hive: 'software', key: RESTRICTIONS, value, matters: one };
	}),
];

/** Keys that are there only while a reboot is due. */
const REBOOT_KEYS = [
	'Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending',
	'Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired',
];

const POLICY_HISTORY = 'Microsoft\\Windows\\CurrentVersion\\Group Policy\\History';
const EXECUTION_POLICIES = ['Policies\\Microsoft\\Windows\\PowerShell', 'Microsoft\\PowerShell\\1\\ShellIds\\Microsoft.PowerShell'];

/** Settings of a Windows that matter to a move. @param version `6.1`. */
export const windowsMarks = async (registry: Registry, version: string | undefined): Promise<readonly Mark[]> => {
	const marks: Mark[] = [];
	// Without hibernation there is no Fast Startup, whatever its own value says: `powercfg /h off` leaves that as it is.
	const hibernates = (await numberAt(registry.controlSet, 'Control\\Power', 'HibernateEnabled')) !== 0;
	for (const { code, hive, key, value, matters } of NUMBERS) {
		const found = await numberAt(registry[hive], key, value);
		if (found === undefined || !matters(found) || (code === 'fast-startup' && !hibernates)) continue;
		marks.push({
			code,
			evidence: `${value}=${found}`,
			where: hive === 'controlSet' ? `SYSTEM\\${registry.controlSet.path}\\${key}` : `SOFTWARE\\${key}`,
		});
	}
	marks.push(...(await pendingReboot(registry)), ...(await policies(registry.software)), ...(await ageMarks(registry.software, version)));
	return marks;
};

const PACKAGES = 'Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages';

/** Updates that teach a Windows signatures with SHA-2, by its version; later ones have it from the start. */
const SHA2_UPDATES: Readonly<Record<string, RegExp>> = {
	'6.0': /^Package(_\d+)?_for_KB4474419~/i,
	'6.1': /^Package(_\d+)?_for_(KB3033929|KB4474419|RollupFix)~/i,
};

/** What a Windows before 8 may lack that all later ones have. */
const ageMarks = async (software: Key | undefined, version = ''): Promise<readonly Mark[]> => {
	const updates = SHA2_UPDATES[version];
	if (!software || !updates) return [];
	const marks: Mark[] = [];
	const packages = await (await software.key(PACKAGES))?.keys();
	if (packages && !packages.some(({ name }) => updates.test(name)))
		marks.push({ code: 'sha2-signing-absent', evidence: `no update for it among ${packages.length}`, where: `SOFTWARE\\${PACKAGES}` });
	const engine = 'Microsoft\\PowerShell\\3\\PowerShellEngine';
	if (!(await software.key(engine))) {
		const old = await textAt(software, 'Microsoft\\PowerShell\\1\\PowerShellEngine', 'PowerShellVersion');
		marks.push({ code: 'powershell-old', evidence: old ? `PowerShell ${old}` : 'no PowerShell', where: `SOFTWARE\\${engine}` });
	}
	return marks;
};

const pendingReboot = async ({ controlSet, software }: Registry): Promise<readonly Mark[]> => {
	const marks: Mark[] = [];
	for (const key of REBOOT_KEYS) {
		if (await software?.key(key)) marks.push({ code: 'pending-reboot', evidence: 'the key is there', where: `SOFTWARE\\${key}` });
	}
	const manager = await controlSet.key('Control\\Session Manager');
	const renames = (await manager?.texts('PendingFileRenameOperations')) ?? [];
	if (manager && renames.length > 0) {
		marks.push({ code: 'pending-reboot', evidence: 'PendingFileRenameOperations is not empty', where: `SYSTEM\\${manager.path}` });
	}
	return marks;
};

const policies = async (software: Key | undefined): Promise<readonly Mark[]> => {
	const marks: Mark[] = [];
	const applied = ((await (await software?.key(POLICY_HISTORY))?.keys()) ?? []).filter(({ name }) => /^\{.*\}$/.test(name));
	if (applied.length > 0) marks.push({ code: 'group-policy', evidence: `${applied.length} applied`, where: `SOFTWARE\\${POLICY_HISTORY}` });
	for (const key of EXECUTION_POLICIES) {
		const policy = await textAt(software, key, 'ExecutionPolicy');
		if (policy?.toLowerCase() === 'allsigned')
			marks.push({ code: 'powershell-all-signed', evidence: `ExecutionPolicy=${policy}`, where: `SOFTWARE\\${key}` });
	}
	// Where Windows looks for drivers; what others have added there is taken into account when hardware is new.
	const path = await textAt(software, 'Microsoft\\Windows\\CurrentVersion', 'DevicePath');
	if (path !== undefined && !/^%SystemRoot%\\inf;?$/i.test(path)) {
		marks.push({ code: 'device-path', evidence: `DevicePath=${path}`, where: 'SOFTWARE\\Microsoft\\Windows\\CurrentVersion' });
	}
	return marks;
};
