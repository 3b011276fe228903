import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { checkQcow2 } from '../../formats/qcow2/check.ts';
import { flatten, openChain } from '../../src/convert/open.ts';
import type { Disk, Extent } from '../../src/core/disk.ts';
import { joined } from '../../src/disk/clip.ts';
import { readDisk } from '../../src/disk/read.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { openFile } from '../../src/node/file.ts';
import { gate } from '../../src/node/gate.ts';
import { vconv } from '../helpers/cli.ts';
import { alone } from '../helpers/mutate.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const KiB = 2 ** 10;
const MiB = 2 ** 20;

/** Numbers that look random, and are the same every time. */
const numbers = (seed: number) => (below: number) => {
	seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
	return Math.floor((seed / 2 ** 32) * below);
};

/** Commands for qemu-io: writes, zeros, discards and compressed clusters here and there. */
const scribble = (next: (below: number) => number, size: number, cluster: number, compress: boolean): string[] =>
	Array.from({ length: 12 }, () => {
		const at = 512 * next(Math.floor(size / 512));
		const length = Math.min(size - at, 512 * (1 + next([2, 100, 1000][next(3)] as number)));
		const start = at - (at % cluster);
		const whole = Math.min(size - start, cluster * (1 + next(4)));
		const commands = [
			`write -P ${1 + next(255)} ${at} ${length}`,
			`write -P ${1 + next(255)} ${at} ${length}`,
			`write -z ${at} ${length}`,
			`write -z -u ${start} ${whole}`,
			`discard ${start} ${whole}`,
			...(compress && start + cluster <= size ? [`write -c -P ${1 + next(255)} ${start} ${cluster}`] : []),
		];
		return commands[next(commands.length)] as string;
	});

const scribbleIn = (image: string, commands: readonly string[]): void => {
	spawnSync('qemu-io', ['-f', 'qcow2', ...commands.flatMap((command) => ['-c', command]), image]);
};

const open = async (image: string, snapshot?: string): Promise<Disk> =>
	flatten(await openChain(await openFile(image), { formats: diskFormats, gate: gate(), snapshot }));

const expectSame = async (disk: Disk, plain: string): Promise<void> => {
	const wanted = fs.readFileSync(plain);
	expect(disk.size).toBe(wanted.length);
	for (let at = 0; at < disk.size; at += MiB) {
		const bytes = await readDisk(disk, pakoCodec, at, Math.min(MiB, disk.size - at));
		expect(Buffer.compare(bytes, wanted.subarray(at, at + bytes.length)), `in the MiB at ${at}`).toBe(0);
	}
};

const sum = (findings: readonly { severity: string; count?: number | undefined }[], severity: string): number =>
	findings.filter((finding) => finding.severity === severity).reduce((total, { count = 1 }) => total + count, 0);

/** Our check and qemu-img's, figure for figure. Gives ours. */
const expectSameCheck = async (image: string) => {
	const { stdout } = spawnSync('qemu-img', ['check', '-f', 'qcow2', '--output=json', image], { encoding: 'utf8' });
	const theirs = JSON.parse(stdout);
	const source = await openFile(image);
	const { findings, imageEnd, blocks } = await checkQcow2(source, alone);
	await source.close();
	const ours = { errors: sum(findings, 'error'), leaks: sum(findings, 'leak'), imageEnd, ...blocks };
	expect(ours).toEqual({
		errors: theirs.corruptions ?? 0,
		leaks: theirs.leaks ?? 0,
		imageEnd: theirs['image-end-offset'],
		total: theirs['total-clusters'],
		allocated: theirs['allocated-clusters'] ?? 0,
		fragmented: theirs['fragmented-clusters'] ?? 0,
		compressed: theirs['compressed-clusters'] ?? 0,
	});
	return ours;
};

type Row = { start: number; length: number; zero: boolean; data: boolean; offset?: number | undefined };

/** Rows of a map that adjoin and say the same are one. */
const merged = (rows: readonly Row[]): Row[] => {
	const out: Row[] = [];
	for (const { start, length, zero, data, offset } of rows) {
		const last = out.at(-1);
		const follows = last && (last.offset === undefined ? offset === undefined : last.offset + last.length === offset);
		if (last && follows && last.zero === zero && last.data === data) last.length += length;
		else out.push({ start, length, zero, data, offset });
	}
	return out;
};

const rowOf = (extent: Extent): Row => {
	const stored = extent.kind !== 'zero' && extent.kind !== 'absent';
	const offset = extent.kind === 'data' ? extent.at : extent.kind === 'zero' ? extent.place?.at : undefined;
	return { start: extent.offset, length: extent.length, zero: !stored, data: stored, offset };
};

describe.skipIf(!has('qemu-img') || !has('qemu-io'))('what QEMU writes is read as QEMU reads it', () => {
	test.for([
		{ options: 'compat=0.10', size: 5 * MiB + 512 },
		{ options: 'compat=0.10,cluster_size=512', size: MiB },
		{ options: 'compat=1.1,cluster_size=2M', size: 5 * MiB + 512 },
		{ options: 'cluster_size=512,refcount_bits=64', size: MiB + 512 },
		{ options: 'compression_type=zstd,lazy_refcounts=on', size: 5 * MiB + 512 },
		{ options: 'cluster_size=4k,compression_type=zlib,refcount_bits=32', size: 5 * MiB },
		{ options: 'extended_l2=on,cluster_size=16k', size: 5 * MiB + 512 },
		{ options: 'extended_l2=on,cluster_size=128k,compression_type=zstd,refcount_bits=8', size: 5 * MiB },
		{ options: 'extended_l2=on,cluster_size=2M', size: 5 * MiB + 512 },
	])('$options', { timeout: 60_000 }, async ({ options, size }) => {
		const image = path.join(temporaryFolder(), 'disk.qcow2');
		const plain = `${image}.raw`;
		run('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', options, image, String(size));
		const cluster = JSON.parse(run('qemu-img', 'info', '--output=json', image))['cluster-size'];
		const next = numbers(size + cluster);
		for (const snapshot of [undefined, 'one', 'two']) {
			if (snapshot) run('qemu-img', 'snapshot', '-c', snapshot, image);
			scribbleIn(image, scribble(next, size, cluster, true));
		}
		for (const snapshot of [undefined, 'one', '2']) {
			run('qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', ...(snapshot ? ['-l', snapshot] : []), image, plain);
			const disk = await open(image, snapshot);
			await expectSame(disk, plain);
			await disk.close();
		}

		const disk = await open(image);
		const rows: Row[] = [];
		for await (const extent of joined(disk.extents(0, disk.size))) rows.push(rowOf(extent));
		const map = JSON.parse(run('qemu-img', 'map', '--output=json', '-f', 'qcow2', image)) as (Row & { present: boolean })[];
		expect(merged(rows)).toEqual(merged(map.map((row) => (row.present ? row : { ...row, offset: undefined }))));
		const info = JSON.parse(run('qemu-img', 'info', '--output=json', '-f', 'qcow2', image));
		expect(disk.info.specific).toEqual(info['format-specific']);
		expect(disk.info.snapshots?.map(({ id, name, dateSeconds }) => [id, name, dateSeconds])).toEqual(
			info.snapshots.map((snapshot: Record<string, unknown>) => [snapshot['id'], snapshot['name'], snapshot['date-sec']]),
		);
		await disk.close();
		expect(await expectSameCheck(image)).toMatchObject({ errors: 0, leaks: 0 });
	});

	test.for([
		['qcow2', 'luks'],
		['qcow2', 'luks', 'encrypt.cipher-alg=serpent-128,encrypt.cipher-mode=cbc,encrypt.ivgen-alg=essiv,encrypt.ivgen-hash-alg=sha256'],
		['qcow2', 'aes', 'compat=0.10'],
		['qcow', 'aes'],
	])('what an encrypted image is can be told without a key, and nothing of what is in it: %j', async ([format = '', method, more]) => {
		const image = path.join(temporaryFolder(), `disk.${format}`);
		const options = [`encrypt.format=${method},encrypt.key-secret=s`, ...(method === 'luks' ? ['encrypt.iter-time=10'] : []), more];
		const secret = ['--object', 'secret,id=s,data=word', '-o', options.filter(Boolean).join(',')];
		// It times itself to choose a number of rounds, and gives up where the system's clock of CPU time is too coarse.
		await vi.waitFor(() => run('qemu-img', 'create', '-q', '-f', format, ...secret, image, '1M'), { timeout: 20_000, interval: 50 });
		const { code, stdout } = await vconv('info', '--output=json', image);
		expect({ code, info: JSON.parse(stdout) }).toEqual({
			code: 0,
			info: JSON.parse(run('qemu-img', 'info', '--output=json', image)),
		});
		expect((await vconv('info', image)).stdout).toContain('\nencrypted: yes\n');
		const before = fs.readdirSync(path.dirname(image));
		for (const words of [
			['convert', image, `${image}.raw`],
			['map', image],
			['check', image],
			['hash', image],
			['measure', image],
		]) {
			expect((await vconv(...words)).stderr).toContain('vconv: it is encrypted with');
		}
		expect(fs.readdirSync(path.dirname(image))).toEqual(before);
	});

	test.for(['metadata', 'falloc', 'full'])('preallocation=%s', async (preallocation) => {
		const image = path.join(temporaryFolder(), 'disk.qcow2');
		run('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', `preallocation=${preallocation}`, image, String(3 * MiB + 512));
		run('qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', image, `${image}.raw`);
		const disk = await open(image);
		await expectSame(disk, `${image}.raw`);
		await disk.close();
		await expectSameCheck(image);
	});

	test.for(['', '-c'])('what qemu-img convert %s makes of a disk that ends within a cluster', async (compress) => {
		const folder = temporaryFolder();
		const image = path.join(folder, 'disk.qcow2');
		const plain = rawFile(path.join(folder, 'disk.raw'), 2 * MiB + 512, [
			[0, 4 * KiB],
			[MiB, MiB + 512],
		]);
		run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', ...(compress ? [compress] : []), plain, image);
		const disk = await open(image);
		await expectSame(disk, plain);
		await disk.close();
		await expectSameCheck(image);
	});

	test.for([
		['raw', 3 * MiB],
		['raw', 12 * MiB],
		['qcow2', 3 * MiB + 512],
	] as const)('a chain over a %s of %i bytes', async ([format, baseSize]) => {
		const folder = temporaryFolder();
		const size = 9 * MiB;
		const [base, middle, top] = ['base', 'middle.qcow2', 'top.qcow2'].map((name) => path.join(folder, name)) as [string, string, string];
		const next = numbers(baseSize);
		if (format === 'raw') rawFile(base, baseSize, [[0, baseSize]]);
		else {
			run('qemu-img', 'create', '-q', '-f', format, base, String(baseSize));
			scribbleIn(base, scribble(next, baseSize, 65536, true));
		}
		run('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', 'base', '-F', format, middle, String(size - MiB));
		scribbleIn(middle, scribble(next, size - MiB, 65536, true));
		run('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', 'extended_l2=on', '-b', 'middle.qcow2', '-F', 'qcow2', top, String(size));
		scribbleIn(top, scribble(next, size, 65536, false));
		run('qemu-img', 'convert', '-O', 'raw', top, `${top}.raw`);
		const disk = await open(top);
		await expectSame(disk, `${top}.raw`);
		await disk.close();
	});

	test.for(['on', 'off'])('an external data file (data_file_raw=%s)', async (raw) => {
		const folder = temporaryFolder();
		const image = path.join(folder, 'disk.qcow2');
		const size = 5 * MiB + 512;
		const options = `data_file=${path.join(folder, 'disk.data')},data_file_raw=${raw}`;
		run('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', options, image, String(size));
		scribbleIn(image, scribble(numbers(raw.length), size, 65536, false));
		run('qemu-img', 'convert', '-O', 'raw', image, `${image}.raw`);
		const disk = await open(image);
		await expectSame(disk, `${image}.raw`);
		await disk.close();
		await expectSameCheck(image);
	});
});

describe.skipIf(!has('qemu-img') || !has('qemu-io'))('damage is counted as qemu-img check counts it', () => {
	const C = 64 * KiB;
	/** Header, refcount table, refcount block, L1, L2, and 16 clusters of data. */
	const damaged = (change: (image: DataView) => void): string => {
		const image = path.join(temporaryFolder(), 'disk.qcow2');
		run('qemu-img', 'create', '-q', '-f', 'qcow2', image, '4M');
		scribbleIn(image, ['write -P 1 0 1M']);
		const bytes = fs.readFileSync(image);
		change(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
		fs.writeFileSync(image, bytes);
		return image;
	};
	const refcount = (cluster: number): number => 2 * C + cluster * 2;
	const entry = (index: number): number => 4 * C + index * 8;

	test.for<[string, (image: DataView) => void, { errors: number; leaks: number }]>([
		['nothing', () => {}, { errors: 0, leaks: 0 }],
		['leaked clusters', (image) => [0, 1, 2].forEach((i) => void image.setBigUint64(entry(i), 0n)), { errors: 0, leaks: 3 }],
		['a refcount too large', (image) => image.setUint16(refcount(7), 5), { errors: 1, leaks: 1 }],
		['a refcount too small', (image) => image.setUint16(refcount(7), 0), { errors: 2, leaks: 0 }],
		['a refcount of the header', (image) => image.setUint16(refcount(0), 0), { errors: 1, leaks: 0 }],
		['a cluster used twice', (image) => image.setBigUint64(entry(1), image.getBigUint64(entry(0))), { errors: 1, leaks: 1 }],
		['an entry not marked as used once', (image) => image.setUint8(entry(3), 0), { errors: 1, leaks: 0 }],
		['a lost L2 table', (image) => image.setBigUint64(3 * C, 0n), { errors: 0, leaks: 17 }],
		['an entry with a reserved bit', (image) => image.setUint8(entry(3) + 7, 4), { errors: 1, leaks: 0 }],
		['an entry that leads between clusters', (image) => image.setUint16(entry(3) + 6, 512), { errors: 2, leaks: 0 }],
		['an entry that leads out of the file', (image) => image.setBigUint64(entry(20), (1n << 63n) + 0x1000000n), { errors: 2, leaks: 0 }],
		['data in the refcount block', (image) => image.setBigUint64(entry(20), (1n << 63n) + BigInt(2 * C)), { errors: 2, leaks: 0 }],
		['a refcount block twice', (image) => image.setBigUint64(C + 8, BigInt(2 * C)), { errors: 2, leaks: 0 }],
		['an L2 table out of the file', (image) => image.setBigUint64(3 * C, (1n << 63n) + 0x1000000n), { errors: 2, leaks: 17 }],
		['a lost refcount block', (image) => image.setBigUint64(C, 0n), { errors: 37, leaks: 0 }],
	])('%s', async ([, change, expected]) => {
		expect(await expectSameCheck(damaged(change))).toMatchObject(expected);
	});
});
