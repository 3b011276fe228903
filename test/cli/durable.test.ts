import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { vconv, vconvPiped } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

/** The calls that bring a file to the disk, and those that give it its name, in order. */
let calls: string[];
beforeEach(() => {
	calls = [];
	for (const name of ['fsyncSync', 'linkSync', 'renameSync'] as const) {
		const real = fs[name] as (...args: unknown[]) => void;
		vi.spyOn(fs, name).mockImplementation((...args: unknown[]) => {
			calls.push(name);
			real(...args);
		});
	}
});
afterEach(() => vi.restoreAllMocks());

const disk = () => {
	const at = (name: string): string => path.join(folder, name);
	const folder = temporaryFolder();
	return { at, input: rawFile(at('disk.raw'), 1 << 20, [[4096, 65536]]) };
};

test('unasked, OUT is on the disk before it has its name, and then its name is too', async () => {
	const { input, at } = disk();
	expect((await vconv(input, at('a.qcow2'))).code).toBe(0);
	expect((await vconv('-t', 'writeback', '--force', input, at('a.qcow2'))).code).toBe(0);
	expect(calls).toEqual(['fsyncSync', 'linkSync', 'fsyncSync', 'fsyncSync', 'renameSync', 'fsyncSync']);
});

test('a chain that is kept is brought to the disk image by image', async () => {
	const { input, at } = disk();
	await vconv('-B', input, at('disk.raw'), at('delta.qcow2'));
	fs.mkdirSync(at('new'));
	calls = [];
	expect((await vconv('--keep-chain', at('delta.qcow2'), at('new/delta.qcow2'))).code).toBe(0);
	expect(calls).toEqual(['fsyncSync', 'linkSync', 'fsyncSync', 'fsyncSync', 'linkSync', 'fsyncSync']);
	fs.mkdirSync(at('sooner'));
	calls = [];
	expect((await vconv('-t', 'unsafe', '--keep-chain', at('delta.qcow2'), at('sooner/delta.qcow2'))).code).toBe(0);
	expect(calls).toEqual(['linkSync', 'linkSync']);
});

test('-t unsafe waits for nothing, and nor does what only passes through a spool', async () => {
	const { input, at } = disk();
	expect((await vconv('-t', 'unsafe', input, at('a.qcow2'))).code).toBe(0);
	expect((await vconvPiped({}, '-c', '-O', 'qcow2', '--spool', at('.'), input, '-')).code).toBe(0);
	expect(calls).toEqual(['linkSync', 'linkSync']);
});

test.each(['none', 'writethrough', 'directsync'])(
	'-t %s, as scripts for qemu-img have it, waits for the disk too, and -T says nothing',
	async (cache) => {
		const { input, at } = disk();
		expect(await vconv('-t', cache, '-T', cache, input, at('a.qcow2'))).toMatchObject({ code: 0, stderr: '' });
		expect(calls).toEqual(['fsyncSync', 'linkSync', 'fsyncSync']);
		expect((await vconv('compare', '-T', cache, input, at('a.qcow2'))).code).toBe(0);
		expect((await vconv('check', '-T', cache, at('a.qcow2'))).code).toBe(0);
	},
);

test.each(['-t', '-T'])('%s fast is refused, with what there is', async (option) => {
	const { input, at } = disk();
	const { code, stderr } = await vconv(option, 'fast', input, at('a.qcow2'));
	expect({ code, stderr }).toEqual({
		code: 2,
		stderr: expect.stringMatching(/^vconv: --(source-)?cache fast is not possible\n.*writeback, none/),
	});
});
