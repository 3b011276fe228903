import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Disk } from '../../src/core/disk.ts';
import { readDisk } from '../../src/disk/read.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { vconv } from '../helpers/cli.ts';
import { dist } from '../helpers/dist.ts';
import { patternDisk } from '../helpers/pattern.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';
import { type Case, MiB } from './silent/case.ts';
import { otherCases } from './silent/others.ts';
import { qcow2Cases } from './silent/qcow2.ts';
import { vhdCases } from './silent/vhd.ts';
import { vmdkCases } from './silent/vmdk.ts';

const page = 'docs/never-silently-wrong.md';
const cases = [...vmdkCases, ...vhdCases, ...otherCases, ...qcow2Cases];

/** What others do is recorded of this version alone. */
const QEMU = has('qemu-img') && run('qemu-img', '--version').includes('version 7.2');

/** Its files, in a folder that goes; with VCONV_KEEP in one of that folder, which stays, for other converters to be tried. */
const make = async (one: Case): Promise<(name: string) => string> => {
	const keep = process.env['VCONV_KEEP'];
	const folder = keep === undefined ? temporaryFolder() : path.join(keep, path.parse(one.image).name);
	for (const [name, content] of Object.entries(await one.files())) {
		fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
		fs.writeFileSync(path.join(folder, name), content);
	}
	return (name) => path.join(folder, name);
};

/** The guest offset of the first sector that is not the disk's, one too many or one too few included. */
const wrongAt = async (file: string, disk: Disk): Promise<number | undefined> => {
	const bytes = fs.readFileSync(file);
	const size = Math.min(bytes.length, disk.size);
	const right = await readDisk(disk, pakoCodec, 0, size);
	if (Buffer.compare(right, bytes.subarray(0, size)) !== 0) {
		const first = right.findIndex((byte, i) => byte !== bytes[i]);
		return first - (first % 512);
	}
	return bytes.length === disk.size ? undefined : size;
};

/** What `qemu-img convert` makes of an image, as the cases say it. */
const byQemu = async (image: string, disk: Disk): Promise<unknown> => {
	const out = path.join(temporaryFolder(), 'qemu.raw');
	const { status, stderr } = spawnSync('qemu-img', ['convert', '-O', 'raw', image, out], { encoding: 'utf8' });
	if (status !== 0) return { says: stderr };
	const at = await wrongAt(out, disk);
	return { size: fs.statSync(out).size, ...(at !== undefined && { wrongAt: at }) };
};

const expected = (outcome: Case['qemu']) => ('says' in outcome ? { says: expect.stringContaining(outcome.says) } : outcome);

describe.each(cases)('$image', (one) => {
	test('is converted rightly, or refused with a sentence and nothing left behind', async () => {
		const at = await make(one);
		const out = path.join(temporaryFolder(), 'vconv.raw');
		const { code, stderr } = await vconv('-O', 'raw', at(one.image), out);
		if (one.vconv === 'right') {
			expect(stderr).not.toContain('try ');
			expect(await wrongAt(out, one.disk)).toBeUndefined();
		} else {
			expect(stderr).toContain(one.vconv.says);
			expect(code).toBe(one.vconv.code);
			expect(fs.readdirSync(path.dirname(out))).toEqual([]);
		}
	});

	test.skipIf(!QEMU)('is what qemu-img 7.2 makes of it as the page says', async () => {
		const at = await make(one);
		expect(await byQemu(at(one.image), one.disk)).toEqual(expected(one.qemu));
		if (!one.repaired) return;
		const copy = path.join(temporaryFolder(), path.basename(one.image));
		fs.copyFileSync(at(one.image), copy);
		run('qemu-img', 'check', '-r', 'all', copy);
		expect(await byQemu(copy, one.disk)).toEqual(expected(one.repaired));
	});
});

test('the page has these images and no others', () => {
	const told = [...fs.readFileSync(page, 'utf8').matchAll(/^\| `([^`]+)` /gm)].map(([, image]) => image);
	expect(told.sort()).toEqual(cases.map(({ image }) => image).sort());
});

describe('what is written', () => {
	/** A disk of data in a folder of its own. */
	const disk = (size = 5 * MiB + 512) => {
		const at = (name: string) => path.join(folder, name);
		const folder = temporaryFolder();
		return { at, raw: rawFile(at('disk.raw'), size, [[0, size]]) };
	};

	test('does not replace what is there', async () => {
		const { at, raw } = disk();
		fs.writeFileSync(at('there.qcow2'), 'precious');
		expect(await vconv(raw, at('there.qcow2'))).toMatchObject({ code: 5, stderr: expect.stringContaining('it exists already') });
		expect(fs.readFileSync(at('there.qcow2'), 'utf8')).toBe('precious');
	});

	test.skipIf(!QEMU)('by qemu-img 7.2 replaces it', () => {
		const { at, raw } = disk();
		fs.writeFileSync(at('there.qcow2'), 'precious');
		run('qemu-img', 'convert', '-O', 'qcow2', raw, at('there.qcow2'));
		expect(fs.statSync(at('there.qcow2')).size).toBeGreaterThan(MiB);
	});

	const size = async (image: string) => JSON.parse((await vconv('info', '--json', image)).stdout)['virtual-size'];

	test('has the size of what was read', async () => {
		const { at, raw } = disk();
		await vconv(raw, at('ours.vhd'));
		expect(await size(at('ours.vhd'))).toBe(5 * MiB + 512);
	});

	test.skipIf(!QEMU)('by qemu-img 7.2 has the size of its geometry', async () => {
		const { at, raw } = disk();
		run('qemu-img', 'convert', '-O', 'vpc', raw, at('theirs.vhd'));
		expect(await size(at('theirs.vhd'))).toBe(151 * 4 * 17 * 512);
	});

	/** Start a program, and kill it as soon as it has begun. */
	const killed = async (program: string, args: readonly string[], begun: () => boolean): Promise<void> => {
		const child = spawn(program, args, { stdio: 'ignore' });
		const ended = new Promise((resolve) => child.on('close', resolve));
		while (!begun()) await new Promise((resolve) => setTimeout(resolve, 5));
		child.kill('SIGKILL');
		await ended;
	};

	test('has no name before it is whole', async () => {
		const { at, raw } = disk(64 * MiB);
		const partial = () => fs.readdirSync(at('')).some((name) => name.startsWith('.') && name.includes('ours'));
		await killed(process.execPath, [path.join(dist, 'bin', 'vconv.js'), '-c', '-m', '1', raw, at('ours.qcow2')], partial);
		expect(fs.existsSync(at('ours.qcow2'))).toBe(false);
	});

	test.skipIf(!QEMU)('by qemu-img 7.2 has its name when it is not whole, and its check finds nothing', async () => {
		const { at, raw } = disk(64 * MiB);
		const there = () => (fs.statSync(at('theirs.qcow2'), { throwIfNoEntry: false })?.size ?? 0) > 2 * MiB;
		await killed('qemu-img', ['convert', '-r', '8M', '-O', 'qcow2', raw, at('theirs.qcow2')], there);
		expect(run('qemu-img', 'check', at('theirs.qcow2'))).toContain('No errors were found');
		expect(await byQemu(at('theirs.qcow2'), patternDisk({ size: 64 * MiB, data: [[0, 64 * MiB]] }))).toMatchObject({
			size: 64 * MiB,
			wrongAt: expect.any(Number),
		});
	});
});
