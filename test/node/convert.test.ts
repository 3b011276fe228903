import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ChangedError, UsageError } from '../../src/errors.ts';
import { convertChain } from '../../src/node/chain.ts';
import { convertFile, streamFile } from '../../src/node/convert.ts';
import type { ConvertFileOptions } from '../../src/node/convert-options.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const MiB = 1 << 20;

const ways: Readonly<Record<string, (input: string, output: string, touch: () => void) => Promise<unknown>>> = {
	'to a file': (input, output, onProgress) => convertFile(input, output, { onProgress }),
	'to a pipe': (input, _, onProgress) => streamFile(input, { format: 'qcow2', onProgress, append: async () => {} }),
	'as a chain': (input, output, onProgress) => convertChain(input, output, { onProgress }),
};

test.for(Object.entries(ways))('a parent that is written to while its child is converted %s is told', async ([, convert]) => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	rawFile(at('parent.raw'), MiB, [[0, 4096]]);
	rawFile(at('whole.raw'), MiB, [[65536, 4096]]);
	await convertFile(at('whole.raw'), at('child.qcow2'), { backing: at('parent.raw') });
	const before = fs.readdirSync(folder);
	fs.mkdirSync(at('new'));
	const later = new Date(Date.now() + 5000);
	const made = convert(at('child.qcow2'), at('new/copy.qcow2'), () => fs.utimesSync(at('parent.raw'), later, later));
	await expect(made).rejects.toThrow(ChangedError);
	await expect(made).rejects.toMatchObject({ exitCode: 5, path: expect.stringContaining('parent.raw') });
	expect(fs.readdirSync(at('new'))).toEqual([]);
	expect(fs.readdirSync(folder).sort()).toEqual([...before, 'new'].sort());
});

test.skipIf(process.platform === 'win32').for<[what: string, act: (name: string) => void, refused: boolean]>([
	['written to while it is read, its time set back, is refused', (name) => fs.writeFileSync(name, 'x', { flag: 'r+' }), true],
	['given a second name meanwhile is converted', (name) => fs.linkSync(name, `${name}.linked`), false],
	['renamed meanwhile is converted', (name) => fs.renameSync(name, `${name}.moved`), false],
	['given another mode meanwhile is converted', (name) => fs.chmodSync(name, 0o640), false],
])('a source that is %s', async ([, act, refused]) => {
	const folder = temporaryFolder();
	const [input, output] = [path.join(folder, 'in.raw'), path.join(folder, 'out.qcow2')];
	rawFile(input, MiB, [[0, 4096]]);
	const then = new Date(2020, 1, 1);
	fs.utimesSync(input, then, then);
	let done = false;
	const onProgress = () => {
		if (done) return;
		done = true;
		act(input);
		if (refused) fs.utimesSync(input, then, then);
	};
	const made = convertFile(input, output, { onProgress });
	if (refused)
		await expect(made).rejects.toMatchObject({ code: 'CHANGED', path: input, message: expect.stringContaining('may have been') });
	else await made;
	expect(fs.existsSync(output)).toBe(!refused);
});

test.skipIf(process.platform === 'win32').for(['web:1.qcow2', 'nbd:web.qcow2', 'b\\c.qcow2'])(
	'a delta of %s finds it, whatever its name looks like',
	async (name) => {
		const folder = temporaryFolder();
		const at = (file: string) => path.join(folder, file);
		rawFile(at('disk.raw'), MiB, [[0, 4096]]);
		await convertFile(at('disk.raw'), at(name));
		for (const backing of [at(name), path.relative('.', at(name))]) {
			await convertFile(at('disk.raw'), at('delta.qcow2'), { backing, force: true });
			await convertFile(at('delta.qcow2'), at('copy.raw'), { force: true });
			expect(fs.readFileSync(at('copy.raw')).equals(fs.readFileSync(at('disk.raw')))).toBe(true);
		}
		fs.mkdirSync(at('kept'));
		await convertChain(at('delta.qcow2'), at('kept/delta.qcow2'));
		await convertFile(at('kept/delta.qcow2'), at('again.raw'));
		expect(fs.readFileSync(at('again.raw')).equals(fs.readFileSync(at('disk.raw')))).toBe(true);
	},
);

test.each(['vhd', 'vhdx', 'vdi', 'vmdk', 'qcow2'])(
	'a delta of a %s named from the root finds it, by whatever links its folder is reached',
	async (format) => {
		const folder = temporaryFolder();
		const at = (file: string) => path.join(folder, file);
		fs.mkdirSync(at('deep/er'), { recursive: true });
		fs.symlinkSync(at('deep/er'), at('link'));
		rawFile(at('disk.raw'), MiB, [[0, 4096]]);
		rawFile(at('other.raw'), MiB, [[65536, 4096]]);
		const [base, delta] = [at(`disk.${format}`), at(`link/delta.${format}`)];
		await convertFile(at('disk.raw'), base);
		await convertFile(at('other.raw'), delta, { backing: base });
		// A VDI knows its parent by an id alone, and that is looked for beside it.
		if (format === 'vdi') fs.copyFileSync(base, at(`deep/er/disk.${format}`));
		await convertFile(at(`deep/er/delta.${format}`), at('copy.raw'), { allow: [folder] });
		expect(fs.readFileSync(at('copy.raw')).equals(fs.readFileSync(at('other.raw')))).toBe(true);
	},
);

test.for([Number.NaN, 0, -1, 1.5, 65, 1e9])('%s threads are refused, and nothing appears', async (threads) => {
	const folder = temporaryFolder();
	const input = rawFile(path.join(folder, 'disk.raw'), MiB, [[0, 4096]]);
	await expect(convertFile(input, path.join(folder, 'copy.qcow2'), { threads })).rejects.toBeInstanceOf(UsageError);
	expect(fs.readdirSync(folder)).toEqual(['disk.raw']);
});

test('options that no type checker has seen are refused as a mistake of the caller', async () => {
	const folder = temporaryFolder();
	const input = rawFile(path.join(folder, 'disk.raw'), MiB, [[0, 4096]]);
	for (const options of [{ options: { cluster_size: 65536 } }, { options: { cluster_size: '-65536' } }, { sectorSize: -512 }]) {
		const made = convertFile(input, path.join(folder, 'copy.qcow2'), options as unknown as ConvertFileOptions);
		await expect(made).rejects.toBeInstanceOf(UsageError);
	}
	expect(fs.readdirSync(folder)).toEqual(['disk.raw']);
});

test('what cannot be written is called as it was named', async () => {
	const folder = temporaryFolder();
	const input = rawFile(path.join(folder, 'disk.raw'), 16 * MiB, [[0, 16 * MiB]]);
	const output = path.join(folder, 'copy.raw');
	const { writeSync } = fs;
	const spy = vi.spyOn(fs, 'writeSync').mockImplementation(((fd: number, bytes: Buffer, at: number, length: number, position: number) => {
		if (position === 0 && length > 4096) throw Object.assign(new Error('no'), { code: 'EIO' });
		return writeSync(fd, bytes, at, length, position);
	}) as typeof fs.writeSync);
	onTestFinished(() => spy.mockRestore());
	await expect(convertFile(input, output, { threads: 1 })).rejects.toMatchObject({ path: output, offset: 0 });
});

test('a file that becomes shorter while it is converted has changed, and is not called damaged', async () => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	rawFile(at('large.raw'), 64 * MiB, [[0, 64 * MiB]]);
	const cut = () => fs.truncateSync(at('large.raw'), MiB);
	await expect(convertFile(at('large.raw'), at('copy.raw'), { onProgress: cut })).rejects.toMatchObject({ code: 'CHANGED' });
	expect(fs.readdirSync(folder).sort()).toEqual(['large.raw']);
});
