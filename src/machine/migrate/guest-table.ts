/** Systems that want the same hardware. Hardware specification, section 9.2. */
export type GuestProfile =
	/** To XP and 2003. */
	| 'win-legacy'
	/** Vista, 7, 2008 and 2008 R2. */
	| 'win-nt6'
	| 'win-modern'
	| 'linux-24'
	| 'linux-26'
	| 'linux-modern'
	| 'bsd'
	| 'solaris'
	| 'darwin'
	| 'esx'
	| 'other';

export type GuestRow = {
	/** VMX's key without `-64`. */
	readonly name: string;
	/** Which it comes in; undefined: both. */
	readonly bits?: 32 | 64;
	/** Those that may stand in for each other, the newest first. */
	readonly group: string;
	/** libosinfo's id, without its `http://`. */
	readonly osinfo?: string;
	/** Others of libosinfo's that VMware has the same key for, in the same form. */
	readonly also?: readonly string[];
	/** It comes in both, and nearly all who have it have that of 32 bits. */
	readonly mostly32?: boolean;
	readonly profile: GuestProfile;
	readonly initramfs?: 'generic' | 'host-only';
	/** The key says no version, and libosinfo's id is that of any. */
	readonly anyVersion?: boolean;
	/** VMware's hardware version that brought the key, as far as it matters. */
	readonly since: number;
};

type More = Partial<Pick<GuestRow, 'bits' | 'initramfs' | 'since' | 'anyVersion' | 'also' | 'mostly32'>>;

const row = (group: string, profile: GuestProfile, name: string, osinfo: string | undefined, more: More = {}): GuestRow => ({
	name,
	group,
	profile,
	since: 4,
	...(osinfo && { osinfo }),
	...more,
});

/**
 * The same distribution in several versions, the newest first: those from `modern` on have a kernel 3 or later. What libosinfo has under
 * another name begins with a slash.
 */
const distribution = (
	name: string,
	osinfo: string | undefined,
	versions: readonly (readonly [version: number, id: string, since?: number, also?: readonly string[]])[],
	{ modern, legacy = 0, initramfs }: { modern: number; legacy?: number; initramfs: 'generic' | 'host-only' },
): GuestRow[] =>
	versions.map(([version, id, since = 4, also]) => {
		const profile = version >= modern ? 'linux-modern' : version <= legacy ? 'linux-24' : 'linux-26';
		const isOld = name === 'rhel' && version === 2;
		const bits = version >= modern && name !== 'debian' ? only64 : isOld ? only32 : {};
		return row(name, profile, `${name}${version || ''}`, osinfo && (id.startsWith('/') ? osinfo.replace(/\/.*/, id) : `${osinfo}/${id}`), {
			initramfs,
			since,
			...(also && { also }),
			...bits,
		});
	});

const generic = { initramfs: 'generic' } as const;
const hostOnly = { initramfs: 'host-only' } as const;
const anyVersion = { anyVersion: true } as const;
const only64 = { bits: 64 } as const;
const only32 = { bits: 32 } as const;

/** Versions of Darwin and of FreeBSD, each with the hardware version that brought its key. */
const DARWIN = Object.entries({ 23: 20, 22: 20, 21: 18, 20: 18, 19: 17, 18: 14, 17: 14, 16: 13, 15: 13, 14: 11, 13: 10, 12: 9 })
	.map(([version, since]) => [Number(version), since] as const)
	.reverse();

const FREEBSD = [
	[15, 22],
	[14, 20],
	[13, 18],
	[12, 14],
	[11, 14],
] as const;

/** VMX's keys, VMware's own names for them, and libosinfo's ids. Hardware specification, section 9.1. */
export const GUESTS: readonly GuestRow[] = [
	row('windows', 'win-modern', 'windows11', 'microsoft.com/win/11', { ...only64, since: 20 }),
	row('windows', 'win-modern', 'windows9', 'microsoft.com/win/10', { since: 11 }),
	row('windows', 'win-modern', 'windows8', 'microsoft.com/win/8.1', { since: 8, also: ['microsoft.com/win/8'] }),
	row('windows', 'win-nt6', 'windows7', 'microsoft.com/win/7', { since: 7 }),
	row('windows', 'win-nt6', 'winvista', 'microsoft.com/win/vista'),
	row('windows', 'win-legacy', 'winXPPro', 'microsoft.com/win/xp', { mostly32: true }),
	row('windows', 'win-legacy', 'winXPHome', 'microsoft.com/win/xp', only32),
	row('windows server', 'win-modern', 'windows2022srvNext', 'microsoft.com/win/2k25', { ...only64, since: 20 }),
	row('windows server', 'win-modern', 'windows2019srvNext', 'microsoft.com/win/2k22', { ...only64, since: 18 }),
	row('windows server', 'win-modern', 'windows2019srv', 'microsoft.com/win/2k19', { ...only64, since: 15 }),
	row('windows server', 'win-modern', 'windows9srv', 'microsoft.com/win/2k16', { ...only64, since: 11 }),
	row('windows server', 'win-modern', 'windows8srv', 'microsoft.com/win/2k12r2', { ...only64, since: 8, also: ['microsoft.com/win/2k12'] }),
	row('windows server', 'win-nt6', 'windows7srv', 'microsoft.com/win/2k8r2', { ...only64, since: 7 }),
	row('windows server', 'win-nt6', 'longhorn', 'microsoft.com/win/2k8'),
	...['winNetEnterprise', 'winNetStandard', 'winNetDatacenter', 'winNetWeb', 'winNetBusiness'].map((name) =>
		row('windows server', 'win-legacy', name, 'microsoft.com/win/2k3r2', { also: ['microsoft.com/win/2k3'] }),
	),
	...['win2000Serv', 'win2000AdvServ', 'win2000Pro', 'win2000'].map((name) =>
		row('windows server', 'win-legacy', name, 'microsoft.com/win/2k', only32),
	),
	row('windows old', 'win-legacy', 'winNT', 'microsoft.com/winnt/4.0', only32),
	row('windows old', 'win-legacy', 'nt4', 'microsoft.com/winnt/4.0', only32),
	row('windows old', 'win-legacy', 'winMe', 'microsoft.com/win/me', only32),
	row('windows old', 'win-legacy', 'win98', 'microsoft.com/win/98', only32),
	row('windows old', 'win-legacy', 'win95', 'microsoft.com/win/95', only32),
	row('windows old', 'win-legacy', 'win31', 'microsoft.com/win/3.1', only32),
	row('dos', 'other', 'dos', 'microsoft.com/msdos/6.22', only32),
	...distribution(
		'rhel',
		'redhat.com/rhel',
		[
			[10, '10.0', 20],
			[9, '9.0', 18],
			[8, '8.0', 14],
			[7, '7.0', 10],
			[6, '6.0'],
			[5, '5.0'],
			[4, '4.0'],
			[3, '3'],
			[2, '2.1'],
		],
		{ modern: 7, legacy: 3, ...hostOnly },
	),
	...distribution(
		'centos',
		'centos.org/centos',
		[
			[9, '/centos-stream/9', 18, ['centos.org/centos/9', 'centos.org/centos/stream-9']],
			[8, '8', 14, ['centos.org/centos-stream/8']],
			[7, '7.0', 10],
			[6, '6.0'],
			[0, '5.0'],
		],
		{ modern: 7, ...hostOnly, legacy: -1 },
	),
	...distribution(
		'oraclelinux',
		'oracle.com/ol',
		[
			[10, '10.0', 20],
			[9, '9.0', 18],
			[8, '8.0', 14],
			[7, '7.0', 10],
			[6, '6.0'],
			[0, '5.0'],
		],
		{ modern: 7, ...hostOnly, legacy: -1 },
	),
	row('almalinux', 'linux-modern', 'almalinux', 'almalinux.org/almalinux/9', { ...hostOnly, ...anyVersion, ...only64, since: 18 }),
	row('rockylinux', 'linux-modern', 'rockylinux', 'rockylinux.org/rocky/9', { ...hostOnly, ...anyVersion, ...only64, since: 18 }),
	row('fedora', 'linux-modern', 'fedora', 'fedoraproject.org/fedora/unknown', { ...hostOnly, ...anyVersion }),
	row('ubuntu', 'linux-modern', 'ubuntu', 'ubuntu.com/ubuntu/22.04', { ...generic, ...anyVersion }),
	...distribution(
		'debian',
		'debian.org/debian',
		[
			[13, '13', 22],
			[12, '12', 20],
			[11, '11', 18],
			[10, '10', 14],
			[9, '9', 13],
			[8, '8', 12],
			[7, '7', 10],
			[6, '6'],
			[5, '5'],
			[4, '4'],
		],
		{ modern: 7, ...generic },
	),
	...distribution(
		'sles',
		'suse.com/sles',
		[
			[16, '16.0', 22],
			[15, '/sle/15', 14, ['suse.com/sles/15']],
			[12, '12', 10],
			[11, '11'],
			[10, '10'],
			[0, '9'],
		],
		{ modern: 12, ...hostOnly, legacy: -1 },
	),
	row('opensuse', 'linux-modern', 'opensuse', 'opensuse.org/opensuse/15.5', { ...generic, ...anyVersion }),
	row('opensuse', 'linux-26', 'suse', 'opensuse.org/opensuse/10.2', { ...generic, ...anyVersion }),
	row('amazonlinux', 'linux-modern', 'amazonlinux3', 'amazon.com/al/2023', { ...only64, since: 18 }),
	row('amazonlinux', 'linux-modern', 'amazonlinux2', 'amazon.com/al/2', { ...only64, since: 14 }),
	row('photon', 'linux-modern', 'vmware-photon', undefined, { ...generic, ...only64, since: 13 }),
	row('flatcar', 'linux-modern', 'flatcar', 'flatcar.org/flatcar/stable', { ...generic, ...only64, since: 18 }),
	row('flatcar', 'linux-modern', 'coreos', undefined, { ...generic, ...only64, since: 13 }),
	row('linux', 'linux-modern', 'other7xlinux', 'libosinfo.org/linux/2022', { since: 22 }),
	row('linux', 'linux-modern', 'other6xlinux', 'libosinfo.org/linux/2022', { since: 20 }),
	row('linux', 'linux-modern', 'other5xlinux', 'libosinfo.org/linux/2020', { since: 18 }),
	row('linux', 'linux-modern', 'other4xlinux', 'libosinfo.org/linux/2018', { since: 14 }),
	row('linux', 'linux-modern', 'other3xlinux', 'libosinfo.org/linux/2016', { since: 8 }),
	row('linux', 'linux-26', 'other26xlinux', undefined),
	row('linux', 'linux-24', 'other24xlinux', undefined),
	row('linux', 'linux-26', 'otherlinux', undefined),
	row('linux', 'linux-26', 'genericlinux', undefined),
	row('linux', 'linux-26', 'linux', undefined, only32),
	...FREEBSD.map(([version, since]) => row('bsd', 'bsd', `freeBSD${version}`, `freebsd.org/freebsd/${version}.0`, { since })),
	row('bsd', 'bsd', 'freeBSD', 'freebsd.org/freebsd/10.0', anyVersion),
	row('solaris', 'solaris', 'solaris11', 'oracle.com/solaris/11', only64),
	row('solaris', 'solaris', 'solaris10', 'sun.com/solaris/10'),
	row('solaris', 'solaris', 'solaris9', 'sun.com/solaris/9', only32),
	row('solaris', 'solaris', 'solaris8', undefined, only32),
	...DARWIN.map(([version, since]) => row('darwin', 'darwin', `darwin${version}`, undefined, { ...only64, since })),
	row('darwin', 'darwin', 'darwin11', 'apple.com/macosx/10.7', { since: 8 }),
	row('darwin', 'darwin', 'darwin10', 'apple.com/macosx/10.6', { since: 8 }),
	row('darwin', 'darwin', 'darwin', 'apple.com/macosx/10.5'),
	row('esx', 'esx', 'vmkernel', undefined, only32),
	...[6, 5, 4].map((version) => row('netware', 'other', `netware${version}`, `novell.com/netware/${version}`, only32)),
	...['os2', 'eComStation', 'unixware7', 'openserver6', 'openserver5'].map((name) => row('old', 'other', name, undefined, only32)),
	row('other', 'other', 'other', undefined),
];

/** What a key that is not in the table is, by how it begins. `darwin` ends in what Windows begins with. */
export const FAMILIES: readonly (readonly [RegExp, string])[] = [
	[/^darwin/, 'darwin'],
	[/^vmkernel/, 'esx'],
	[/^win\w*(srv|serv|net)/, 'windows server'],
	[/^(win|longhorn)/, 'windows'],
	[/linux|^(asianux|mandr|turbo|sun|vmware-|photon|crxpod|rocky|alma|arch|gentoo)/, 'linux'],
	[/bsd/, 'bsd'],
	[/solaris/, 'solaris'],
];
