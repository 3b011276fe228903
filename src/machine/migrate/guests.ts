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
	const base = path.slice(0, path.lastIndexOf('/') + 1);
	const isHere = (row: GuestRow): boolean => row.since <= hardwareVersion && (row.bits === undefined || row.bits === bits);
	const exact = GUESTS.find(({ osinfo }) => osinfo === path) ?? GUESTS.find(({ osinfo }) => osinfo && major(osinfo) === major(path));
	if (exact) {
		if (isHere(exact)) return guestOf(exact, bits, 'exact');
		const older = GUESTS.slice(GUESTS.indexOf(exact)).find((row) => row.group === exact.group && isHere(row));
		return older && guestOf(older, bits, 'family');
	}
	const relative = GUESTS.find((row) => row.osinfo?.startsWith(base) && isHere(row));
	return relative && guestOf(relative, bits, 'family');
};

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
