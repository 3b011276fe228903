import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { qcow } from '../../formats/qcow/index.ts';
import { flatten, openChain } from '../../src/convert/open.ts';
import type { Disk } from '../../src/core/disk.ts';
import { compareDisks } from '../../src/disk/compare.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { openFile } from '../../src/node/file.ts';
import { gate } from '../../src/node/gate.ts';
import { alone } from '../helpers/mutate.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';

const MiB = 2 ** 20;

const open = async (name: string, format?: string): Promise<Disk> =>
	flatten(await openChain(await openFile(name), { formats: diskFormats, format, gate: gate() }));

/** qemu-img and we read the same bytes of the image. */
const expectAgreement = async (image: string, format: string): Promise<void> => {
	const plain = `${image}.raw`;
	run('qemu-img', 'convert', '-f', format, '-O', 'raw', image, plain);
	const [ours, theirs] = [await open(image), await open(plain, 'raw')];
	expect(ours.size).toBe(theirs.size);
	expect(ours.info.format).toBe(format);
	expect(await compareDisks(ours, theirs, pakoCodec)).toBeUndefined();
	await ours.close();
	await theirs.close();
};

/** Writes of one byte value each, at no particular places. */
const scribble = (image: string, format: string, size: number, seed: number): void => {
	const commands: string[] = [];
	let state = seed;
	const next = (below: number): number => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return (state >>> 8) % below;
	};
	for (let i = 0; i < 40; i++) {
		const at = next(size / 512) * 512;
		const length = Math.min(size - at, (1 + next(300)) * 512);
		commands.push('-c', i % 5 === 4 ? `write -z ${at} ${length}` : `write -P ${1 + next(255)} ${at} ${length}`);
	}
	run('qemu-io', '-t', 'unsafe', '-f', format, ...commands, image);
};

describe.skipIf(!has('qemu-img') || !has('qemu-io'))('what qemu-img made and wrote to is read as it reads it', () => {
	test.for([
		['vdi', []],
		['vdi', ['static=on']],
		['qed', []],
		['qed', ['cluster_size=4k', 'table_size=2']],
		['qed', ['cluster_size=1M', 'table_size=16']],
		['qcow', []],
		['parallels', []],
		['parallels', ['cluster_size=64k']],
	] as const)('%s with %o', async ([format, options]) => {
		const image = path.join(temporaryFolder(), `disk.${format}`);
		run('qemu-img', 'create', '-q', '-f', format, ...options.flatMap((option) => ['-o', option]), image, `${24 * MiB + 512}`);
		await expectAgreement(image, format);
		for (const seed of [1, 2, 3]) {
			scribble(image, format, 24 * MiB, seed);
			await expectAgreement(image, format);
		}
	});

	// qemu-img 7.2 fails at the end of `convert -c -O qcow`, so each cluster is written by itself.
	test('a compressed qcow', async () => {
		const image = path.join(temporaryFolder(), 'disk.qcow');
		run('qemu-img', 'create', '-q', '-f', 'qcow', image, '9M');
		const commands = [0, 1, 2, 511, 512, 513, 600, 2303].flatMap((at, i) => ['-c', `write -c -P ${i + 1} ${at * 4}k 4k`]);
		run('qemu-io', '-t', 'unsafe', '-f', 'qcow', ...commands, '-c', 'write -P 9 5k 512', '-c', 'write -P 10 3M 100k', image);
		const kinds = new Set<string>();
		const disk = await open(image);
		for await (const { kind } of disk.extents(0, disk.size)) kinds.add(kind);
		expect([...kinds].sort()).toEqual(['absent', 'data', 'packed']);
		await disk.close();
		await expectAgreement(image, 'qcow');
	});

	test.for([
		['qed', 'qed'],
		['qed', 'raw'],
		['qcow', 'qcow'],
		['qcow', 'qed'],
	] as const)('a %s over a %s', async ([format, backing]) => {
		const folder = temporaryFolder();
		const base = path.join(folder, `base.${backing}`);
		run('qemu-img', 'create', '-q', '-f', backing, base, `${12 * MiB}`);
		scribble(base, backing, 12 * MiB, 4);
		const image = path.join(folder, `top.${format}`);
		const spec = `backing_file=base.${backing},backing_fmt=${backing}`;
		run(
			'qemu-img',
			'create',
			'-q',
			'-f',
			format,
			'-o',
			format === 'qed' ? spec : `backing_file=base.${backing}`,
			'-F',
			backing,
			image,
			`${16 * MiB}`,
		);
		scribble(image, format, 16 * MiB, 5);
		await expectAgreement(image, format);
	});

	// qemu-img has no check of its own for this format: all it can say is that what it wrote must be found sound.
	test('a qcow that qemu-img wrote is found sound, and one that it wrote over to hold waste at most', async () => {
		const folder = temporaryFolder();
		const [raw, image] = [path.join(folder, 'disk.raw'), path.join(folder, 'disk.qcow')];
		run('qemu-img', 'create', '-q', '-f', 'raw', raw, `${9 * MiB}`);
		scribble(raw, 'raw', 9 * MiB, 6);
		run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow', raw, image);
		const check = async () => qcow.check?.(await openFile(image), alone);
		expect(await check()).toMatchObject({ findings: [], imageEnd: fs.statSync(image).size });
		const again = [6, 7, 8].flatMap((at) => ['-c', `write -c -P 1 ${at}M 4k`, '-c', `write -P 2 ${at}M 4k`]);
		run('qemu-io', '-t', 'unsafe', '-f', 'qcow', ...again, image);
		expect((await check())?.counts.error).toBe(0);
	});
});
