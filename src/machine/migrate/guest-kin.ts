/** Versions of macOS that VMware calls by those of Darwin: `darwin10` is 10.6, and `darwin20` is 11. */
const MACOS = Array.from({ length: 14 }, (_, index) => index + 10).map((darwin): readonly [string, string] => [
	`apple.com/macosx/${darwin < 20 ? `10.${darwin - 4}` : darwin - 9}`,
	`darwin${darwin}`,
]);

/**
 * Systems that libosinfo knows and VMware has no key of their own for, each with VMX's key of the nearest, without `-64`: what begins so,
 * up to the end of a number or after a slash.
 */
export const KIN: readonly (readonly [osinfo: string, key: string])[] = [
	['microsoft.com/winnt/3', 'winNT'],
	['microsoft.com/win/1', 'win31'],
	['microsoft.com/win/2', 'win31'],
	['freedos.org/', 'dos'],
	...MACOS,
	...['10.0', '10.1', '10.2', '10.3', '10.4'].map((version) => [`apple.com/macosx/${version}`, 'darwin'] as const),
	['apple.com/macosx/', 'darwin23'],
	...['openbsd.org/', 'netbsd.org/', 'dragonflybsd.org/'].map((path) => [path, 'freeBSD'] as const),
	['sun.com/opensolaris/', 'solaris11'],
	// rebuilds of others, and what is made of them
	['redhat.com/rhel-atomic/', 'rhel7'],
	...['5', '6', '7'].map(
		(version) => [`scientificlinux.org/scientificlinux/${version}`, `centos${version === '5' ? '' : version}`] as const,
	),
	...['cclinux.org/circle/', 'miraclelinux.com/miraclelinux/', 'asianux.com/asianux/'].map((path) => [`${path}8`, 'centos8'] as const),
	...['cclinux.org/circle/', 'miraclelinux.com/miraclelinux/'].map((path) => [path, 'centos9'] as const),
	['asianux.com/asianux/4', 'centos6'],
	['asianux.com/asianux/7', 'centos7'],
	['oracle.com/oel/', 'oraclelinux'],
	...['fedoraproject.org/coreos/', 'fedoraproject.org/silverblue/'].map((path) => [path, 'fedora'] as const),
	...['system76.com/popos/', 'elementary.io/', 'trisquel.info/'].map((path) => [path, 'ubuntu'] as const),
	['suse.com/sled/9', 'sles'],
	...['10', '11', '12', '15'].map((version) => [`suse.com/sled/${version}`, `sles${version}`] as const),
	['suse.com/slem/', 'sles15'],
	['suse.com/caasp/', 'sles12'],
	// Linux by the age of its kernel
	...['redhat.com/rhl/', 'mandriva.com/mandrake/'].map((path) => [path, 'other24xlinux'] as const),
	...['mandriva.com/', 'altlinux.org/altlinux/'].map((path) => [path, 'other26xlinux'] as const),
	...[
		...['alpinelinux.org', 'altlinux.org', 'android-x86.org', 'archlinux.org', 'asianux.com', 'cirros-cloud.net', 'clearlinux.org'],
		...['endlessos.com', 'freenix.net', 'gentoo.org', 'gnome.org', 'hyperbola.info', 'mageia.org', 'manjaro.org', 'nixos.org'],
		...['pureos.net', 'slackware.com', 'univention.de', 'voidlinux.org'],
	].map((project) => [`${project}/`, 'other5xlinux'] as const),
	...['1.1', '1.3', 'latest'].map((version) => [`guix.gnu.org/guix/${version}`, 'other5xlinux'] as const),
	...['haiku-os.org/', 'guix.gnu.org/guix/hurd'].map((path) => [path, 'other'] as const),
];
