import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { vconv } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const MiB = 2 ** 20;

/** Images of one disk, each `[name, parent]`, in a folder of their own. */
const images = async (...wanted: readonly (readonly [string, string?])[]) => {
	const raw = rawFile(path.join(temporaryFolder(), 'disk.raw'), 2 * MiB, [[MiB, 4096]]);
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	for (const [name, parent] of wanted) {
		const backing = parent === undefined ? [] : ['-B', path.relative('.', at(parent))];
		expect(await vconv(...backing, raw, at(name))).toMatchObject({ code: 0, stderr: '' });
	}
	return { folder, at, raw };
};

/** What `chain` says of a folder: its exit code, the text, and the JSON with the folder's own name taken out. */
const survey = async (folder: string, ...argv: string[]) => {
	const { code, stdout: text } = await vconv('chain', ...argv, folder);
	const { code: again, stdout } = await vconv('chain', '--json', ...argv, folder);
	expect(again).toBe(code);
	return { code, text, json: JSON.parse(stdout.replaceAll(`${folder}/`, '')) };
};

test('a folder is shown as trees, whatever the formats', async () => {
	const { folder } = await images(
		['base.qcow2'],
		['one.qcow2', 'base.qcow2'],
		['two.qcow2', 'one.qcow2'],
		['three.qcow2', 'base.qcow2'],
		['other.vhd'],
		['child.vhd', 'other.vhd'],
		['new.vhdx'],
	);
	fs.writeFileSync(path.join(folder, 'notes.txt'), 'no image');
	const { code, text, json } = await survey(folder);
	expect(code).toBe(0);
	expect(text).toBe(`base.qcow2  qcow2, 2 MiB
├─ one.qcow2  qcow2, 2 MiB
│  └─ two.qcow2  qcow2, 2 MiB
└─ three.qcow2  qcow2, 2 MiB
new.vhdx  vhdx, 2 MiB
other.vhd  vpc, 2 MiB
└─ child.vhd  vpc, 2 MiB
`);
	expect(json).toMatchObject({ sound: true, cycles: [], unreadable: [] });
	expect(json.images.find(({ filename }: { filename: string }) => filename === 'one.qcow2')).toMatchObject({
		parent: 'base.qcow2',
		'parent-found-by': 'name',
		children: ['two.qcow2'],
	});
});

test('an empty folder is sound', async () => {
	const folder = temporaryFolder();
	expect(await survey(folder)).toMatchObject({ code: 0, text: '' });
	expect((await vconv('chain', folder)).stderr).toBe(`vconv: ${folder} has no images\n`);
	expect(JSON.parse((await vconv('chain', '--json', folder)).stderr)).toEqual({ message: `${folder} has no images` });
});

test('a missing parent is named', async () => {
	const { folder, at } = await images(['base.vmdk'], ['top.vmdk', 'base.vmdk']);
	fs.rmSync(at('base.vmdk'));
	const { code, text, json } = await survey(folder);
	expect(code).toBe(4);
	expect(text).toMatch(/^top\.vmdk {2}vmdk, 2 MiB\n! {2}it needs another file, 'base\.vmdk', which is not there\n$/);
	expect(json.images[0]).toMatchObject({ 'backing-filename': 'base.vmdk', error: { code: 'ACCESS' } });
});

test('a parent that is called something else by now is found by its id, and that is said', async () => {
	const { folder, at } = await images(['base.vmdk'], ['top.vmdk', 'base.vmdk']);
	fs.renameSync(at('base.vmdk'), at('renamed.vmdk'));
	const { code, text, json } = await survey(folder);
	expect(code).toBe(0);
	expect(text).toContain('└─ top.vmdk  vmdk, 2 MiB, its parent found by id, called base.vmdk\n');
	expect(json.images[1]).toMatchObject({ parent: 'renamed.vmdk', 'parent-found-by': 'id' });
});

test('a file is no folder', async () => {
	const { at } = await images(['base.qcow2']);
	expect(await vconv('chain', at('base.qcow2'))).toMatchObject({ code: 5, stderr: expect.stringContaining('it is not a folder\n') });
});

test('a wrong parent is told from the right one, which is found by its id', async () => {
	const { folder, at, raw } = await images(['base.vhd'], ['top.vhd', 'base.vhd']);
	fs.renameSync(at('base.vhd'), at('right.vhd'));
	await vconv(raw, at('base.vhd'));
	const found = await survey(folder);
	expect(found.code).toBe(0);
	expect(found.text).toContain('right.vhd  vpc, 2 MiB\n└─ top.vhd  vpc, 2 MiB, its parent found by id');
	fs.rmSync(at('right.vhd'));
	const { code, text, json } = await survey(folder);
	expect(code).toBe(4);
	expect(text).toMatch(/! {2}.*is not the parent this image was made of: its id is/);
	expect(json.images[1]).toMatchObject({ filename: 'top.vhd', error: { code: 'CHANGED' } });
});

test('a parent that has no name is found by its id, in its own folder and in one that is allowed', async () => {
	const { folder, at, raw } = await images(['base.vdi']);
	fs.linkSync(at('base.vdi'), at('same.vdi'));
	const written = fs.openSync(raw, 'r+');
	fs.writeSync(written, 'changed', 0);
	fs.closeSync(written);
	fs.mkdirSync(at('Snapshots'));
	for (const top of ['top.vdi', 'Snapshots/top.vdi']) {
		expect(await vconv('-B', at('base.vdi'), '--verify', 'full', raw, at(top))).toMatchObject({ code: 0, stderr: '' });
		expect(await vconv('compare', '--allow-external', folder, at(top), raw)).toMatchObject({ code: 0 });
	}
	expect(await vconv('compare', at('top.vdi'), raw)).toMatchObject({ code: 0 });
	expect(await vconv('compare', at('Snapshots/top.vdi'), raw)).toMatchObject({
		code: 2,
		stderr: expect.stringContaining('--allow-external with its folder'),
	});
	expect((await survey(at('Snapshots'))).code).toBe(4);
	expect(await survey(at('Snapshots'), '--allow-external', folder)).toMatchObject({
		code: 0,
		text: expect.stringContaining('found by id'),
	});
});

test('two images with the id of a parent are told of', async () => {
	const { folder, at } = await images(['base.vmdk'], ['top.vmdk', 'base.vmdk']);
	fs.copyFileSync(at('base.vmdk'), at('copy.vmdk'));
	fs.renameSync(at('base.vmdk'), at('moved.vmdk'));
	const { code, text } = await survey(folder);
	expect(code).toBe(4);
	expect(text).toMatch(/copy\.vmdk and .*moved\.vmdk both have the id of its parent/);
});

test('a circle is found, and everything in it named', async () => {
	const { folder, at } = await images(['a.qcow2'], ['b.qcow2', 'a.qcow2'], ['c.qcow2', 'b.qcow2']);
	// a becomes a copy of c in which the name of b is that of c.
	fs.copyFileSync(at('c.qcow2'), at('a.qcow2'));
	const bytes = fs.readFileSync(at('a.qcow2'));
	bytes.write('c', bytes.indexOf('b.qcow2'));
	fs.writeFileSync(at('a.qcow2'), bytes);
	const { code, text, json } = await survey(folder);
	expect(code).toBe(4);
	expect(text).toBe('!  a.qcow2 is a delta of c.qcow2 is a delta of b.qcow2 is a delta of a.qcow2: a circle\n');
	expect(json.cycles).toEqual([['a.qcow2', 'c.qcow2', 'b.qcow2']]);
});

test('files that an image has its bytes in are no images of their own', async () => {
	const { folder, at, raw } = await images(['base.qcow2']);
	await vconv('-o', 'subformat=twoGbMaxExtentSparse', raw, at('split.vmdk'));
	await vconv('-o', 'subformat=monolithicFlat', raw, at('flat.vmdk'));
	const { code, text, json } = await survey(folder);
	expect(code).toBe(0);
	expect(text).toBe('base.qcow2  qcow2, 2 MiB\nflat.vmdk  vmdk, 2 MiB\nsplit.vmdk  vmdk, 2 MiB\n');
	expect(json.images[1].files).toEqual([expect.stringMatching(/flat-flat\.vmdk$/)]);
});

test('what cannot be read is listed with the reason', async () => {
	const { folder, at, raw } = await images(['base.qcow2']);
	await vconv('-o', 'subformat=monolithicFlat', raw, at('flat.vmdk'));
	fs.rmSync(at('flat.vmdk'));
	fs.writeFileSync(at('damaged.vhdx'), 'vhdxfile');
	const { code, text, json } = await survey(folder);
	expect(code).toBe(4);
	expect(text).toMatch(/^! {2}damaged\.vhdx cannot be read: /m);
	expect(text).toMatch(/^! {2}flat-flat\.vmdk cannot be read: by its name it holds the bytes of a flat VMDK/m);
	expect(json.unreadable).toHaveLength(2);
});

test('a raw parent that only its child can tell is part of the tree', async () => {
	const { folder, at, raw } = await images(['base.qcow2']);
	fs.copyFileSync(raw, at('disk.dat'));
	await vconv('-B', path.relative('.', at('disk.dat')), '-F', 'raw', raw, at('over.qcow2'));
	const { code, text } = await survey(folder);
	expect(code).toBe(0);
	expect(text).toContain('disk.dat  raw, 2 MiB\n└─ over.qcow2  qcow2, 2 MiB\n');
});

test('a parent in another folder is opened only where that is allowed', async () => {
	const { at, raw } = await images(['base.qcow2']);
	const folder = temporaryFolder();
	await vconv('-B', at('base.qcow2'), raw, path.join(folder, 'top.qcow2'));
	const refused = await survey(folder);
	expect(refused.code).toBe(4);
	expect(refused.text).toContain('outside its own folder');
	const { code, text } = await survey(folder, '--allow-external', path.dirname(at('base.qcow2')));
	expect(code).toBe(0);
	expect(text).toMatch(/base\.qcow2 {2}qcow2, 2 MiB\n└─ top\.qcow2/);
});

test('a folder that is not there is an error, and no sound folder', async () => {
	expect(await vconv('chain', '/nowhere/at/all')).toMatchObject({ code: 5, stdout: '' });
});
