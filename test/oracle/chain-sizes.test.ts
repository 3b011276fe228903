import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { vhd } from '../../formats/vhd/index.ts';
import { convertDisk } from '../../src/convert/convert.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { portableMover } from '../../src/engine/portable.ts';
import { convertChain } from '../../src/node/chain.ts';
import { convertFile } from '../../src/node/convert.ts';
import { openFile } from '../../src/node/file.ts';
import { createTarget } from '../../src/node/target.ts';
import { fixedStamp } from '../helpers/image.ts';
import { patternDisk, type Runs } from '../helpers/pattern.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const KiB = 2 ** 10;
const MiB = 2 ** 20;

/** Disks that end within a block, with data before their ends and where the others end. */
const SMALL: { readonly size: number; readonly data: Runs } = { size: 5 * MiB + 512, data: [[0, 4 * KiB], [3 * MiB, MiB], [5 * MiB, 512]] }; // biome-ignore format: a table
const LARGE: { readonly size: number; readonly data: Runs } = { size: 9 * MiB, data: [[0, 8 * KiB], [4 * MiB + 512, MiB], [8 * MiB, MiB]] }; // biome-ignore format: a table

const WAYS = [
	['a larger disk over a smaller one', SMALL, LARGE],
	['a smaller disk over a larger one', LARGE, SMALL],
] as const;

const disks = (parent: typeof SMALL, child: typeof SMALL) => {
	const folder = temporaryFolder();
	const at = (name: string): string => path.join(folder, name);
	rawFile(at('parent.raw'), parent.size, parent.data);
	rawFile(at('child.raw'), child.size, child.data);
	return { folder, at };
};

const FORMATS = ['vhdx', 'vdi', 'qcow2'];

/** The two disks as a chain of a format; gives the name of the delta. */
const chainOf = async (format: string, at: (name: string) => string): Promise<string> => {
	const [base, delta] = [at(`parent.${format}`), at(`child.${format}`)];
	await convertFile(at('parent.raw'), base);
	await convertFile(at('child.raw'), delta, { backing: base });
	return delta;
};

describe.each(WAYS)('%s is a chain whose guest reads what the child had,', (_, parent, child) => {
	test.for(FORMATS)('as %s', async (format) => {
		const { at } = disks(parent, child);
		await convertFile(await chainOf(format, at), at('flat.raw'));
		expect(fs.readFileSync(at('flat.raw')).equals(fs.readFileSync(at('child.raw')))).toBe(true);
	});

	test.skipIf(!has('qemu-img')).for(FORMATS)('and qemu-img finds both disks in it, as %s that is kept as QCOW2', async (format) => {
		const { at } = disks(parent, child);
		const kept = at('kept');
		fs.mkdirSync(kept);
		await convertChain(await chainOf(format, at), path.join(kept, 'child.qcow2'));
		for (const [name, { size }] of Object.entries({ parent, child })) {
			const image = path.join(kept, `${name}.qcow2`);
			expect(JSON.parse(run('qemu-img', 'info', '--output=json', image))['virtual-size']).toBe(size);
			expect(run('qemu-img', 'compare', '-f', 'qcow2', '-F', 'raw', image, at(`${name}.raw`))).toMatch(/identical/);
		}
	});

	test('which as VHD is read and not written, for Windows refuses it', async () => {
		const { at, folder } = disks(parent, child);
		await convertFile(at('parent.raw'), at('parent.vhd'));
		await expect(convertFile(at('child.raw'), at('child.vhd'), { backing: at('parent.vhd') })).rejects.toMatchObject({
			exitCode: 3,
			message: expect.stringContaining('a VHD has the size of its parent'),
		});
		expect(fs.readdirSync(folder).sort()).toEqual(['child.raw', 'parent.raw', 'parent.vhd']);

		const parentId = await vhd.open(await openFile(at('parent.vhd')), {
			follow: async () => Promise.reject(),
			note() {},
			unpack: pakoCodec.unpack,
		});
		await convertDisk({
			// Only its own blocks: the rest shows through.
			disk: deltaOf(child),
			target: await createTarget(at('child.vhd')),
			format: vhd,
			mover: portableMover(pakoCodec),
			stamp: fixedStamp(),
			backing: { name: 'parent.vhd', format: 'vhd', size: child.size, id: parentId.id },
		});
		await parentId.close();
		await convertFile(at('child.vhd'), at('flat.raw'));
		const expected = Buffer.alloc(child.size);
		fs.readFileSync(at('parent.raw')).copy(expected, 0, 0, child.size);
		fs.readFileSync(at('child.raw')).copy(expected, 0, 0, child.data[0]?.[1] ?? 0);
		expect(fs.readFileSync(at('flat.raw')).equals(expected)).toBe(true);
	});
});

test.for([
	['qcow2', 5_000_001, {}],
	['vdi', 5_000_001, {}],
	['vhdx', 5_000_001, {}],
	['vhd', 4 * MiB, { align: '9M' }],
] as const)('what is added at the end of a delta is zeros, and not what its parent has there: %s', async ([format, size, options]) => {
	const { at } = disks(LARGE, LARGE);
	// All that it has, its parent has too.
	fs.truncateSync(at('child.raw'), size);
	const notes: string[] = [];
	await convertFile(at('parent.raw'), at(`parent.${format}`));
	await convertFile(at('child.raw'), at(`child.${format}`), {
		options,
		backing: at(`parent.${format}`),
		verify: 'full',
		onNote: ({ what }) => notes.push(what),
	});
	await convertFile(at(`child.${format}`), at('flat.raw'));
	const flat = fs.readFileSync(at('flat.raw'));
	expect(notes).toEqual([`the disk has ${flat.length} bytes`]);
	expect(flat.subarray(0, size).equals(fs.readFileSync(at('child.raw')))).toBe(true);
	expect(flat.subarray(size).every((byte) => byte === 0)).toBe(true);
});

/** A delta that has the first run of the disk, and nothing else. */
const deltaOf = ({ size, data: [first] }: typeof SMALL) => {
	const whole = patternDisk({ size, data: first ? [first] : [] });
	return {
		...whole,
		async *extents(offset: number, length: number) {
			for await (const extent of whole.extents(offset, length))
				yield extent.kind === 'zero' ? { ...extent, kind: 'absent' as const } : extent;
		},
	};
};
