import { describe, expect, test } from 'vitest';
import type { DiskFacts, DriverFact, GuestReport, OperatingSystem } from '../../src/guest/facts.ts';
import { guestFacts } from '../../src/machine/migrate/guest-facts.ts';

const disk = (index: number, biosBootCode: DiskFacts['biosBootCode'] = null): DiskFacts => ({
	index,
	image: `disk${index}.vmdk`,
	size: 1 << 30,
	sectorSize: 512,
	scheme: 'gpt',
	flags: [],
	partitions: [],
	biosBootCode,
});

/** Of two disks, of which nothing is known but what is given. */
const report = (known: Partial<GuestReport>): GuestReport => ({
	schema: 'vconv.guest/1',
	cost: { milliseconds: 1, reads: 1, bytes: 1 },
	disks: [disk(0), disk(1)],
	volumes: [],
	firmware: { type: 'unknown' },
	os: null,
	otherSystems: [],
	drivers: null,
	network: [],
	software: {},
	incomplete: [],
	...known,
});

const is = (state: DriverFact['state']): DriverFact => ({ state, evidence: '' });

const os = (family: OperatingSystem['family'], known: Partial<OperatingSystem>): OperatingSystem => ({
	family,
	name: family,
	root: 'disk0p1',
	...known,
});

const DISKS = ['scsi0:0', 'scsi0:1'];

describe('what an inspection says to the planner of a machine', () => {
	test('of a Linux for UEFI: where it starts, which it is, and what it boots from', () => {
		const linux = report({
			os: os('linux', { distro: 'debian', version: '12.15' }),
			firmware: { type: 'uefi', esp: 'disk1p1', loaders: ['/EFI/debian/shimx64.efi', '/EFI/BOOT/BOOTIA32.EFI'] },
			drivers: {
				disk: { 'virtio-blk': is('installed'), sata: is('boot'), lsilogic: is('boot'), xen: is('boot') },
				network: { virtio: is('installed') },
			},
		});
		expect(guestFacts(linux, DISKS)).toMatchObject({
			disk: { 'virtio-blk': 'installed', sata: 'boot', lsilogic: 'boot', nvme: 'unknown' },
			nic: { virtio: 'installed', e1000: 'unknown' },
			firmware: 'efi',
			loaderBits: 64,
			bootDisk: 'scsi0:1',
			osinfo: 'http://debian.org/debian/12',
		});
	});

	test('of a Windows for BIOS: a driver that does not start by itself is none to boot from, and a disabled card is none', () => {
		const windows = report({
			disks: [disk(0, 'windows'), disk(1)],
			os: os('windows', { name: 'Windows Server 2019 Datacenter' }),
			firmware: { type: 'bios' },
			drivers: {
				disk: { 'virtio-scsi': is('staged'), 'virtio-blk': is('disabled'), nvme: is('file-missing'), sata: is('boot') },
				network: { virtio: is('staged'), vmxnet3: is('disabled') },
			},
		});
		expect(guestFacts(windows, DISKS)).toMatchObject({
			disk: { 'virtio-scsi': 'installed', 'virtio-blk': 'installed', nvme: 'absent', sata: 'boot' },
			nic: { virtio: 'installed', vmxnet3: 'absent' },
			firmware: 'bios',
			bootDisk: 'scsi0:0',
			osinfo: 'http://microsoft.com/win/2k19',
		});
	});

	test.for([
		['linux', { distro: 'ubuntu', version: '22.04.3' }, 'http://ubuntu.com/ubuntu/22.04'],
		['linux', { distro: 'rocky', version: '9.4' }, 'http://rockylinux.org/rocky/9'],
		['linux', { distro: 'centos', version: '9' }, 'http://centos.org/centos-stream/9'],
		['linux', { distro: 'centos', version: '7' }, 'http://centos.org/centos/7'],
		['linux', { distro: 'sles', version: '15.4' }, 'http://suse.com/sle/15.4'],
		['linux', { distro: 'sles', version: '12.5' }, 'http://suse.com/sles/12.5'],
		['linux', { distro: 'of our own', version: '1' }, undefined],
		['linux', { distro: 'debian' }, undefined],
		['windows', { name: 'Windows 11 Pro' }, 'http://microsoft.com/win/11'],
		['windows', { name: 'Windows Server (R) 2008 Standard' }, 'http://microsoft.com/win/2k8'],
		['windows', { name: 'Windows Server 2008 R2 Enterprise' }, 'http://microsoft.com/win/2k8r2'],
		['windows', { name: 'Microsoft Windows XP' }, 'http://microsoft.com/win/xp'],
		['windows', { name: 'Microsoft Windows 2000' }, 'http://microsoft.com/win/2k'],
		['bsd', {}, undefined],
	] as const)('of a %s with %o it is %s', ([family, known, osinfo]) => {
		expect(guestFacts(report({ os: os(family, known) }), DISKS).osinfo).toBe(osinfo);
	});

	test('is nothing of a guest that could not be read, and the firmware alone of an encrypted one', () => {
		const nothing = guestFacts(report({}), DISKS);
		expect(Object.values(nothing).filter((value) => value !== undefined)).toEqual([]);
		const encrypted = report({
			firmware: { type: 'uefi', esp: 'disk0p1' },
			volumes: [{ id: 'disk0p3', type: 'crypto_LUKS', size: 1 << 29, clean: null, state: [], encrypted: true }],
		});
		const known = guestFacts(encrypted, DISKS);
		expect(known).toMatchObject({ firmware: 'efi', bootDisk: 'scsi0:0' });
		expect([known.disk, known.nic, known.osinfo]).toEqual([undefined, undefined, undefined]);
	});

	test('leaves open which disk it starts from where several may be it, or a disk has no name', () => {
		const both = report({ disks: [disk(0, 'grub'), disk(1, 'windows')], firmware: { type: 'bios' } });
		expect(guestFacts(both, DISKS).bootDisk).toBeUndefined();
		expect(guestFacts(report({ firmware: { type: 'dual', esp: 'disk0p1' } }), DISKS).firmware).toBeUndefined();
		expect(guestFacts(report({ firmware: { type: 'uefi', esp: 'disk7p1' } }), DISKS).bootDisk).toBeUndefined();
	});
});
