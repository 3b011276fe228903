import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { convertFile } from '../../src/node/convert.ts';
import { createTarget } from '../../src/node/target.ts';
import { vconv } from '../helpers/cli.ts';
import { dist } from '../helpers/dist.ts';
import { patternBytes } from '../helpers/pattern.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const MiB = 1 << 20;

const interruptedIn = async (folder: string): Promise<string> => {
	const [input, output] = [path.join(folder, 'in.raw'), path.join(folder, 'out.qcow2')];
	rawFile(input, 2 * MiB, [[0, 2 * MiB]]);
	const controller = new AbortController();
	const made = convertFile(input, output, { signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) });
	await expect(made).rejects.toThrow('enough');
	return output;
};

describe('vconv clean', () => {
	const LEFT = ['.out.qcow2.vconv-partial', '.out.qcow2.vconv-partial.journal'];

	test('removes what interrupted runs have left, and nothing else', async () => {
		const folder = temporaryFolder();
		await interruptedIn(folder);
		const others = {
			'.a.vconv-partial.journal': 'of somebody else',
			'.b.vconv-partial': 'no journal',
			'c.vconv-partial': '',
			'd.journal': '',
		};
		for (const [name, text] of Object.entries(others)) fs.writeFileSync(path.join(folder, name), text);
		const before = fs.readdirSync(folder);
		expect(await vconv('clean', '--dry-run', folder)).toMatchObject({
			code: 0,
			stdout: expect.stringMatching(/^\.out\.qcow2\.vconv-partial .*would be/),
		});
		expect((await vconv('clean', '--older-than', '1h', folder)).stdout).toContain('too young');
		expect(fs.readdirSync(folder)).toEqual(before);
		const cleaned = JSON.parse((await vconv('clean', '--json', folder)).stdout);
		expect(cleaned.files).toMatchObject([{ filename: path.join(folder, LEFT[0] as string), state: 'removed' }]);
		expect(fs.readdirSync(folder)).toEqual(before.filter((name) => !LEFT.includes(name)));
	});

	test('leaves what a run is at work on', async () => {
		const folder = temporaryFolder();
		const target = await createTarget(path.join(folder, 'disk.raw'));
		expect((await vconv('clean', folder)).stdout).toContain('a run is at work on it');
		expect(fs.readdirSync(folder)).toHaveLength(2);
		await target.abandon();
	});

	test('removes the spool of a run that was killed, and none that is in use or holds anything else', async () => {
		const folder = temporaryFolder();
		const words = ['-f', 'raw', '--spool', folder, '-', path.join(folder, 'out.qcow2')];
		const child = spawn(process.execPath, [path.join(dist, 'bin', 'vconv.js'), ...words], { stdio: ['pipe', 'ignore', 'ignore'] });
		const ended = new Promise((resolve) => child.once('exit', resolve));
		child.stdin.on('error', () => {}); // it is killed before it has read all
		child.stdin.write(Buffer.alloc(MiB, 1));
		const spools = () => fs.readdirSync(folder).filter((name) => name.startsWith('.vconv-spool-'));
		const spooled = () =>
			spools().some((name) => (fs.statSync(path.join(folder, name, 'stdin'), { throwIfNoEntry: false })?.size ?? 0) > 0);
		while (!spooled()) await sleep(10);
		const [left = ''] = spools();
		expect((await vconv('clean', folder)).stdout).toContain('a run is at work on it');
		child.kill('SIGKILL');
		await ended;
		for (const name of ['.vconv-spool-AAAAAA', '.vconv-spool-BBBBBB']) fs.mkdirSync(path.join(folder, name));
		fs.writeFileSync(path.join(folder, '.vconv-spool-AAAAAA', 'stdin'), 'no lock');
		for (const name of ['lock', 'diary']) fs.writeFileSync(path.join(folder, '.vconv-spool-BBBBBB', name), 'more than a spool');
		expect((await vconv('clean', '--older-than', '1h', folder)).stdout).toMatch(new RegExp(`^${left} .*too young\n$`));
		expect((await vconv('clean', '--dry-run', folder)).stdout).toMatch(new RegExp(`^${left} .* would be removed\n$`));
		expect(spools()).toContain(left);
		expect(JSON.parse((await vconv('clean', '--json', folder)).stdout).files).toMatchObject([{ state: 'removed' }]);
		expect(spools()).toEqual(['.vconv-spool-AAAAAA', '.vconv-spool-BBBBBB']);
	});

	test.for(['7', 'd', '1w', '-1d'])('takes no --older-than %s', async (time) => {
		expect((await vconv('clean', `--older-than=${time}`, temporaryFolder())).code).toBe(2);
	});
});

const canMount = process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;

test('a store that is full keeps what is written, says what to free, and the same command goes on', { timeout: 60_000 }, async ({
	skip,
}) => {
	skip(!canMount, 'nothing can be mounted here');
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	rawFile(at('in.raw'), 12 * MiB, [[0, 12 * MiB]]);
	fs.mkdirSync(at('small'));
	execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', at('small')]);
	onTestFinished(() => void execFileSync('umount', [at('small')]));
	const full = await vconv('--skip-space-check', at('in.raw'), at('small/out.qcow2'));
	expect(full).toMatchObject({
		code: 5,
		stderr: expect.stringMatching(/no space is left\n.*\n {2}try freeing [\d.]+ MiB there, and the same command/),
	});
	expect(full.stderr).toContain('is kept');
	expect(fs.readdirSync(at('small'))).toEqual(['.out.qcow2.vconv-partial', '.out.qcow2.vconv-partial.journal']);
	execFileSync('mount', ['-o', 'remount,size=16m', at('small')]);
	const again = await vconv('--progress=json', at('in.raw'), at('small/out.qcow2'));
	expect(again.code).toBe(0);
	expect(JSON.parse(again.stderr.split('\n')[0] ?? '').progress.done).toBeGreaterThan(4 * MiB);
	expect((await vconv('compare', at('in.raw'), at('small/out.qcow2'))).code).toBe(0);
	expect(fs.readdirSync(at('small'))).toEqual(['out.qcow2']);
});

/** Run a conversion under strace, which has one call of the system fail. */
const injected = (folder: string, inject: string) => {
	const trace = path.join(folder, 'trace');
	const argv = ['-f', '-qq', '-o', trace, '-e', `inject=${inject}`, process.execPath, path.join(dist, 'bin', 'vconv.js'), '-m', '1'];
	const { status, stderr } = spawnSync('strace', [...argv, path.join(folder, 'in.raw'), path.join(folder, 'out.raw')], {
		encoding: 'utf8',
		env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
	});
	return { status, stderr, injected: fs.readFileSync(trace, 'utf8').includes('INJECTED') };
};

test.skipIf(process.platform !== 'linux' || !has('strace')).for([
	['fsync:error=EIO:when=1', /made durable: the device failed/],
	['pwrite64:error=EIO:when=3', /cannot be written: the device failed/],
	['link:error=EIO', /given its name: the device failed/],
] as const)('the system fails: %s', { timeout: 60_000 }, ([inject, message]) => {
	const folder = temporaryFolder();
	fs.writeFileSync(path.join(folder, 'in.raw'), patternBytes(0, 2 * MiB));
	expect(injected(folder, inject)).toMatchObject({ status: 5, stderr: expect.stringMatching(message), injected: true });
	expect(fs.readdirSync(folder).sort()).toEqual(['in.raw', 'trace']);
});

test.skipIf(process.platform !== 'linux')('two runs at once: one writes, the other is busy and exits 75', { timeout: 60_000 }, async () => {
	const folder = temporaryFolder();
	const target = await createTarget(path.join(folder, 'out.raw'));
	fs.writeFileSync(path.join(folder, 'in.raw'), patternBytes(0, MiB));
	const child = spawn(process.execPath, [path.join(dist, 'bin', 'vconv.js'), path.join(folder, 'in.raw'), path.join(folder, 'out.raw')]);
	expect(await new Promise((resolve) => child.on('close', resolve))).toBe(75);
	await target.abandon();
	expect(fs.readdirSync(folder)).toEqual(['in.raw']);
	run(process.execPath, path.join(dist, 'bin', 'vconv.js'), path.join(folder, 'in.raw'), path.join(folder, 'out.raw'));
});

test('a folder that cannot be made on a read-only file system is refused by that name', async ({ skip }) => {
	skip(!canMount, 'nothing can be mounted here');
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	rawFile(at('in.raw'), MiB, [[0, MiB]]);
	fs.writeFileSync(at('web.vmx'), 'config.version = "8"\nvirtualHW.version = "13"\ndisplayName = "web"\nguestOS = "debian12-64"\n');
	fs.mkdirSync(at('still'));
	execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', at('still')]);
	onTestFinished(() => void execFileSync('umount', [at('still')]));
	for (const words of [
		['migrate', '--to', 'libvirt', at('web.vmx'), at('still/web')],
		['batch', at('in.raw'), '--to', at('out.raw'), '--state', at('still/deep/state')],
	]) {
		expect(await vconv(...words)).toMatchObject({ code: 5, stderr: expect.stringContaining('the file system is read-only') });
	}
});

test('a batch without a plan is told of options, not of keys of a plan', async () => {
	const { code, stderr } = await vconv('batch', temporaryFolder(), '--kind', 'validate');
	expect(code).toBe(2);
	expect(stderr).toContain('try --target libvirt');
});
