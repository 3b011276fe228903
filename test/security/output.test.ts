import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { convertFile } from '../../src/node/convert.ts';
import { vconv } from '../helpers/cli.ts';
import { dist } from '../helpers/dist.ts';
import { patternBytes } from '../helpers/pattern.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

beforeAll(async () => void (await vconv('convert', '--help')));

const windows = process.platform === 'win32';
const SIZE = 65536;

/** A folder with a raw disk `in.raw`, and a `victim`. */
const scene = () => {
	const folder = fs.realpathSync(temporaryFolder());
	const at = (...parts: string[]): string => path.join(folder, ...parts);
	rawFile(at('in.raw'), SIZE, [[0, SIZE]]);
	fs.writeFileSync(at('victim'), 'victim');
	const isWhole = (name: string): boolean => fs.readFileSync(name).equals(Buffer.from(patternBytes(0, SIZE)));
	return { at, isWhole };
};

describe('an output', () => {
	test('T50: that exists is refused, and left as it is', async () => {
		const { at } = scene();
		const { code, stderr } = await vconv('-O', 'raw', at('in.raw'), at('victim'));
		expect([code, stderr]).toEqual([5, expect.stringContaining('--force')]);
		expect(fs.readFileSync(at('victim'), 'utf8')).toBe('victim');
	});

	test.skipIf(windows).for(['victim', 'nowhere'])('T51: that is a link to %s is not followed, --force or not', async (target) => {
		const { at, isWhole } = scene();
		fs.symlinkSync(at(target), at('out'));
		expect((await vconv('-O', 'raw', at('in.raw'), at('out'))).code).toBe(5);
		expect(fs.lstatSync(at('out')).isSymbolicLink()).toBe(true);
		expect((await vconv('--force', '-O', 'raw', at('in.raw'), at('out'))).code).toBe(0);
		expect(fs.lstatSync(at('out')).isFile()).toBe(true);
		expect(isWhole(at('out'))).toBe(true);
		expect(fs.readFileSync(at('victim'), 'utf8')).toBe('victim');
		expect(fs.existsSync(at('nowhere'))).toBe(false);
	});

	test.skipIf(process.platform !== 'linux').for(['/dev/fd', 'link to it', 'link to a link'])(
		'that is an open file by way of a descriptor (%s) is refused, --force or not, and stays',
		async (kind) => {
			const { at } = scene();
			const fd = fs.openSync(at('victim'), 'r+');
			onTestFinished(() => fs.closeSync(fd));
			fs.symlinkSync(`/proc/self/fd/${fd}`, at('link'));
			fs.symlinkSync('link', at('stdout'));
			const name = { '/dev/fd': `/dev/fd/${fd}`, 'link to it': at('link'), 'link to a link': at('stdout') }[kind] as string;
			for (const force of [[], ['--force']]) {
				const refused = await vconv(...force, '-O', 'raw', at('in.raw'), name);
				expect(refused).toMatchObject({ code: 3, stderr: expect.stringMatching(/an open file of a process.*try - for OUT/s) });
			}
			expect(fs.readFileSync(at('victim'), 'utf8')).toBe('victim');
			expect(fs.lstatSync(at('stdout')).isSymbolicLink()).toBe(true);
		},
	);

	test.skipIf(windows)('T52: that is the source under any name is refused, even with --force', async () => {
		const { at, isWhole } = scene();
		fs.linkSync(at('in.raw'), at('hard'));
		fs.symlinkSync(at('in.raw'), at('soft'));
		for (const name of ['in.raw', 'hard', 'soft', './in.raw']) {
			expect((await vconv('--force', '-O', 'raw', at('in.raw'), at(name))).code).toBe(5);
		}
		expect(isWhole(at('in.raw'))).toBe(true);
	});

	test.skipIf(process.platform !== 'linux')(
		'that is behind the loop device which is read is refused, even with --force',
		async ({ skip }) => {
			const { at, isWhole } = scene();
			const { status, stdout } = spawnSync('losetup', ['--find', '--show', at('in.raw')], { encoding: 'utf8' });
			if (status !== 0) return skip();
			const device = stdout.trim();
			onTestFinished(() => void spawnSync('losetup', ['--detach', device]));
			const refused = await vconv('--force', '-f', 'raw', '-O', 'raw', device, at('in.raw'));
			expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining('the conversion reads') });
			expect(isWhole(at('in.raw'))).toBe(true);
		},
	);

	test.skipIf(windows)('T54: is for its owner alone whatever the umask, and for others as --mode says and the umask allows', async () => {
		const { at } = scene();
		const mode = (name: string): string => (fs.statSync(at(name)).mode & 0o7777).toString(8);
		const before = process.umask(0);
		try {
			await vconv(at('in.raw'), at('a.qcow2'));
			await vconv('--mode', '0640', at('in.raw'), at('b.qcow2'));
			await vconv('--mode', '664', '-o', 'subformat=monolithicFlat', at('in.raw'), at('c.vmdk'));
			process.umask(0o027);
			await vconv('--mode', '0666', at('in.raw'), at('d.qcow2'));
			await vconv('--keep-chain', '--mode', '0666', at('a.qcow2'), at('e.qcow2'));
		} finally {
			process.umask(before);
		}
		const names = ['a.qcow2', 'b.qcow2', 'c.vmdk', 'c-flat.vmdk', 'd.qcow2', 'e.qcow2'];
		expect(names.map(mode)).toEqual(['600', '640', '664', '664', '640', '640']);
		for (const said of ['0777', '4644', '0200', '64', 'rw']) {
			expect((await vconv('--mode', said, at('in.raw'), at('f.qcow2'))).code).toBe(2);
		}
	});

	test.skipIf(windows)('is told to be in a folder in which anybody can replace it', async () => {
		const { at } = scene();
		for (const [folder, mode] of [
			['open', 0o777],
			['sticky', 0o1777],
			['own', 0o755],
		] as const) {
			fs.mkdirSync(at(folder));
			fs.chmodSync(at(folder), mode);
		}
		expect((await vconv(at('in.raw'), at('open', 'a.qcow2'))).stderr).toContain('everybody may write to its folder');
		expect((await vconv(at('in.raw'), at('sticky', 'a.qcow2'))).stderr).toBe('');
		expect((await vconv(at('in.raw'), at('own', 'a.qcow2'))).stderr).toBe('');
	});

	test.skipIf(windows)('T55: does not follow its folder when that is replaced by a link', async () => {
		const { at } = scene();
		fs.mkdirSync(at('out'));
		fs.mkdirSync(at('elsewhere'));
		fs.writeFileSync(at('elsewhere', 'a.raw'), 'victim');
		const run = convertFile(at('in.raw'), at('out', 'a.raw'), {
			async onPlan() {
				fs.renameSync(at('out'), at('moved'));
				fs.symlinkSync(at('elsewhere'), at('out'));
			},
		});
		await expect(run).rejects.toMatchObject({ code: 'ACCESS' });
		expect(fs.readdirSync(at('elsewhere'))).toEqual(['a.raw']);
		expect(fs.readFileSync(at('elsewhere', 'a.raw'), 'utf8')).toBe('victim');
	});

	test.skipIf(windows).for(['-rf', 'a b', "'", '$(id)', 'a\nb', '\u001b[2J', 'json:{}', 'nbd:x', '字'.repeat(85), 'x'.repeat(255)])(
		'T56: called %j is that file, and nothing of its name reaches a terminal',
		async (name) => {
			const { at, isWhole } = scene();
			fs.mkdirSync(at('dir'));
			const before = process.cwd();
			process.chdir(at('dir'));
			try {
				expect(await vconv('-O', 'raw', at('in.raw'), '--', name)).toMatchObject({ code: 0 });
				expect(fs.readdirSync('.')).toEqual([name]);
				expect(isWhole(name)).toBe(true);
				const again = await vconv('-O', 'raw', at('in.raw'), '--', name);
				expect(again.code).toBe(5);
				expect(again.stderr).not.toContain('\u001b');
				expect(again.stderr.split('\n')).toHaveLength(4);
				expect(await vconv('-f', 'raw', '-O', 'raw', '--', name, at('back.raw'))).toMatchObject({ code: 0 });
			} finally {
				process.chdir(before);
			}
		},
	);

	test.skipIf(windows)('T74: that is larger than files may be is refused, and what was written is kept or gone, under no name', () => {
		const { at } = scene();
		const argv = [process.execPath, path.join(dist, 'bin', 'vconv.js'), at('in.raw'), at('out.qcow2')];
		const ran = spawnSync('sh', ['-c', 'trap "" XFSZ; ulimit -f 100; exec "$@"', 'sh', ...argv], { encoding: 'utf8' });
		expect([ran.status, ran.stderr]).toEqual([5, expect.stringContaining('the file system takes no file of that size')]);
		expect(fs.existsSync(at('out.qcow2'))).toBe(false);
	});
});
