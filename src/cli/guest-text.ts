import { humanSize } from '../bytes/size.ts';
import type { DiskFacts, DriverFact, GuestReport, NetworkFacts, OperatingSystem, VolumeFacts } from '../guest/facts.ts';
import { plain } from './render.ts';

/** A report for people: disk by disk, then what was put together of them, then the system. */
export const guestText = (report: GuestReport): string => {
	const sections = [
		...report.disks.map((disk) => diskLines(disk, report.volumes)),
		report.volumes.filter(({ id }) => !/^disk\d+(p\d+)?$/.test(id)).map((volume) => `${volume.id}  ${volumeText(volume)}`),
		systemLines(report),
		driverLines(report),
		report.network.map(networkText),
		softwareLines(report),
		report.incomplete.map(({ where, what, why }) => `not read: ${what} of ${where}: ${why}`),
		[costText(report)],
	];
	return sections
		.filter((lines) => lines.length > 0)
		.map((lines) => lines.map((line) => `${plain(line)}\n`).join(''))
		.join('\n');
};

const diskLines = (disk: DiskFacts, volumes: readonly VolumeFacts[]): string[] => {
	const about = [humanSize(disk.size), disk.scheme === 'none' ? 'no partition table' : disk.scheme, disk.diskId];
	if (disk.sectorSize !== 512) about.push(`sectors of ${disk.sectorSize}`);
	if (disk.biosBootCode) about.push(`boot code: ${disk.biosBootCode}`);
	const title = `disk${disk.index}: ${disk.image}: ${joined(about)}`;
	const flags = disk.flags.map((flag) => `  ! ${flag}`);
	const named = (id: string): VolumeFacts | undefined => volumes.find((volume) => volume.id === id);
	const whole = named(`disk${disk.index}`);
	const lines = disk.partitions.map(({ number, size, type, name, bootable }) => {
		const volume = named(`disk${disk.index}p${number}`);
		const partition = joined([type, name && `"${name}"`, bootable && 'bootable']);
		return `  p${String(number).padEnd(3)}${humanSize(size).padEnd(10)}${partition}${volume ? `: ${volumeText(volume)}` : ''}`;
	});
	return [title, ...flags, ...(whole ? [`  ${volumeText(whole)}`] : []), ...lines];
};

const CLEAN: ReadonlyMap<boolean | null, string | undefined> = new Map([
	[true, 'clean'],
	[false, 'not clean'],
]);

const volumeText = ({ type, size, label, uuid, free, clean, state, mountpoint, memberOf, unsupported }: VolumeFacts): string =>
	joined([
		type === 'unknown' ? 'nothing known' : type,
		label && `"${label}"`,
		uuid,
		free !== undefined && `${humanSize(free)} of ${humanSize(size)} free`,
		CLEAN.get(clean),
		...state,
		memberOf && `part of ${memberOf}`,
		mountpoint && `on ${mountpoint}`,
		unsupported && `not read: ${unsupported}`,
	]);

const systemLines = ({ os, otherSystems, firmware }: GuestReport): string[] => {
	const { type, fallbackLoader, loaders } = firmware;
	const fallback = fallbackLoader === undefined ? undefined : fallbackLoader ? 'fallback loader there' : 'no fallback loader';
	return [
		`firmware: ${joined([type, fallback, ...(loaders ?? [])])}`,
		os ? `system: ${systemText(os)}` : 'system: none found',
		...otherSystems.map((other) => `another system: ${systemText(other)}`),
		...(os?.kernels ?? []).map(
			({ version, default: first, initramfs }) => `kernel: ${joined([version, first && 'default', initramfs ?? 'no initramfs found'])}`,
		),
		...(os?.marks ?? []).map(({ code, evidence, where }) => `${code}: ${evidence} (${where})`),
	];
};

const systemText = ({ name, version, build, edition, arch, hostname, root, bootloader, role }: OperatingSystem): string =>
	joined([
		name,
		version && `version ${version}`,
		build && `build ${build}`,
		edition,
		arch,
		hostname,
		role,
		`root on ${root}`,
		bootloader?.kind,
	]);

const driverLines = ({ drivers }: GuestReport): string[] => {
	if (!drivers) return [];
	const line = (kind: string, facts: Readonly<Record<string, DriverFact>>): string =>
		`${kind}: ${joined(Object.entries(facts).map(([name, { state }]) => `${name} ${state}`))}`;
	return [line('disk drivers', drivers.disk), line('network drivers', drivers.network)];
};

const networkText = ({ source, name, mac, method, addresses, gateway }: NetworkFacts): string =>
	`network: ${joined([name, mac, method, ...(addresses ?? []), gateway && `gateway ${gateway}`, source])}`;

const softwareLines = ({ software }: GuestReport): string[] =>
	Object.entries(software).flatMap(([name, said]) =>
		said === undefined || said.length === 0 ? [] : [`${name}: ${[said].flat().join(', ')}`],
	);

const costText = ({ cost: { milliseconds, reads, bytes } }: GuestReport): string =>
	`${milliseconds} ms, ${reads} reads, ${humanSize(bytes)}`;

const joined = (parts: readonly (string | false | undefined)[]): string =>
	parts.filter((part) => part !== undefined && part !== false && part !== '').join(', ');
