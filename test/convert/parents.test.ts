import { expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { raw } from '../../formats/raw/index.ts';
import { vhdx } from '../../formats/vhdx/index.ts';
import { type Layer, type OpenOptions, openChain, openParent } from '../../src/convert/open.ts';
import type { ParentReference } from '../../src/core/disk.ts';
import { limitsOf } from '../../src/core/limits.ts';
import type { Source } from '../../src/core/source.ts';
import { AccessError } from '../../src/errors.ts';
import { writeImage } from '../helpers/image.ts';
import { patternDisk } from '../helpers/pattern.ts';

const MiB = 1 << 20;

/** Two images, of which the child was made of `right.vhdx`, and a file that is none. */
const chain = async () => {
	const files = new Map<string, { source(): Source }>();
	for (const [index, name] of ['right.vhdx', 'wrong.vhdx', 'child.vhdx'].entries()) {
		const id = () => new Uint8Array(16).fill(index + 1);
		const disk = patternDisk({ size: 4 * MiB, data: [[index * MiB, 512]] });
		for (const made of await writeImage(vhdx, disk, { name, stamp: { now: new Date(0), id } })) files.set(...made);
	}
	for (const made of await writeImage(raw, patternDisk({ size: 512, data: [[0, 512]] }), { name: 'none.raw' })) files.set(...made);
	const find = (name: string): Source => {
		const found = files.get(name);
		if (!found) throw new AccessError(`there is no ${name}`, { path: name });
		return found.source();
	};
	const options: OpenOptions = { formats: diskFormats, format: 'vhdx', gate: async (_, name) => find(name) };
	const open = async (name: string) => (await openChain(find(name), options))[0] as Layer;
	const [child, right] = [await open('child.vhdx'), await open('right.vhdx')];
	const parentOf = async (names: readonly string[], more: Partial<OpenOptions> = {}) => {
		const parent: ParentReference = { names, format: 'vhdx', ids: [right.disk.id ?? ''] };
		return (await openParent(child, parent, { ...options, ...more })).source.name;
	};
	const siblings = async function* () {
		yield* [find('wrong.vhdx'), find('right.vhdx')];
	};
	return { parentOf, siblings };
};

test('an image of another id under the first name does not hide the parent under the next', async () => {
	const { parentOf } = await chain();
	expect(await parentOf(['wrong.vhdx', 'right.vhdx'])).toBe('right.vhdx');
	expect(await parentOf(['none.raw', 'gone.vhdx', 'right.vhdx'])).toBe('right.vhdx');
});

test('nor does it hide the one that has the id in the folder', async () => {
	const { parentOf, siblings } = await chain();
	expect(await parentOf(['gone.vhdx', 'wrong.vhdx'], { siblings })).toBe('right.vhdx');
});

test('a parent that is found by its id is held to the limits, and its neighbours are not', async () => {
	const { parentOf, siblings } = await chain();
	const limits = limitsOf({ limits: { 'virtual-size': MiB } });
	await expect(parentOf([], { siblings, limits })).rejects.toMatchObject({
		name: 'UnsupportedError',
		path: 'right.vhdx',
		message: expect.stringContaining('the size of the disk'),
	});
});

test('where none is the parent, what is wrong with the first that is there is said', async () => {
	const { parentOf } = await chain();
	await expect(parentOf(['gone.vhdx', 'wrong.vhdx', 'none.raw'])).rejects.toMatchObject({
		name: 'ChangedError',
		message: expect.stringContaining('wrong.vhdx is not the parent'),
	});
	await expect(parentOf(['gone.vhdx', 'away.vhdx'])).rejects.toThrow('there is no gone.vhdx');
});
