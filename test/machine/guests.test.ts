import { expect, test } from 'vitest';
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

test('where the hardware version or the processor is too old for a key, an older one of the same kind is taken', () => {
	expect(guestOfOsinfo('http://microsoft.com/win/11', 64, 19)).toMatchObject({ key: 'windows9-64', match: 'family' });
	expect(guestOfOsinfo('http://microsoft.com/win/2k12', 64, 7)).toMatchObject({ key: 'windows7srv-64', match: 'family' });
	expect(guestOfOsinfo('http://microsoft.com/win/2k12', 32)).toMatchObject({ key: 'longhorn', match: 'family' });
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
