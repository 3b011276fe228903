import { expect, test } from 'vitest';
import type { DiskFacts, VolumeFacts } from '../../src/guest/facts.ts';
import { mountGuest, volumeNamed } from '../../src/guest/mounts.ts';
import type { GuestContext } from '../../src/guest/system.ts';
import { deviceOf } from './make-disk.ts';
import { fileSystemOf } from './make-tree.ts';

const volume = (id: string, more: Partial<VolumeFacts> = {}): VolumeFacts => ({
	id,
	type: 'ext4',
	size: 1,
	clean: true,
	state: [],
	...more,
});
const partition = (number: number, uuid: string, name: string) => ({
	number,
	start: 0,
	size: 1,
	type: 'linux',
	uuid,
	name,
	bootable: false,
});
const disk = (index: number, partitions: DiskFacts['partitions']): DiskFacts => ({
	...{ index, image: 'x', size: 1, sectorSize: 512, scheme: 'gpt', flags: [], biosBootCode: null, partitions },
});

const volumes = [
	volume('disk0p1', { uuid: 'ABCD-1234', label: 'EFI SYSTEM' }),
	volume('disk0p2', { uuid: '01234567-89ab-cdef-0123-456789abcdef', label: 'boot' }),
	volume('disk1', { uuid: 'whole' }),
	volume('disk2p15'),
	volume('lv:my-vg/var-log', { mapperUuid: 'LVM-bUGu5Wk' }),
	volume('disk3', { uuid: 'member', memberOf: 'my-vg' }),
	volume('disk4', { memberOf: 'md:1', label: 'web:0' }),
	volume('disk5', { memberOf: 'md:2', label: 'home' }),
	volume('md:1'),
	volume('md:0123abcd-4567-89ab-cdef-0123456789ab'),
	volume('md:2'),
];
const facts = { volumes, disks: [disk(0, [partition(1, 'part-one', 'esp'), partition(2, 'part-two', 'the boot')])] };

test.each([
	['UUID=abcd-1234', 'disk0p1'],
	['UUID="01234567-89AB-cdef-0123-456789abcdef"', 'disk0p2'],
	['LABEL=boot', 'disk0p2'],
	['LABEL=EFI\\040SYSTEM', 'disk0p1'],
	['/dev/disk/by-label/EFI\\x20SYSTEM', 'disk0p1'],
	['/dev/disk/by-uuid/whole', 'disk1'],
	['PARTUUID=part-two', 'disk0p2'],
	['/dev/disk/by-partuuid/part-one', 'disk0p1'],
	['PARTLABEL=esp', 'disk0p1'],
	['/dev/sda2', 'disk0p2'],
	['/dev/vdb', 'disk1'],
	['/dev/nvme0n1p1', 'disk0p1'],
	['/dev/xvdc15', 'disk2p15'],
	['/dev/mapper/my--vg-var--log', 'lv:my-vg/var-log'],
	['/dev/my-vg/var-log', 'lv:my-vg/var-log'],
	['/dev/md0', 'md:1'],
	['/dev/md/home', 'md:2'],
	['/dev/disk/by-id/dm-uuid-LVM-bUGu5Wk', 'lv:my-vg/var-log'],
	['/dev/disk/by-id/dm-uuid-LVM-other', undefined],
	['/dev/disk/by-id/dm-name-my--vg-var--log', 'lv:my-vg/var-log'],
	['/dev/disk/by-id/md-name-web:0', 'md:1'],
	['/dev/disk/by-id/md-uuid-0123abcd:456789ab:cdef0123:456789ab', 'md:0123abcd-4567-89ab-cdef-0123456789ab'],
	['/dev/md1', undefined],
	['UUID=member', undefined],
	['UUID=none', undefined],
	['/dev/sdz9', undefined],
	['tmpfs', undefined],
	['', undefined],
])('%s is %s', (device, id) => {
	expect(volumeNamed(device, facts)).toBe(id);
});

test('a guest is put together as its fstab says, and what is missing is left out', async () => {
	const device = await deviceOf(512, []);
	const root = { device, facts: volume('lv:my-vg/var-log'), fileSystem: fileSystemOf({ boot: {}, data: {} }) };
	const boot = { device, facts: volumes[1] as VolumeFacts, fileSystem: fileSystemOf({ kernel: 'k' }) };
	const context: GuestContext = { ...facts, open: [root, boot], attempt: async (_where, _what, read) => read() };
	const line = { type: 'ext4', options: ['defaults'], where: '/etc/fstab:1' };
	const { tree, mounts, mountpoints } = mountGuest(
		root,
		[
			{ device: 'UUID=whatever', mountpoint: '/', ...line },
			{ device: 'LABEL=boot', mountpoint: '/boot/', ...line },
			{ device: 'LABEL=gone', mountpoint: '/data', ...line },
			{ device: '/dev/sdb', mountpoint: 'none', ...line },
		],
		context,
	);
	expect(await tree.readText('/boot/kernel')).toBe('k');
	expect(mounts.map(({ volume: id }) => id)).toEqual(['lv:my-vg/var-log', 'disk0p2', undefined, 'disk1']);
	expect([...mountpoints]).toEqual([
		['lv:my-vg/var-log', '/'],
		['disk0p2', '/boot'],
	]);
});
