import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { raw } from '../../formats/raw/index.ts';
import { sourceDevice } from '../../src/guest/device.ts';
import type { GuestReport } from '../../src/guest/facts.ts';
import { fatReader } from '../../src/guest/fat/index.ts';
import { ntfsReader } from '../../src/guest/ntfs/index.ts';
import { openHive } from '../../src/guest/registry/hive.ts';
import { fileTree } from '../../src/guest/tree.ts';
import { memorySource } from '../../src/io/memory.ts';
import { inspectFiles } from '../../src/node/inspect.ts';
import { corpus } from '../corpus/corpus.ts';
import { catFile, makeNtfs } from '../guest/ntfs/make.ts';
import { type Keys, makeHive } from '../guest/registry/make.ts';
import { SYSTEM, windowsFiles } from '../guest/windows/make.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';

process.env['PATH'] += ':/sbin:/usr/sbin'; // where Debian has mkntfs and its like

const MEBIBYTE = 1 << 20;

const readHive = (bytes: Uint8Array) => openHive(memorySource(bytes, 'hive'));

describe.skipIf(!has('hivexget') || !has('hivexregedit'))('hivex', () => {
	test.for(['lf', 'lh', 'li', 'ri'] as const)('reads the hives that tests make, with lists of kind %s', (list) => {
		const file = path.join(temporaryFolder(), 'hive');
		const many = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`key ${index}`, { number: index }]));
		fs.writeFileSync(file, makeHive({ ...SYSTEM, many, big: new Uint8Array(40_000).fill(65) }, { list }));
		expect(run('hivexget', file, 'ControlSet001\\Services\\LSI_SAS', 'ImagePath').trim()).toBe('System32\\drivers\\lsi_sas.sys');
		expect(run('hivexget', file, 'many\\key 17', 'number').trim()).toBe('17');
		expect(run('hivexregedit', '--export', file, '\\').match(/^\[/gm)?.length).toBeGreaterThan(40);
	});

	test('makes hives that are read as it reads them', async () => {
		const file = path.join(temporaryFolder(), 'hive');
		fs.writeFileSync(file, makeHive({}));
		const keys = Array.from(
			{ length: 900 },
			(_, index) => `[HKEY_LOCAL_MACHINE\\SYSTEM\\Services\\Service ${index}]\n"Start"=dword:${index.toString(16).padStart(8, '0')}\n`,
		);
		const big = Array.from({ length: 30_000 }, (_, index) => (index % 256).toString(16).padStart(2, '0')).join(',');
		const lines = [
			'Windows Registry Editor Version 5.00',
			'',
			'[HKEY_LOCAL_MACHINE\\SYSTEM\\Services]\n',
			...keys,
			'[HKEY_LOCAL_MACHINE\\SYSTEM\\Other]',
			'@="default"',
			'"text"="a \\"text\\""',
			`"big"=hex:${big}`,
		];
		fs.writeFileSync(`${file}.reg`, `${lines.join('\n')}\n`);
		run('hivexregedit', '--merge', '--prefix', 'HKEY_LOCAL_MACHINE\\SYSTEM', file, `${file}.reg`);
		const { root, state } = await readHive(fs.readFileSync(file));
		expect(state).toBe('clean');
		const services = await root.key('Services');
		expect((await services?.keys())?.length).toBe(900);
		for (const index of [0, 1, 450, 899]) expect(await (await services?.key(`SERVICE ${index}`))?.number('Start'), `${index}`).toBe(index);
		const other = await root.key('Other');
		expect(await other?.text('')).toBe('default');
		expect(await other?.text('text')).toBe('a "text"');
		const value = (await other?.values())?.find(({ name }) => name === 'big');
		expect((await value?.data())?.every((byte, index) => byte === index % 256)).toBe(true);
	});
});

/** A disk with one partition at 1 MiB, which `fill` makes in a file of its own. */
const diskWith = (folder: string, size: number, fill: (volume: string) => void): string => {
	const [disk, volume] = [path.join(folder, 'disk.img'), path.join(folder, 'volume.img')];
	fill(volume);
	run('truncate', '-s', String(size + 2 * MEBIBYTE), disk);
	run('sh', '-c', 'echo "label-id: 0x12345678\nstart=2048, size=$1, type=7, bootable" | sfdisk -q "$2"', 'sh', String(size / 512), disk);
	run('dd', `if=${volume}`, `of=${disk}`, 'bs=1M', 'seek=1', 'conv=notrunc,sparse', 'status=none');
	return disk;
};

/** The same Windows, its system disk being the first partition. */
const files = (folder: string): string => {
	const tree = path.join(folder, 'tree');
	const letters: Keys = { '\\DosDevices\\C:': Uint8Array.of(0x78, 0x56, 0x34, 0x12, 0, 0, 0x10, 0, 0, 0, 0, 0) };
	for (const [name, content] of Object.entries(windowsFiles({ ...SYSTEM, MountedDevices: letters }))) {
		fs.mkdirSync(path.dirname(path.join(tree, name)), { recursive: true });
		fs.writeFileSync(path.join(tree, name), content);
	}
	return tree;
};

const inspect = (disk: string): Promise<GuestReport> =>
	inspectFiles([disk], {
		opening: { formats: [raw], format: 'raw', gate: () => Promise.reject(new Error('nothing is named')) },
		machineFormats: [],
	});

const WINDOWS = {
	os: { family: 'windows', name: 'Windows Server 2019 Standard', build: '17763.3650', hostname: 'web01', root: 'disk0p1' },
	drivers: { disk: { lsisas1068: { state: 'boot' }, sata: { state: 'disabled' }, 'virtio-blk': { state: 'staged' } } },
	network: [{ method: 'static', addresses: ['192.168.7.5/23'] }],
	software: { vmwareTools: 'VMware Tools 12.1.5.20735119' },
	incomplete: [],
};

describe.skipIf(!has('sfdisk'))('a Windows on a disk', () => {
	test.skipIf(!has('mcopy') || !has('mkfs.vfat'))('is inspected, with FAT', async () => {
		const folder = temporaryFolder();
		const tree = files(folder);
		const disk = diskWith(folder, 64 * MEBIBYTE, (volume) => {
			run('truncate', '-s', '64M', volume);
			run('mkfs.vfat', '-F', '32', volume);
			run('mcopy', '-s', '-i', volume, path.join(tree, 'Windows'), '::');
		});
		const report = await inspect(disk);
		expect(report).toMatchObject(WINDOWS);
		expect(report.volumes.find(({ id }) => id === 'disk0p1')).toMatchObject({ type: 'vfat', mountpoint: 'C:', clean: true });
	});

	// The tools that do without the kernel make no folders: it is mounted where this machine can.
	test.skipIf(!has('mkntfs') || !has('ntfs-3g'))('is inspected, with NTFS', async ({ skip }) => {
		const folder = temporaryFolder();
		const tree = files(folder);
		const mounted = path.join(folder, 'mounted');
		fs.mkdirSync(mounted);
		let done = false;
		const disk = diskWith(folder, 64 * MEBIBYTE, (volume) => {
			makeNtfs(volume, '64M');
			try {
				run('ntfs-3g', volume, mounted);
			} catch {
				return;
			}
			try {
				run('cp', '-r', path.join(tree, 'Windows'), mounted);
				fs.writeFileSync(path.join(mounted, 'hiberfil.sys'), 'hibr');
			} finally {
				run('umount', mounted);
			}
			done = true;
		});
		if (!done) return skip('ntfs-3g cannot mount here');
		const report = await inspect(disk);
		expect(report).toMatchObject(WINDOWS);
		expect(report.volumes.find(({ id }) => id === 'disk0p1')).toMatchObject({
			type: 'ntfs',
			mountpoint: 'C:',
			clean: false,
			state: ['hibernated'],
		});
		expect(report.cost.bytes).toBeLessThan(8 * MEBIBYTE);
	});
});

describe.skipIf(!fs.existsSync(path.join(corpus, 'images')))('volumes of others', () => {
	const unpacked = (image: string, start: number): { bytes: Uint8Array; file: string } => {
		const bytes = zlib.gunzipSync(fs.readFileSync(path.join(corpus, image))).subarray(start);
		const file = path.join(temporaryFolder(), 'volume.img');
		fs.writeFileSync(file, bytes);
		return { bytes, file };
	};

	test.skipIf(!has('ntfscat')).for([
		['images/raw/dfvfs-ntfs.raw.gz', 0],
		['images/vhd/dfvfs-ntfs-fixed.vhd.gz', 65536],
	] as const)('%s is read as ntfs-3g reads it', async ([image, start]) => {
		const { bytes, file } = unpacked(image, start);
		const tree = fileTree(await ntfsReader.open(sourceDevice(memorySource(bytes, 'ntfs'))));
		for (const name of ['passwords.txt', 'a_directory/a_file', 'a_directory/another_file']) {
			expect(Buffer.compare((await tree.readFile(`/${name}`)) ?? new Uint8Array(), catFile(file, name)), name).toBe(0);
		}
		if (start > 0) expect(await tree.readlink('/a_link')).toBe('\\??\\x:\\a_directory\\another_file');
	});

	test.skipIf(!has('mtype'))('images/raw/dfvfs-fat12.raw.gz is read as mtools read it', async () => {
		const { bytes, file } = unpacked('images/raw/dfvfs-fat12.raw.gz', 0);
		const tree = fileTree(await fatReader.open(sourceDevice(memorySource(bytes, 'fat'))));
		for (const name of ['passwords.txt', 'a_directory/a_file'])
			expect(await tree.readText(`/${name}`), name).toBe(run('mtype', '-i', file, `::${name}`));
	});
});
