import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { machineFormats } from '../../formats/machines.ts';
import { raw } from '../../formats/raw/index.ts';
import { assemble } from '../../src/guest/assemble.ts';
import { sourceDevice } from '../../src/guest/device.ts';
import type { GuestReport, Incomplete } from '../../src/guest/facts.ts';
import { attempts } from '../../src/guest/system.ts';
import type { Recognised } from '../../src/guest/volumes/candidate.ts';
import { openFile } from '../../src/node/file.ts';
import { inspectFiles } from '../../src/node/inspect.ts';
import { record } from '../guest/make-disk.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';

process.env['PATH'] += ':/sbin:/usr/sbin'; // where Debian has mke2fs and its like

const inspect = (...names: string[]): Promise<GuestReport> =>
	inspectFiles(names, {
		opening: { formats: [raw], format: 'raw', gate: () => Promise.reject(new Error('nothing is named')) },
		machineFormats,
	});

const emptyDisk = (folder: string, size: string | number, name = 'disk.img'): string => {
	const file = path.join(folder, name);
	run('truncate', '-s', String(size), file);
	return file;
};

/** What a program says as `KEY=value` lines. */
const pairs = (text: string): Readonly<Record<string, string>> =>
	Object.fromEntries(text.split('\n').flatMap((line) => [line.split(/=(.*)/s, 2)].filter(([, value]) => value !== undefined)));

const luks = (type: string) => (file: string) => {
	fs.writeFileSync(`${file}.key`, 'secret');
	const cost = type === 'luks2' ? ['--pbkdf', 'pbkdf2', '--label', 'sealed'] : [];
	run('cryptsetup', 'luksFormat', '-q', '--type', type, ...cost, '--pbkdf-force-iterations', '1000', file, `${file}.key`);
};

const mdMember = (file: string): void => {
	const superblock = record(256, [
		[0, 4, 0xa92b4efc],
		[4, 4, 1],
		[16, 8, 0x123456789a],
		[72, 4, 1],
		[80, 8, 1024],
		[92, 4, 2],
		[128, 8, 64],
		[144, 8, 8],
	]);
	let sum = 0n;
	for (let at = 0; at < 256; at += 4) sum += BigInt(new DataView(superblock.buffer).getUint32(at, true));
	new DataView(superblock.buffer).setUint32(216, Number((sum & 0xffffffffn) + (sum >> 32n)), true);
	const open = fs.openSync(file, 'r+');
	fs.writeSync(open, superblock, 0, 256, 4096);
	fs.closeSync(open);
};

/** Takes a GPT's place, and leaves its copy at the end. */
const afterGpt = (file: string): void => {
	run('sgdisk', '-n', '1:0:0', file);
	run('dd', 'if=/dev/zero', `of=${file}`, 'bs=1M', 'count=2', 'conv=notrunc', 'status=none');
	run('mkfs.vfat', '-I', '-F', '16', file);
};

type Maker = readonly [what: string, size: string, program: string, make: (file: string) => unknown];

const makers: readonly Maker[] = [
	['ext2', '4M', 'mke2fs', (file) => run('mke2fs', '-q', '-F', '-t', 'ext2', '-L', 'two', file)],
	['ext3', '8M', 'mke2fs', (file) => run('mke2fs', '-q', '-F', '-t', 'ext3', '-L', 'three', file)],
	['ext4', '8M', 'mke2fs', (file) => run('mke2fs', '-q', '-F', '-t', 'ext4', '-L', 'sixteen of them!', file)],
	['XFS', '300M', 'mkfs.xfs', (file) => run('mkfs.xfs', '-q', '-L', 'x', file)],
	['btrfs', '120M', 'mkfs.btrfs', (file) => run('mkfs.btrfs', '-q', '-L', 'b', file)],
	['NTFS', '8M', 'mkntfs', (file) => run('mkntfs', '-q', '-F', '-f', '-L', 'nt', file)],
	['FAT12', '2M', 'mkfs.vfat', (file) => run('mkfs.vfat', '-n', 'TWELVE', file)],
	['FAT16', '20M', 'mkfs.vfat', (file) => run('mkfs.vfat', '-F', '16', '-n', 'SIXTEEN', file)],
	['FAT32', '40M', 'mkfs.vfat', (file) => run('mkfs.vfat', '-F', '32', file)],
	['FAT16 on what was a GPT disk', '20M', 'sgdisk', afterGpt],
	['exFAT', '8M', 'mkfs.exfat', (file) => run('mkfs.exfat', file)],
	['swap', '4M', 'mkswap', (file) => run('mkswap', '-q', '-L', 'sw', file)],
	['LUKS1', '8M', 'cryptsetup', luks('luks1')],
	['LUKS2', '20M', 'cryptsetup', luks('luks2')],
	['ISO 9660', '0', 'genisoimage', (file) => run('genisoimage', '-quiet', '-V', 'AN ISO', '-o', file, temporaryFolder())],
	['a member of an array', '2M', 'blkid', mdMember],
];

describe.skipIf(!has('blkid'))('blkid says the same of', () => {
	test.each(makers.filter(([, , program]) => has(program)))('%s', async (_, size, __, make) => {
		const file = emptyDisk(temporaryFolder(), size);
		make(file);
		const theirs = pairs(run('blkid', '-p', '-o', 'export', file).replaceAll('\\', ''));
		const [volume] = (await inspect(file)).volumes;
		expect([volume?.type, volume?.uuid, volume?.label]).toEqual([theirs['TYPE'], theirs['UUID'], theirs['LABEL']]);
		expect(volume?.clean).not.toBe(false);
	});
});

const canLoop = (): boolean => process.getuid?.() === 0 && spawnSync('losetup', ['-f']).status === 0;

const canMount = (): boolean => canLoop() && /^\txfs$/m.test(fs.readFileSync('/proc/filesystems', 'utf8'));

test.skipIf(!has('mkfs.xfs'))('xfs_logprint says the same of whether an XFS was unmounted', async ({ skip }) => {
	skip(!canMount(), 'no XFS can be mounted here');
	const folder = temporaryFolder();
	const file = emptyDisk(folder, '300M');
	const mountpoint = path.join(folder, 'mounted');
	fs.mkdirSync(mountpoint);
	const judge = async (name: string): Promise<[boolean | null | undefined, boolean]> => {
		const state = /state: <(\w+)>/.exec(run('xfs_logprint', '-t', name))?.[1];
		return [(await inspect(name)).volumes[0]?.clean, state === 'CLEAN'];
	};
	run('mkfs.xfs', '-q', file);
	expect(await judge(file)).toEqual([true, true]);
	run('mount', '-o', 'loop', file, mountpoint);
	try {
		for (let i = 0; i < 200; i++) fs.writeFileSync(path.join(mountpoint, `file ${i}`), 'content');
		run('sync', '-f', mountpoint);
		run('cp', '--sparse=always', file, `${file}.live`);
	} finally {
		run('umount', mountpoint);
	}
	expect(await judge(`${file}.live`)).toEqual([false, false]);
	expect(await judge(file)).toEqual([true, true]);
});

test.skipIf(!has('mkfs.xfs'))('df finds as much free on an XFS', async ({ skip }) => {
	skip(!canMount(), 'no XFS can be mounted here');
	const folder = temporaryFolder();
	const file = emptyDisk(folder, '300M');
	// With these it keeps some more, by the size of its groups.
	run('mkfs.xfs', '-q', '-m', 'reflink=0,finobt=0,rmapbt=0', file);
	run('mount', '-o', 'loop', file, folder);
	try {
		const free = Number(run('df', '-B1', '--output=avail', folder).split('\n')[1]);
		run('umount', folder);
		expect((await inspect(file)).volumes[0]?.free).toBe(free);
	} finally {
		spawnSync('umount', [folder]);
	}
});

test.skipIf(!has('mke2fs'))('fast commits of Linux are told as changes that are not seen', async ({ skip }) => {
	skip(!canLoop(), 'nothing can be mounted here');
	const folder = temporaryFolder();
	const file = emptyDisk(folder, '300M');
	const mountpoint = path.join(folder, 'mounted');
	fs.mkdirSync(mountpoint);
	run('mke2fs', '-q', '-F', '-t', 'ext4', '-b', '4096', '-O', 'fast_commit', file);
	run('mount', '-o', 'loop', file, mountpoint);
	try {
		fs.writeFileSync(path.join(mountpoint, 'old'), 'old');
		run('sync', '-f', mountpoint);
		fs.writeFileSync(path.join(mountpoint, 'new'), 'new');
		run('sync', path.join(mountpoint, 'new'));
		run('cp', '--sparse=always', file, `${file}.live`);
	} finally {
		run('umount', mountpoint);
	}
	const { volumes, incomplete } = await inspect(`${file}.live`);
	expect(volumes[0]?.state).toEqual(['needs-recovery', 'fast-commits-not-replayed']);
	expect(incomplete).toEqual([{ where: 'disk0', what: 'newest changes', why: expect.stringContaining('fast commits') }]);
});

test.skipIf(!has('mke2fs'))('df says the same of what is free in an ext4 in use', async ({ skip }) => {
	skip(!canLoop(), 'nothing can be mounted here');
	const folder = temporaryFolder();
	const file = emptyDisk(folder, '64M');
	const mountpoint = path.join(folder, 'mounted');
	fs.mkdirSync(mountpoint);
	run('mke2fs', '-q', '-F', '-t', 'ext4', '-m', '0', file);
	run('mount', '-o', 'loop', file, mountpoint);
	let theirs: readonly number[] = [];
	try {
		for (let i = 0; i < 40; i++) fs.writeFileSync(path.join(mountpoint, `file ${i}`), Buffer.alloc(2 ** 20, 1));
		run('sync', '-f', mountpoint);
		const { bfree, bsize, ffree } = fs.statfsSync(mountpoint);
		theirs = [bfree * bsize, ffree];
		run('cp', '--sparse=always', file, `${file}.live`);
	} finally {
		run('umount', mountpoint);
	}
	const [volume] = (await inspect(`${file}.live`)).volumes;
	expect(volume?.state).toContain('needs-recovery');
	expect([volume?.free, volume?.freeInodes]).toEqual(theirs);
});

type SfdiskTable = {
	readonly partitiontable: {
		readonly label: string;
		readonly id: string;
		readonly partitions?: readonly {
			node: string;
			start: number;
			size: number;
			type: string;
			uuid?: string;
			name?: string;
			bootable?: boolean;
		}[];
	};
};

describe.skipIf(!has('sfdisk'))('sfdisk says the same of', () => {
	test.each([
		['four partitions', 'label: dos\n,4M,L,*\n,4M,7\n,4M,82\n,,8e\n'],
		['logical partitions', 'label: dos\nlabel-id: 0xdeadbeef\n,4M,c\n,,E\n,4M,L\n,8M,fd\n,,L\n'],
		['nothing but an extended one', 'label: dos\n,,E\n'],
		['a GPT', 'label: gpt\n,4M,U,\n,1M,21686148-6449-6E6F-744E-656564454649\nsize=4M,type=S,name="swap – é"\nattrs=LegacyBIOSBootable\n'],
		['a GPT with gaps', 'label: gpt\nfirst-lba: 34\n3: start=2048,size=100\n9: start=8192,size=4096\n'],
		['an empty GPT', 'label: gpt\n'],
	])('%s', async (_, script) => {
		const folder = temporaryFolder();
		const file = emptyDisk(folder, '40M');
		fs.writeFileSync(path.join(folder, 'script'), script);
		run('sh', '-c', `sfdisk -q --no-reread --no-tell-kernel ${file} < ${path.join(folder, 'script')}`);
		const { partitiontable: theirs } = JSON.parse(run('sfdisk', '-J', file)) as SfdiskTable;
		const [ours] = (await inspect(file)).disks;
		expect(ours).toMatchObject({ scheme: theirs.label === 'dos' ? 'mbr' : 'gpt', flags: [] });
		expect(ours?.diskId).toBe(theirs.id.toLowerCase().replace(/^0x/, ''));
		const known = (theirs.partitions ?? []).map(({ node, start, size, type, uuid, name, bootable }) => ({
			number: Number(/\d+$/.exec(node)?.[0]),
			...{ start: start * 512, size: size * 512, type: type.toLowerCase(), uuid: uuid?.toLowerCase(), name },
			bootable: bootable ?? false,
		}));
		expect(
			ours?.partitions.map(({ number, start, size, typeGuid, mbrType, uuid, name, bootable }) => ({
				...{ number, start, size, type: typeGuid ?? mbrType?.toString(16), name },
				uuid: typeGuid ? uuid : undefined,
				bootable: typeGuid ? false : bootable,
			})),
		).toEqual(known);
		const active = theirs.label === 'gpt' && script.includes('Legacy') ? 1 : 0;
		if (theirs.label === 'gpt') expect(ours?.partitions.filter(({ bootable }) => bootable)).toHaveLength(active);
	});
});

describe.skipIf(!has('sgdisk'))('sgdisk finds fault where vconv does', () => {
	test.each<[string, string[], (file: string) => unknown]>([
		['nothing', [], () => {}],
		['a disk that was grown', ['gpt-backup-not-at-end'], (file) => fs.truncateSync(file, 80 << 20)],
		[
			'a disk whose end was cut off',
			['gpt-backup-bad', 'gpt-backup-not-at-end', 'partition-outside'],
			(file) => fs.truncateSync(file, 20 << 20),
		],
		['a damaged header', ['gpt-primary-bad'], (file) => overwrite(file, 512 + 20)],
		['a damaged copy', ['gpt-backup-bad'], (file) => overwrite(file, (40 << 20) - 512)],
	])('%s', async (_, flags, damage) => {
		const file = emptyDisk(temporaryFolder(), '40M');
		run('sgdisk', '-n', '1:2048:+4M', '-n', '2:0:0', file);
		damage(file);
		const [disk] = (await inspect(file)).disks;
		expect(disk?.flags).toEqual(flags);
		expect(disk?.partitions).toHaveLength(2);
		const verdict = run('sh', '-c', `sgdisk -v ${file} 2>&1 || true`);
		expect(/No problems found/.test(verdict) && !/invalid|mismatch|corrupt/i.test(verdict)).toBe(flags.length === 0);
	});
});

const overwrite = (file: string, at: number, text = 'garbage'): void => {
	const open = fs.openSync(file, 'r+');
	fs.writeSync(open, text, at);
	fs.closeSync(open);
};

/** LVM makes groups on block devices alone, and does without the kernel's device mapper only if it is told to. */
const LVM = ['--config', 'devices{filter=["a|/dev/loop|","r|.*|"] use_devicesfile=0} global{activation=0} backup{backup=0 archive=0}'];
const volumesOf = async (files: readonly string[]): Promise<readonly Recognised[]> => {
	const incomplete: Incomplete[] = [];
	const given = await Promise.all(
		files.map(async (image, index) => ({ image, device: sourceDevice(await openFile(image), { name: `disk${index}` }) })),
	);
	const { volumes } = await assemble(given, { attempt: attempts(incomplete), incomplete, renew() {} });
	expect(incomplete).toEqual([]);
	return volumes;
};

test.skipIf(!has('pvcreate'))(
	'a physical volume that pvcreate made spans the disk, and one that was cut is said to be',
	async ({ skip }) => {
		skip(!canLoop(), 'no loop device is to be had');
		const file = emptyDisk(temporaryFolder(), '40M');
		const loop = run('losetup', '-f', '--show', file).trim();
		try {
			run('pvcreate', ...LVM, '-y', loop);
		} finally {
			run('losetup', '-d', loop);
		}
		expect((await inspect(file)).volumes).toMatchObject([{ type: 'LVM2_member', fileSystemSize: 40 << 20, state: [] }]);
		fs.truncateSync(file, 30 << 20);
		expect((await inspect(file)).volumes).toMatchObject([{ type: 'LVM2_member', size: 30 << 20, state: ['larger-than-volume'] }]);
	},
);

/** Of a stripe, in bytes. */
const CHUNK = 16 << 10;

test.skipIf(!has('pvcreate'))('volume groups of LVM itself are put together', async ({ skip }) => {
	skip(!canLoop(), 'no loop device is to be had');
	const folder = temporaryFolder();
	const files = ['a.img', 'b.img'].map((name) => emptyDisk(folder, '40M', name));
	const loops = files.map((file) => run('losetup', '-f', '--show', file).trim());
	const lvm = (command: string, ...args: string[]): string => run(command, ...LVM, ...args);
	const own = 'vg-a';
	const make = (name: string, ...args: string[]) => lvm('lvcreate', '-y', '-an', '-Zn', '-Wn', '-n', name, ...args, own);
	try {
		lvm('pvcreate', '-y', ...loops);
		lvm('vgcreate', '-s', '1M', own, ...loops);
		make('striped', '-i2', '-I16k', '-l4');
		make('first', '-l20');
		make('both', '-l40');
		lvm('lvextend', '-l+5', `${own}/first`);
		const segments = lvm('lvs', '--noheadings', '--units', 'b', '--nosuffix', '-o', 'lv_name,seg_start,seg_pe_ranges', own)
			.trim()
			.split('\n')
			.map((line) => line.trim().split(/\s+/));
		for (const [name, start, ...stripes] of segments) {
			for (const [index, stripe] of stripes.entries()) {
				const [loop = '', extent] = stripe.split(/[:-]/);
				overwrite(files[loops.indexOf(loop)] ?? '', (1 + Number(extent)) << 20, `${name} at ${Number(start) + index * CHUNK}`);
			}
		}
		expect(segments.map(([, , ...stripes]) => stripes.length)).toContain(2);
		const volumes = await volumesOf(files);
		expect(volumes.map(({ facts: { id, type, memberOf, unsupported } }) => [id, type, memberOf ?? unsupported])).toEqual([
			['disk0', 'LVM2_member', own],
			['disk1', 'LVM2_member', own],
			[`lv:${own}/striped`, 'unknown', undefined],
			[`lv:${own}/first`, 'unknown', undefined],
			[`lv:${own}/both`, 'unknown', undefined],
		]);
		expect(segments.length).toBeGreaterThan(3);
		for (const [name, start, ...stripes] of segments) {
			const device = volumes.find(({ facts }) => facts.id === `lv:${own}/${name}`)?.device;
			for (const index of stripes.keys()) {
				const at = Number(start) + index * CHUNK;
				const text = `${name} at ${at}`;
				expect(Buffer.from((await device?.read(at, text.length)) ?? []).toString()).toBe(text);
			}
		}
	} finally {
		run('losetup', '-d', ...loops);
	}
});
