import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const MiB = 1 << 20;

/** The built command line. */
const bin = path.join(process.env['VCONV_DIST'] ?? 'dist', 'bin', 'vconv.js');

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

const start = (...argv: string[]): ChildProcess => spawn(process.execPath, [bin, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });

const ended = async (child: ChildProcess): Promise<Ended> => {
	const said = { stdout: '', stderr: '' };
	child.stdout?.on('data', (text) => (said.stdout += text));
	child.stderr?.on('data', (text) => (said.stderr += text));
	const [code] = (await once(child, 'close')) as [number | null];
	return { code, ...said };
};

const vconv = (...argv: string[]): Promise<Ended> => ended(start(...argv));

test('the version is answered before yargs or a format is loaded', async () => {
	const folder = temporaryFolder();
	const { code, stdout } = await ended(spawn(process.execPath, [bin, '--version'], { env: { ...process.env, NODE_V8_COVERAGE: folder } }));
	expect(code).toBe(0);
	expect(stdout).toMatch(/^vconv \d+\.\d+\.\d+\n$/);
	const scripts = fs
		.readdirSync(folder)
		.flatMap((name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')).result as { url: string }[]);
	const loaded = scripts.filter(({ url }) => url.startsWith('file:')).map(({ url }) => fs.readFileSync(new URL(url), 'utf8'));
	expect(loaded.length).toBeGreaterThan(1);
	// The one is an option of yargs' parser, the other a kind of VMDK.
	for (const text of loaded) expect(/boolean-negation|twoGbMaxExtentSparse/.exec(text)?.[0]).toBeUndefined();
});

test('a conversion with workers exits 0 and says nothing', async () => {
	const folder = temporaryFolder();
	const input = rawFile(path.join(folder, 'in.raw'), 64 * MiB, [
		[MiB, 24 * MiB],
		[48 * MiB, 8 * MiB],
	]);
	const outputs = ['out.qcow2', 'out.vmdk', 'out.raw'].map((name) => path.join(folder, name));
	for (const output of outputs) {
		expect(await vconv('-m', '3', input, output)).toEqual({ code: 0, stdout: '', stderr: '' });
		expect(await vconv('compare', input, output)).toEqual({ code: 0, stdout: 'Images are identical.\n', stderr: '' });
	}
});

test('threads that are started before it is known what there is to do change nothing, and end with the process', async () => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	rawFile(at('in.raw'), 64 * MiB, [[MiB, 40 * MiB]]);
	for (const words of [['out.qcow2'], ['-m', '1', 'one.qcow2']].map((all) => [...all.slice(0, -1), at(all.at(-1) as string)])) {
		expect(await vconv(at('in.raw'), ...words)).toEqual({ code: 0, stdout: '', stderr: '' });
	}
	expect(fs.readFileSync(at('out.qcow2')).equals(fs.readFileSync(at('one.qcow2')))).toBe(true);
	expect(await vconv(at('in.raw'), at('missing/out.qcow2'))).toMatchObject({ code: 5, stdout: '' });
	expect(await vconv('--bogus', at('in.raw'), at('not.qcow2'))).toMatchObject({ code: 2, stdout: '' });
});

test('each kind of failure has its exit code', async () => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	rawFile(at('in.raw'), MiB, [[0, 4096]]);
	fs.writeFileSync(at('noise.xyz'), 'noise');
	fs.writeFileSync(at('torn.qcow2'), Buffer.concat([Buffer.from('QFI\xfb\0\0\0\x03', 'latin1'), Buffer.alloc(1000, 0xff)]));
	const codes = {
		usage: await vconv('--bogus'),
		unrecognised: await vconv(at('noise.xyz'), at('out.raw')),
		access: await vconv(at('missing.raw'), at('out.raw')),
		exists: await vconv(at('noise.xyz'), at('in.raw')),
	};
	expect(Object.values(codes).map(({ code }) => code)).toEqual([2, 3, 5, 5]);
	expect([3, 4]).toContain((await vconv(at('torn.qcow2'), at('out.raw'))).code);
	for (const { stdout, stderr } of Object.values(codes)) {
		expect(stdout).toBe('');
		expect(stderr).toMatch(/^vconv: .*\n( {2}at .*\n)?( {2}try .*\n)?$/);
	}
	expect(fs.readdirSync(folder).sort()).toEqual(['in.raw', 'noise.xyz', 'torn.qcow2']);
});

test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)('a folder that cannot be written is said so', async () => {
	const folder = temporaryFolder();
	const input = rawFile(path.join(folder, 'in.raw'), MiB);
	fs.mkdirSync(path.join(folder, 'locked'), { mode: 0o500 });
	const { code, stderr } = await vconv(input, path.join(folder, 'locked', 'out.raw'));
	expect(code).toBe(5);
	expect(stderr).toContain('permission is denied');
});

test('a reader who has seen enough ends the run quietly', async () => {
	const folder = temporaryFolder();
	const runs = Array.from({ length: 20_000 }, (_, i) => [i * 8192, 4096] as const);
	const input = rawFile(path.join(folder, 'in.raw'), 20_000 * 8192, runs);
	const child = start('map', '--json', input);
	child.stdout?.once('data', () => child.stdout?.destroy());
	let said = '';
	child.stderr?.on('data', (text) => (said += text));
	await once(child, 'close');
	expect(said).toBe('');
});

test.skipIf(!fs.existsSync('/dev/full'))('results that do not fit are an error, and no stack', async () => {
	const folder = temporaryFolder();
	const input = rawFile(path.join(folder, 'in.raw'), MiB);
	const full = fs.openSync('/dev/full', 'w');
	const { code, stderr } = await ended(spawn(process.execPath, [bin, 'info', input], { stdio: ['ignore', full, 'pipe'] }));
	fs.closeSync(full);
	expect(code).toBe(5);
	expect(stderr).toBe('vconv: it cannot be written: no space is left\n  at standard output\n  try again with more space free\n');
});

/** A conversion of some seconds that is under way. */
const slow = async (folder: string): Promise<ChildProcess> => {
	const input = path.join(folder, 'in.raw');
	const fd = fs.openSync(input, 'w');
	// Text, for noise is stored as it is, and that is quick.
	const text = Buffer.from(randomBytes((MiB / 4) * 3).toString('base64'));
	for (let i = 0; i < 384; i++) fs.writeSync(fd, text, 0, MiB, i * MiB);
	fs.closeSync(fd);
	const child = start('-c', '-o', 'compression_level=9', '--progress=json', input, path.join(folder, 'out.qcow2'));
	await once(child.stderr as NonNullable<typeof child.stderr>, 'data');
	return child;
};

test.skipIf(process.platform === 'win32').for([
	['SIGINT', 130],
	['SIGTERM', 143],
] as const)('%s in the middle of a conversion ends it soon, exits %i and keeps what is written', async ([signal, exit]) => {
	const folder = temporaryFolder();
	const child = await slow(folder);
	const partials = ['.out.qcow2.vconv-partial', '.out.qcow2.vconv-partial.journal'];
	expect(fs.readdirSync(folder)).toEqual([...partials, 'in.raw']);
	const sent = performance.now();
	child.kill(signal);
	const { code, stderr } = await ended(child);
	expect(code).toBe(exit);
	expect(stderr).toContain(`interrupted by ${signal}`);
	expect(stderr).toContain('the same command goes on with it');
	expect(fs.readdirSync(folder)).toEqual([...partials, 'in.raw']);
	expect(performance.now() - sent).toBeLessThan(10_000);
});

test.skipIf(process.platform === 'win32').for([
	['SIGINT', 130],
	['SIGTERM', 143],
] as const)('%s ends what reads a pipe that nobody writes to any more, with %i', async ([signal, exit]) => {
	const folder = temporaryFolder();
	const child = spawn(process.execPath, [bin, '-f', 'raw', '-O', 'raw', '-', path.join(folder, 'out.raw')], { stdio: 'pipe' });
	// More than a pipe holds: it is read.
	await new Promise((resolve) => child.stdin.write(randomBytes(MiB), resolve));
	child.kill(signal);
	expect(await ended(child)).toMatchObject({ code: exit, stderr: `vconv: interrupted by ${signal}\n` });
	expect(fs.readdirSync(folder)).toEqual([]);
});

test.skipIf(process.platform === 'win32').for([[], ['--spool']])(
	'one signal ends what writes to a pipe that nobody reads: %s',
	async ([spool]) => {
		const folder = temporaryFolder();
		const input = rawFile(path.join(folder, 'in.raw'), 4 * MiB, [[0, 4 * MiB]]);
		const child = spawn(process.execPath, [bin, ...(spool ? [spool, folder] : []), '-O', 'raw', input, '-'], {
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		await once(child.stdout, 'readable');
		child.kill('SIGTERM');
		expect(await once(child, 'exit')).toEqual([143, null]);
		expect(fs.readdirSync(folder)).toEqual(['in.raw']);
		child.stdout.destroy();
	},
);
