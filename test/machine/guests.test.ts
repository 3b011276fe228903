import { expect, test } from 'vitest';
import { decideGuest } from '../../src/machine/migrate/guest.ts';
import { KIN } from '../../src/machine/migrate/guest-kin.ts';
import { guestOfOsinfo, guestOfVmx } from '../../src/machine/migrate/guests.ts';

/** Every id of libosinfo's for a system of Microsoft's (`osinfo-query os`), and VMware's key by the name that VMware gives it. */
test.for([
	['msdos/6.22', 'dos', 'exact'],
	['win/1.0', 'win31', 'family'],
	['win/2.0', 'win31', 'family'],
	['win/2.1', 'win31', 'family'],
	['win/3.1', 'win31', 'exact'],
	['win/95', 'win95', 'exact'],
	['win/98', 'win98', 'exact'],
	['win/me', 'winMe', 'exact'],
	['winnt/3.1', 'winNT', 'family'],
	['winnt/3.5', 'winNT', 'family'],
	['winnt/3.51', 'winNT', 'family'],
	['winnt/4.0', 'winNT', 'exact'],
	['win/2k', 'win2000Serv', 'exact'],
	['win/xp', 'winXPPro-64', 'exact'],
	['win/2k3', 'winNetEnterprise-64', 'exact'],
	['win/2k3r2', 'winNetEnterprise-64', 'exact'],
	['win/vista', 'winvista-64', 'exact'],
	['win/2k8', 'longhorn-64', 'exact'],
	['win/7', 'windows7-64', 'exact'],
	['win/2k8r2', 'windows7srv-64', 'exact'],
	['win/8', 'windows8-64', 'exact'],
	['win/8.1', 'windows8-64', 'exact'],
	['win/2k12', 'windows8srv-64', 'exact'],
	['win/2k12r2', 'windows8srv-64', 'exact'],
	['win/10', 'windows9-64', 'exact'],
	['win/2k16', 'windows9srv-64', 'exact'],
	['win/2k19', 'windows2019srv-64', 'exact'],
	['win/2k22', 'windows2019srvNext-64', 'exact'],
	['win/11', 'windows11-64', 'exact'],
	['win/2k25', 'windows2022srvNext-64', 'exact'],
	// none yet, and each the newest of its kind
	['win/12', 'windows11-64', 'family'],
	['win/2k28', 'windows2022srvNext-64', 'family'],
] as const)('%s of Microsoft is %s', ([path, key, match]) => {
	const id = `http://microsoft.com/${path}`;
	const found = guestOfOsinfo(id, 64);
	expect([found?.key, found?.match]).toEqual([key, match]);
	if (match === 'exact') {
		expect(found?.osinfo).toBe(id);
		expect(guestOfVmx(key).profile).toBe(found?.profile);
		expect(guestOfOsinfo(guestOfVmx(key).osinfo ?? '', 64)?.key).toBe(key);
	}
});

/** libosinfo's ids (osinfo-db), and VMware's keys by the names that VMware gives them: 'Mac OS 10.6' is darwin10, 'macOS 11' darwin20. */
test.for([
	['apple.com/macosx/10.5', 'darwin-64', 'exact'],
	['apple.com/macosx/10.6', 'darwin10-64', 'exact'],
	['apple.com/macosx/10.7', 'darwin11-64', 'exact'],
	['novell.com/netware/4', 'netware4', 'exact'],
	['novell.com/netware/5', 'netware5', 'exact'],
	['novell.com/netware/6', 'netware6', 'exact'],
	['redhat.com/rhel/2.1', 'rhel2', 'exact'],
	['redhat.com/rhel/3', 'rhel3-64', 'exact'],
	['apple.com/macosx/10.1', 'darwin-64', 'family'],
	['apple.com/macosx/10.11', 'darwin15-64', 'family'],
	['apple.com/macosx/11', 'darwin20-64', 'family'],
	['apple.com/macosx/26', 'darwin23-64', 'family'],
	['openbsd.org/openbsd/7.0', 'freeBSD-64', 'family'],
	['netbsd.org/netbsd/9.0', 'freeBSD-64', 'family'],
	['dragonflybsd.org/dragonflybsd/5.6', 'freeBSD-64', 'family'],
	['alpinelinux.org/alpinelinux/3.17', 'other5xlinux-64', 'family'],
	['archlinux.org/archlinux/rolling', 'other5xlinux-64', 'family'],
	['mandriva.com/mandriva/2011', 'other26xlinux-64', 'family'],
	['mandriva.com/mandrake/9.2', 'other24xlinux-64', 'family'],
	['scientificlinux.org/scientificlinux/7.6', 'centos7-64', 'family'],
	['scientificlinux.org/scientificlinux/7-unknown', 'centos7-64', 'family'],
	['suse.com/sled/12.5', 'sles12-64', 'family'],
	['oracle.com/oel/5.4', 'oraclelinux-64', 'family'],
	['sun.com/opensolaris/2009.06', 'solaris11-64', 'family'],
	['freedos.org/freedos/1.2', 'dos', 'family'],
	['haiku-os.org/haiku/r1beta3', 'other-64', 'family'],
] as const)('%s is %s', ([path, key, match]) => {
	const id = `http://${path}`;
	expect(guestOfOsinfo(id, 64)).toMatchObject({ key, match });
	expect(guestOfVmx(key).match).toBe('exact');
	expect(guestOfVmx(key).osinfo === id).toBe(match === 'exact');
});

test('every key that stands in for a system is known', () => {
	for (const [, key] of KIN) expect(guestOfVmx(key), key).toMatchObject({ match: 'exact' });
});

test('where the hardware version or the processor is too old for a key, an older one of the same kind is taken', () => {
	expect(guestOfOsinfo('http://microsoft.com/win/11', 64, 19)).toMatchObject({ key: 'windows9-64', match: 'family' });
	expect(guestOfOsinfo('http://microsoft.com/win/2k12', 64, 7)).toMatchObject({ key: 'windows7srv-64', match: 'family' });
	expect(guestOfOsinfo('http://microsoft.com/win/2k12', 32)).toMatchObject({ key: 'longhorn', match: 'family' });
	expect(guestOfOsinfo('http://freebsd.org/freebsd/14.0', 64, 19)).toMatchObject({ key: 'freeBSD13-64', match: 'family' });
	expect(guestOfOsinfo('http://apple.com/macosx/13', 64, 19)).toMatchObject({ key: 'darwin21-64', match: 'family' });
	expect(guestOfOsinfo('http://microsoft.com/win/2k28', 64, 19)).toMatchObject({ key: 'windows2019srvNext-64', match: 'family' });
});

test('of a version that is not known, the one before it is taken', () => {
	expect(guestOfOsinfo('http://debian.org/debian/3.1', 64)).toMatchObject({ key: 'debian4-64', profile: 'linux-26', match: 'family' });
	expect(guestOfOsinfo('http://freebsd.org/freebsd/9.1', 64)).toMatchObject({ key: 'freeBSD-64', match: 'family' });
	expect(guestOfOsinfo('http://suse.com/sles/12-unknown', 64)).toMatchObject({ key: 'sles12-64', match: 'family' });
	expect(guestOfOsinfo('http://debian.org/debian/testing', 64)).toMatchObject({ key: 'debian13-64', match: 'family' });
	expect(guestOfOsinfo('http://ubuntu.com/ubuntu/24.04', 64)).toMatchObject({ key: 'ubuntu-64', match: 'family' });
});

test.for([
	['suse.com/sle/15.4', 'sles15-64'],
	['suse.com/sles/12.5', 'sles12-64'],
	['suse.com/sles/15.4', 'sles15-64'],
	['centos.org/centos/9', 'centos9-64'],
	['centos.org/centos-stream/9', 'centos9-64'],
	['centos.org/centos/8', 'centos8-64'],
	['redhat.com/rhel/9.4', 'rhel9-64'],
] as const)('%s is %s', ([path, key]) => {
	expect(guestOfOsinfo(`http://${path}`, 64)).toMatchObject({ key, match: 'exact' });
});

test.for([
	['sles15-64', 'suse.com/sle/15'],
	['sles12-64', 'suse.com/sles/12'],
	['centos9-64', 'centos.org/centos-stream/9'],
	['centos8-64', 'centos.org/centos/8'],
	['rhel8-64', 'redhat.com/rhel/8.0'],
] as const)('%s is %s of libosinfo', ([key, path]) => {
	expect(guestOfVmx(key).osinfo).toBe(`http://${path}`);
});

test.for([
	['other', 'redhat.com/rhel/9.4', 'rhel9-64', 'linux-modern'],
	['otherlinux', 'rockylinux.org/rocky/9', 'rockylinux-64', 'linux-modern'],
	['other', 'microsoft.com/win/2k22', 'windows2019srvNext-64', 'win-modern'],
	['windows7', 'microsoft.com/win/7', 'windows7', 'win-nt6'],
	['debian10', 'debian.org/debian/12', 'debian12', 'linux-modern'],
] as const)('where guestOS is %s, and %s was found, it is %s', ([vmxGuestOs, path, key, profile]) => {
	expect(decideGuest({ vmxGuestOs }, { osinfo: `http://${path}` })).toMatchObject({ key, profile, osinfo: `http://${path}` });
});
