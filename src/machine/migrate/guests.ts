import { KIN } from './guest-kin.ts';
import { FAMILIES, GUESTS, type GuestProfile, type GuestRow } from './guest-table.ts';

/** What kind of system runs in a machine. */
type GuestFamily = 'windows' | 'linux' | 'bsd' | 'solaris' | 'darwin' | 'esx' | 'other';

/** A guest operating system. */
export type GuestOs = {
	/** VMX's `guestOS`: `rhel9-64`. */
	readonly key: string;
	/** libosinfo's id, `http://redhat.com/rhel/9.0`; undefined where it has none, and where the version is not said. */
	readonly osinfo: string | undefined;
	readonly family: GuestFamily;
	readonly profile: GuestProfile;
	readonly bits: 32 | 64;
	/** Its early boot has the drivers of this machine alone (`host-only`), or those of any. */
	readonly initramfs: 'generic' | 'host-only' | undefined;
	/** The system itself (`exact`), a relative of it, or merely the kind. */
	readonly match: 'exact' | 'family' | 'guess';
};

const LATEST = Number.POSITIVE_INFINITY;

/** The system that VMX's `guestOS` names, in any case. Hardware specification, section 9. */
export const guestOfVmx = (key: string): GuestOs => {
	const said = key.toLowerCase();
	const bits = said.endsWith('-64') ? 64 : 32;
	const name = said.replace(/-64$/, '');
	const exact = GUESTS.find((row) => row.name.toLowerCase() === name);
	if (exact) return guestOf(exact, bits, 'exact');
	// A version that is not in the table: a relative of the newest that is.
	const stem = name.replace(/\d+$/, '');
	const relative = GUESTS.find((row) => stem !== '' && row.name.toLowerCase().replace(/\d+$/, '') === stem);
	if (relative) return guestOf(relative, bits, 'family');
	const [, group] = FAMILIES.find(([pattern]) => pattern.test(name)) ?? [];
	const kind = GUESTS.find((row) => row.group === group) ?? OTHER;
	return guestOf(kind, bits, 'guess');
};

/**
 * The system that libosinfo's id names, by a key that this hardware version knows: an older one of the same kind where it knows none.
 * @param hardwareVersion VMware's; undefined for the newest.
 */
export const guestOfOsinfo = (id: string, bits: 32 | 64, hardwareVersion = LATEST): GuestOs | undefined => {
	const path = id.replace(/^https?:\/\//, '').toLowerCase();
	// A system of 32 bits runs on a processor of 64.
	const isHere = (row: GuestRow): boolean => row.since <= hardwareVersion && (row.bits ?? bits) <= bits;
	const orOlder = (row: GuestRow | undefined): GuestRow | undefined =>
		row && GUESTS.slice(GUESTS.indexOf(row)).find((other) => other.group === row.group && isHere(other));
	const same = GUESTS.find(({ osinfo, also }) => osinfo === path || also?.includes(major(path)));
	const kin = same ? undefined : kinOf(path);
	const exact = same ?? (kin ? undefined : GUESTS.find(({ osinfo }) => osinfo && major(osinfo) === major(path)));
	const found = orOlder(
		exact ??
			kin ??
			nearest(
				path,
				GUESTS.filter(({ osinfo }) => osinfo && series(osinfo) === series(path)),
			),
	);
	if (!found) return undefined;
	if (found !== exact) return guestOf(found, bits, 'family');
	return { ...guestOf(exact, bits, 'exact'), ...(exact.also?.includes(major(path)) && { osinfo: `http://${path}` }) };
};

/** What stands in for a system that VMware has no key for. */
const kinOf = (path: string): GuestRow | undefined => {
	const fits = (start: string): boolean => path.startsWith(start) && (start.endsWith('/') || !/\w/.test(path.charAt(start.length)));
	const key = KIN.find(([start]) => fits(start))?.[1];
	return key === undefined ? undefined : GUESTS.find(({ name }) => name === key);
};

/** Whether nearly all who have a system have that of 32 bits. */
export const isMostly32 = (id: string): boolean =>
	GUESTS.some(({ osinfo, mostly32 }) => mostly32 && id.replace(/^https?:\/\//, '').toLowerCase() === osinfo);

/** Of some versions of a system, the newest first, the last before this one; the oldest where all came later. */
const nearest = (path: string, rows: readonly GuestRow[]): GuestRow | undefined =>
	rows.find(({ osinfo = '' }) => !(versionOf(osinfo) > versionOf(path))) ?? rows.at(-1);

/** Not a number, which is later than none, for words such as `unknown` and `rawhide`. */
const versionOf = (path: string): number => Number.parseFloat(path.slice(series(path).length));

/** libosinfo's id of a distribution in a version, by the path that most of its versions have. */
export const osinfoId = (path: string, version: string): string => {
	const later = Number.parseInt(version, 10);
	const renamed =
		path === 'suse.com/sles' && later >= 15
			? 'suse.com/sle'
			: path === 'centos.org/centos' && later >= 9
				? 'centos.org/centos-stream'
				: path;
	return `http://${renamed}/${version}`;
};

/** All versions of a system; those of Windows for servers are called by years. */
const series = (path: string): string => path.replace(/\/(2k)?[^/]*$/, '/$1');

/** `redhat.com/rhel/9` of `redhat.com/rhel/9.4`. */
const major = (path: string): string => path.replace(/(\/\d+)\.[\d.]*$/, '$1');

const OTHER = GUESTS[GUESTS.length - 1] as GuestRow;

const guestOf = (row: GuestRow, bits: 32 | 64, match: GuestOs['match']): GuestOs => ({
	key: `${row.name}${(row.bits ?? bits) === 64 ? '-64' : ''}`,
	osinfo: row.osinfo && match === 'exact' && !row.anyVersion ? `http://${row.osinfo}` : undefined,
	family: familyOf(row.profile),
	profile: row.profile,
	bits: row.bits ?? bits,
	initramfs: row.initramfs,
	match,
});

const familyOf = (profile: GuestProfile): GuestFamily => {
	if (profile.startsWith('win-')) return 'windows';
	return profile.startsWith('linux-') ? 'linux' : (profile as GuestFamily);
};
