import type { DiskBus, DriverFacts, DriverState as FoundState, GuestReport, NicModel, OperatingSystem } from '../../guest/facts.ts';
import { osinfoId } from './guests.ts';
import type { DriverState, GuestFacts } from './options.ts';

/**
 * What an inspection says that decides devices. What it could not find out is left out, and the rules of thumb decide then.
 * @param disks ids of the disks that were inspected, in that order: `scsi0:0`.
 */
export const guestFacts = ({ os, drivers, firmware, disks: found }: GuestReport, disks: readonly string[]): GuestFacts => {
	const type = firmware.type === 'uefi' ? 'efi' : firmware.type === 'bios' ? 'bios' : undefined;
	return {
		...(drivers && driversOf(drivers)),
		firmware: type,
		loaderBits: loaderBits(firmware.loaders ?? []),
		bootDisk: disks[bootDisk(type, firmware.esp, found) ?? -1],
		bits: os ? bitsOf(os) : undefined,
		osinfo: os ? osinfoOf(os) : undefined,
	};
};

/** Programs of 32 bits may run on a Linux of 64, which no other machine can start. */
const bitsOf = ({ family, arch }: OperatingSystem): GuestFacts['bits'] => {
	if (family !== 'windows') return undefined;
	return arch === 'x86_64' ? 64 : arch === 'i686' ? 32 : undefined;
};

/** Of the disks of a machine those that are inspected, in that order: an image that several name, for the first of them. */
export const inspectedOnce = <T>(disks: readonly T[], imageOf: (disk: T) => string): readonly T[] =>
	disks.filter((disk, index) => disks.findIndex((other) => imageOf(other) === imageOf(disk)) === index);

const loaderBits = (loaders: readonly string[]): GuestFacts['loaderBits'] => {
	if (loaders.some((path) => /(x64|aa64)\.efi$/i.test(path))) return 64;
	return loaders.some((path) => /ia32\.efi$/i.test(path)) ? 32 : undefined;
};

/** What a guest's drivers are told for. */
export const ATTACHMENTS: readonly (DiskBus & keyof NonNullable<GuestFacts['disk']>)[] = [
	'virtio-scsi',
	'virtio-blk',
	'sata',
	'pvscsi',
	'lsisas1068',
	'lsilogic',
	'nvme',
	'ide',
];
const CARDS: readonly NicModel[] = ['virtio', 'vmxnet3', 'e1000e', 'e1000', 'rtl8139'];

const driversOf = ({ disk, network }: DriverFacts): Pick<GuestFacts, 'disk' | 'nic'> => ({
	disk: Object.fromEntries(ATTACHMENTS.map((bus) => [bus, standing(disk[bus]?.state)])),
	nic: Object.fromEntries(CARDS.map((model) => [model, cardStanding(network[model]?.state)])),
});

/** A driver that somebody has to start or to mend is no better than one that is to be loaded later. */
const standing = (state: FoundState = 'unknown'): DriverState => {
	if (state === 'staged' || state === 'disabled') return 'installed';
	return state === 'file-missing' ? 'absent' : state;
};

/** Windows takes what is staged when it sees the card; what somebody disabled stays so. */
const cardStanding = (state: FoundState | undefined): DriverState => (state === 'disabled' ? 'absent' : standing(state));

/** The index of the disk that the machine starts from; undefined where none or several may be it. */
const bootDisk = (firmware: GuestFacts['firmware'], esp: string | undefined, disks: GuestReport['disks']): number | undefined => {
	if (firmware === 'efi') {
		const index = /^disk(\d+)/.exec(esp ?? '')?.[1];
		return index === undefined ? undefined : Number(index);
	}
	const withCode = disks.filter(({ biosBootCode }) => biosBootCode !== null);
	return withCode.length === 1 ? withCode[0]?.index : undefined;
};

/** libosinfo's ids by the ID of os-release, and how many parts of the version are in them. */
const DISTRIBUTIONS: ReadonlyMap<string, readonly [path: string, parts: number]> = new Map([
	['debian', ['debian.org/debian', 1]],
	['ubuntu', ['ubuntu.com/ubuntu', 2]],
	['rhel', ['redhat.com/rhel', 2]],
	['centos', ['centos.org/centos', 1]],
	['fedora', ['fedoraproject.org/fedora', 1]],
	['rocky', ['rockylinux.org/rocky', 1]],
	['almalinux', ['almalinux.org/almalinux', 1]],
	['ol', ['oracle.com/ol', 2]],
	['sles', ['suse.com/sles', 2]],
	['opensuse-leap', ['opensuse.org/opensuse', 2]],
]);

/** libosinfo's ids of Windows, by what it calls itself. */
const WINDOWS: readonly (readonly [RegExp, string])[] = [
	[/Server 2025/, '2k25'],
	[/Server 2022/, '2k22'],
	[/Server 2019/, '2k19'],
	[/Server 2016/, '2k16'],
	[/Server 2012 R2/, '2k12r2'],
	[/Server 2012/, '2k12'],
	[/Server.* 2008 R2/, '2k8r2'],
	[/Server.* 2008/, '2k8'],
	[/Server.* 2003 R2/, '2k3r2'],
	[/Server.* 2003/, '2k3'],
	[/Windows 11/, '11'],
	[/Windows 10/, '10'],
	[/Windows 8\.1/, '8.1'],
	[/Windows 8/, '8'],
	[/Windows 7/, '7'],
	[/Windows Vista/, 'vista'],
	[/Windows XP/, 'xp'],
	[/Windows 2000/, '2k'],
];

const osinfoOf = ({ family, distro = '', name, version = '' }: OperatingSystem): string | undefined => {
	if (family === 'windows') {
		const id = WINDOWS.find(([pattern]) => pattern.test(name))?.[1];
		return id && `http://microsoft.com/win/${id}`;
	}
	const [path, parts] = DISTRIBUTIONS.get(distro) ?? [];
	const numbers = /^\d+(\.\d+)*/.exec(version)?.[0].split('.').slice(0, parts);
	return path !== undefined && numbers ? osinfoId(path, numbers.join('.')) : undefined;
};
