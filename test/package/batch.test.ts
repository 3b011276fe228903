import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { BatchReport } from '../../src/batch/report.ts';
import { convertFile } from '../../src/node/convert.ts';
import { type Ended, ended, journalOf, startVconv } from '../helpers/batch.ts';
import { vconv } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const MiB = 1 << 20;

/** A folder with a plan of these jobs, and with a.raw and b.raw in it. */
const batchFolder = (...jobs: string[]): { readonly folder: string; readonly state: string; batch(...argv: string[]): Promise<Ended> } => {
	const folder = temporaryFolder();
	rawFile(path.join(folder, 'a.raw'), 2 * MiB, [[0, MiB]]);
	rawFile(path.join(folder, 'b.raw'), 3 * MiB, [[MiB, MiB]]);
	fs.writeFileSync(path.join(folder, 'plan.yaml'), `jobs:\n${jobs.map((job) => `  - ${job}\n`).join('')}`);
	const batch = (...argv: string[]) => ended(startVconv(folder, 'batch', 'plan.yaml', ...argv));
	return { folder, state: path.join(folder, 'plan.batch'), batch };
};

const reportIn = (state: string): BatchReport => JSON.parse(fs.readFileSync(path.join(state, 'report.json'), 'utf8'));

const states = (state: string): string[] => journalOf(state).map((record) => record.state);

test('the reports are written over no plan, and nothing that a job reads or writes', async () => {
	const { folder, batch } = batchFolder('{ from: a.raw, to: report.html, format: raw }');
	expect(await batch('--state', '.')).toMatchObject({ code: 2, stderr: expect.stringContaining('report.html of the batch are one file') });
	const plan = path.join(folder, 'report.json');
	fs.writeFileSync(plan, '{ "jobs": [{ "from": "a.raw", "to": "a.qcow2" }] }');
	expect(await vconv('batch', '--state', folder, plan)).toMatchObject({ code: 2, stderr: expect.stringContaining('--state') });
	expect(fs.readdirSync(folder).sort()).toEqual(['a.raw', 'b.raw', 'plan.yaml', 'report.json']);
	expect(fs.readFileSync(plan, 'utf8')).toContain('a.qcow2');
});

test('with force too, nothing is written over what another job reads, under any name', async () => {
	const { folder, batch } = batchFolder(
		'{ from: a.raw, to: alias/base.qcow2, force: true }',
		'{ from: top.qcow2, to: out/top.raw }',
		'{ from: b.raw, to: out/b.qcow2 }',
	);
	const file = (name: string) => path.join(folder, name);
	fs.symlinkSync('.', file('alias'));
	expect(await vconv('convert', file('b.raw'), file('base.qcow2'))).toMatchObject({ code: 0 });
	expect(await vconv('convert', '-B', file('base.qcow2'), file('a.raw'), file('top.qcow2'))).toMatchObject({ code: 0 });
	const before = fs.readFileSync(file('base.qcow2'));
	for (const words of [[], ['--dry-run']]) {
		expect(await batch(...words)).toMatchObject({
			code: 2,
			stderr: expect.stringContaining('a.raw would be written over what top.qcow2 reads'),
		});
	}
	expect(fs.readFileSync(file('base.qcow2')).equals(before)).toBe(true);
	fs.writeFileSync(file('plan.yaml'), 'jobs:\n  - { from: a.raw, to: out/x.raw }\n  - { from: b.raw, to: alias/out/x.raw, force: true }\n');
	expect(await batch()).toMatchObject({ code: 2, stderr: expect.stringContaining("jobs[1] writes 'alias/out/x.raw' too") });
	expect(fs.existsSync(file('out'))).toBe(false);
}, 120_000);

test('with force too, nothing is written over what another job writes: extents, parents that are kept, disks of a machine', async () => {
	const { folder, batch } = batchFolder(
		'{ from: a.raw, to: out/x-flat.vmdk, format: raw, force: true }',
		'{ from: b.raw, to: out/x.vmdk, force: true, options: { subformat: monolithicFlat } }',
	);
	const file = (name: string) => path.join(folder, name);
	const refused = (message: string) => ({ code: 2, stderr: expect.stringContaining(message) });
	expect(await batch()).toMatchObject(refused('a.raw would be written over what b.raw writes'));
	for (const [name, source] of [
		['one', 'a.raw'],
		['two', 'b.raw'],
	] as const) {
		fs.mkdirSync(file(name));
		expect(await vconv('convert', file(source), file(`${name}/base.qcow2`))).toMatchObject({ code: 0 });
		expect(await vconv('convert', '-B', file(`${name}/base.qcow2`), file(source), file(`${name}/${name}.qcow2`))).toMatchObject({
			code: 0,
		});
	}
	const chain = (name: string, more = '') => `  - { from: ${name}/${name}.qcow2, to: "out/${name}.qcow2", keep-chain: true${more} }\n`;
	fs.writeFileSync(file('plan.yaml'), `jobs:\n${chain('one', ', force: true')}${chain('two', ', force: true')}`);
	expect(await batch()).toMatchObject(refused('one.qcow2 would be written over what two.qcow2 writes'));
	fs.writeFileSync(
		file('plan.yaml'),
		'jobs:\n  - { kind: migrate, from: m.vmx, to: out, target: libvirt, arguments: [--force] }\n  - { from: out/m-disk1.qcow2, to: saved.vhdx }\n',
	);
	fs.mkdirSync(file('out'));
	fs.copyFileSync(file('one/base.qcow2'), file('out/m-disk1.qcow2'));
	fs.writeFileSync(file('m.vmx'), '');
	expect(await batch()).toMatchObject(refused('would be written over what'));
	fs.writeFileSync(
		file('plan.yaml'),
		'jobs:\n  - { kind: migrate, from: m.vmx, to: out, target: libvirt }\n  - { from: a.raw, to: out/m-disk1.qcow2, force: true }\n',
	);
	expect(await batch()).toMatchObject(refused('a.raw would be written over what'));
	fs.rmSync(file('out'), { recursive: true });
	fs.writeFileSync(file('plan.yaml'), `jobs:\n${chain('one')}`);
	expect(await batch()).toMatchObject({ code: 0 });
	fs.rmSync(file('out/base.qcow2'));
	expect(await batch('--dry-run')).toMatchObject({ code: 8, stdout: expect.stringContaining('one.qcow2: will fail: it exists') });
	expect(fs.existsSync(file('out/base.qcow2'))).toBe(false);
	expect((await batch()).code).toBe(8); // the image above it is there already
	fs.rmSync(file('out'), { recursive: true });
	expect(await batch('--retry-failed')).toMatchObject({ code: 0 });
	fs.truncateSync(file('out/one.qcow2'), 100);
	expect((await batch()).code).toBe(8);
}, 120_000);

test('jobs in conflict are told with their lines, also where further arguments say what they write', async () => {
	const { folder, batch } = batchFolder(
		'{ from: a.raw, to: out/x-flat.vmdk, format: raw, force: true }',
		'{ from: b.raw, to: out/x.vmdk, arguments: [--force, -o, subformat=monolithicFlat] }',
	);
	expect(await batch('--dry-run')).toMatchObject({
		code: 2,
		stderr: `vconv: a.raw would be written over what b.raw writes (plan.yaml:3:5): ${path.join(folder, 'out', 'x-flat.vmdk')}
  at plan.yaml:2:5, jobs[1].to
  try another target
`,
	});
	fs.writeFileSync(path.join(folder, 'plan.yaml'), 'jobs:\n  - { from: a.raw, to: x.raw }\n  - { from: x.raw, to: y.raw }\n');
	expect((await batch()).stderr).toContain(
		'a.raw would be written over what jobs[2] reads (plan.yaml:3:5)\n  at plan.yaml:2:5, jobs[1].to\n',
	);
});

test('further arguments with which a command does no work are told with their lines', async () => {
	const { batch, state } = batchFolder(
		'{ from: a.raw, to: x.vhd, arguments: [--help] }',
		'{ kind: migrate, from: plan.yaml, to: web, target: libvirt, arguments: [-n] }',
	);
	const { code, stderr } = await batch();
	expect(code).toBe(2);
	expect(stderr).toMatch(/--help does nothing but show help\n {2}at plan\.yaml:2:\d+, jobs\[1\]\.arguments/);
	expect(stderr).toMatch(/--dry-run writes nothing, and a job has to\n {2}at plan\.yaml:3:\d+, jobs\[2\]\.arguments/);
	expect(fs.existsSync(state)).toBe(false);
});

test('the dry run says which jobs would fail, and so does its exit code', async () => {
	const { folder, batch } = batchFolder(
		'{ from: no-such.vmdk, to: a.qcow2 }',
		'{ kind: validate, from: no-such.vmx, target: libvirt }',
		'{ kind: migrate, from: no-such.vmx, target: libvirt, to: m }',
		'{ from: a.raw, to: there.raw }',
		'{ from: a.raw, to: b.raw/c.raw }',
	);
	fs.writeFileSync(path.join(folder, 'there.raw'), '');
	const { code, stdout } = await batch('--dry-run');
	expect(code).toBe(8);
	expect(stdout.match(/will fail: .*/g)).toEqual([
		...Array(3).fill('will fail: it cannot be opened: there is no such file'),
		'will fail: it exists already',
		'will fail: it cannot be looked at: a part of its path is not a folder',
	]);
	expect(await batch()).toMatchObject({ code: 8, stderr: expect.stringContaining('0 done, 5 failed') });
	fs.writeFileSync(path.join(folder, 'plan.yaml'), 'jobs: [{ from: a.raw, to: fine.qcow2 }]\n');
	expect((await batch('--dry-run')).code).toBe(0);
});

test('the machine with the largest disks is the first to move, however small its description is', async () => {
	const move = (name: string) => `{ kind: migrate, target: libvirt, from: ${name}.vmx, to: ${name} }`;
	const { folder, state, batch } = batchFolder(move('a'), move('b'));
	for (const [name, padding] of [
		['a', '#'.repeat(100_000)],
		['b', ''],
	] as const) {
		const disk = ['scsi0.present = "TRUE"', 'scsi0:0.present = "TRUE"', `scsi0:0.fileName = "${name}.vmdk"`];
		const lines = [`displayName = "${name}"`, 'guestOS = "debian12-64"', ...disk, padding, ''];
		fs.writeFileSync(path.join(folder, `${name}.vmx`), lines.join('\n'));
		if (name === 'b') rawFile(path.join(folder, 'b.raw'), 3 * MiB, [[0, 3 * MiB]]);
		expect(await vconv(path.join(folder, `${name}.raw`), path.join(folder, `${name}.vmdk`))).toMatchObject({ code: 0 });
	}
	expect(await batch('-j', '1')).toMatchObject({ code: 0 });
	const order = reportIn(state)
		.jobs.toSorted((x, y) => (x.started ?? 0) - (y.started ?? 0))
		.map(({ name }) => name);
	expect(order).toEqual(['b.vmx', 'a.vmx']);
}, 120_000);

test('a state folder that cannot be looked into is named, with what to do', async () => {
	const { folder, batch } = batchFolder('{ from: a.raw, to: a.qcow2 }');
	fs.symlinkSync('loop', path.join(folder, 'loop'));
	for (const state of ['a.raw', 'a.raw/x', 'loop', 'n'.repeat(300)]) {
		expect(await batch('--state', state)).toMatchObject({ code: 5, stderr: expect.stringContaining(`at ${state}`) });
	}
	expect(fs.readdirSync(folder).sort()).toEqual(['a.raw', 'b.raw', 'loop', 'plan.yaml']);
});

test('one failure stops no other job; it is not tried again unasked, unless its source has changed', async () => {
	const secret = '{ from: b.raw, to: secret.qcow2, snapshot: token=hunter2 }';
	const { folder, state, batch } = batchFolder('{ from: a.raw, to: out/a.qcow2 }', '{ from: c.vmdk, to: out/c.qcow2 }', secret);
	const damaged = path.join(folder, 'c.vmdk');
	fs.writeFileSync(damaged, 'noise');
	const first = await batch('-j', '3');
	expect(first.code).toBe(8);
	expect(first.stderr).toContain('FAILED c.vmdk');
	expect(first.stderr).toContain('1 done, 2 failed');
	expect(reportIn(state).counts).toEqual({ done: 1, failed: 2, waiting: 0 });
	expect(await vconv('compare', path.join(folder, 'a.raw'), path.join(folder, 'out/a.qcow2'))).toMatchObject({ code: 0 });
	const kept = fs.readdirSync(state, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
	expect(kept.length).toBeGreaterThan(7);
	for (const { parentPath, name } of kept) expect(fs.readFileSync(path.join(parentPath, name), 'utf8')).not.toContain('hunter2');

	const records = journalOf(state);
	expect((await batch()).code).toBe(8);
	expect(journalOf(state)).toEqual(records);
	fs.copyFileSync('samples/hello.vmdk', damaged);
	expect((await batch()).stderr).toContain('done c.vmdk');
	expect((await batch('--retry-failed')).code).toBe(8);
	expect(reportIn(state).jobs.map(({ attempts }) => attempts)).toEqual([1, 2, 2]);
}, 120_000);

test.runIf(process.platform === 'linux')('a job whose log cannot be written is done all the same, and says so', async () => {
	const { folder, state, batch } = batchFolder('{ from: a.raw, to: a.qcow2 }', '{ from: b.raw, to: b.qcow2 }');
	expect((await batch()).code).toBe(0);
	const [full = '', missing = ''] = fs.readdirSync(path.join(state, 'jobs')).map((name) => path.join(state, 'jobs', name));
	fs.rmSync(full);
	fs.symlinkSync('/dev/full', full);
	fs.rmSync(missing);
	fs.mkdirSync(missing);
	for (const name of ['a', 'b']) fs.rmSync(path.join(folder, `${name}.qcow2`));
	expect((await batch()).code).toBe(0);
	const early = [expect.stringContaining('the log ends early')];
	expect(reportIn(state).jobs.map(({ notes }) => notes)).toEqual([early, early]);
});

test('what an interrupted run has written of another source or with other options is begun anew, and a note says so', async () => {
	const { folder, state, batch } = batchFolder('{ from: a.raw, to: a.qcow2 }', '{ from: b.raw, to: b.qcow2, compress: true }');
	const file = (name: string) => path.join(folder, name);
	for (const name of ['a', 'b']) {
		const controller = new AbortController();
		const onProgress = () => controller.abort();
		await expect(convertFile(file(`${name}.raw`), file(`${name}.qcow2`), { signal: controller.signal, onProgress })).rejects.toThrow();
		expect(fs.existsSync(file(`.${name}.qcow2.vconv-partial`))).toBe(true);
	}
	rawFile(file('a.raw'), 2 * MiB, [[MiB, MiB]]);
	expect(await batch()).toMatchObject({ code: 0 });
	for (const { notes } of reportIn(state).jobs) expect(notes).toContainEqual(expect.stringContaining('begun anew'));
	expect(await vconv('compare', file('a.raw'), file('a.qcow2'))).toMatchObject({ code: 0 });
}, 120_000);

test('a target that a killed run has finished and not recorded is compared with its source, and stays', async () => {
	const { folder, state, batch } = batchFolder('{ from: a.raw, to: a.qcow2 }', '{ from: b.raw, to: b.qcow2 }');
	expect((await batch()).code).toBe(0);
	// As if it had been killed before it could say so; and in b's place is another image by now.
	const journal = path.join(state, 'batch.jsonl');
	const started = journalOf(state).filter((record) => record.state === 'started');
	fs.writeFileSync(journal, `${started.map((record) => JSON.stringify(record)).join('\n')}\n{"id":"torn`);
	const stat = fs.statSync(path.join(folder, 'a.qcow2'));
	fs.copyFileSync(path.join(folder, 'a.qcow2'), path.join(folder, 'b.qcow2'));
	expect((await batch()).code).toBe(8);
	expect(fs.statSync(path.join(folder, 'a.qcow2')).mtimeMs).toBe(stat.mtimeMs);
	const [a, b] = reportIn(state).jobs;
	expect(a).toMatchObject({ state: 'done', adopted: true, attempts: 1 });
	expect(b).toMatchObject({
		state: 'failed',
		error: { exitCode: 5, message: 'it exists already, and holds another disk than the source' },
	});
}, 120_000);

test('a target that is gone is made again; one that a guest has written to since is done all the same', async () => {
	const flat = '{ from: a.raw, to: flat.vmdk, options: { subformat: monolithicFlat }, force: true, name: of several }';
	const { folder, batch } = batchFolder('{ from: a.raw, to: a.vhd }', '{ from: b.raw, to: b.vhd }', flat);
	expect((await batch()).code).toBe(0);
	for (const name of ['a.vhd', 'flat-flat.vmdk']) fs.rmSync(path.join(folder, name));
	fs.appendFileSync(path.join(folder, 'b.vhd'), 'x');
	const { code, stderr } = await batch();
	expect(code).toBe(0);
	expect(stderr).toContain('done a.raw');
	expect(stderr).toContain('done of several');
	expect(stderr).not.toContain('b.raw');
}, 120_000);

test('a machine of which a disk is gone, or another file has its name, is not done', async () => {
	const { folder, state, batch } = batchFolder('{ kind: migrate, target: libvirt, from: web.vmx, to: web, arguments: [--force] }');
	const at = (...names: string[]) => path.join(folder, ...names);
	expect(await vconv('-o', 'subformat=monolithicFlat', at('a.raw'), at('web.vmdk'))).toMatchObject({ code: 0 });
	const disk = ['scsi0.present = "TRUE"', 'scsi0:0.present = "TRUE"', 'scsi0:0.fileName = "web.vmdk"'];
	fs.writeFileSync(at('web.vmx'), ['displayName = "web"', 'guestOS = "debian12-64"', ...disk, ''].join('\n'));
	expect(await batch()).toMatchObject({ code: 0 });
	const [image = ''] = fs.readdirSync(at('web')).filter((name) => name.endsWith('.qcow2'));
	const attempts = () => reportIn(state).jobs.map((job) => job.attempts);
	fs.appendFileSync(at('web', image), 'x');
	expect([(await batch()).code, attempts()]).toEqual([0, [1]]);
	fs.rmSync(at('web', image));
	expect([(await batch()).code, attempts()]).toEqual([0, [2]]);
	expect(await vconv('compare', at('a.raw'), at('web', image))).toMatchObject({ code: 0 });
}, 120_000);

test('what a migration must not be started with is in the reports', async () => {
	const { folder, state, batch } = batchFolder('{ kind: migrate, target: libvirt, from: rhel.vmx, to: rhel }');
	const at = (...names: string[]) => path.join(folder, ...names);
	expect(await vconv('-o', 'subformat=monolithicFlat', at('a.raw'), at('rhel.vmdk'))).toMatchObject({ code: 0 });
	const disk = ['scsi0.present = "TRUE"', 'scsi0.virtualDev = "pvscsi"', 'scsi0:0.present = "TRUE"', 'scsi0:0.fileName = "rhel.vmdk"'];
	const lines = ['displayName = "rhel"', 'guestOS = "rhel9-64"', 'firmware = "efi"', 'memsize = "2048"', ...disk, ''];
	fs.writeFileSync(at('rhel.vmx'), lines.join('\n'));
	expect(await batch()).toMatchObject({ code: 0, stderr: expect.stringContaining('1 done (1 with notes)') });
	const notes = [expect.stringMatching(/^to be acted on before it starts: scsi0:0: the boot disk scsi0:0 moves .* \[BOOT_DRIVER_RISK\]$/)];
	expect(reportIn(state).jobs).toMatchObject([{ state: 'done', notes }]);
	expect(fs.readFileSync(path.join(state, 'report.html'), 'utf8')).toContain('BOOT_DRIVER_RISK');
	expect(fs.readFileSync(path.join(state, 'report.xml'), 'utf8')).toContain('BOOT_DRIVER_RISK');
}, 120_000);

const posix = test.skipIf(process.platform === 'win32');

posix(
	'a second batch in the same folder is busy; SIGTERM stops the first in good order, and it goes on later',
	async () => {
		const { folder, state, batch } = batchFolder('{ from: big.raw, to: big.qcow2, compress: true, threads: 1 }');
		fs.writeFileSync(path.join(folder, 'big.raw'), randomBytes(192 * MiB));
		const first = startVconv(folder, 'batch', 'plan.yaml', '--progress=json');
		const end = ended(first);
		const pid = first.pid as number;
		while (!states(state).includes('started')) await sleep(10);
		process.kill(-pid, 'SIGSTOP');
		const second = await batch();
		expect(second).toMatchObject({ code: 75, stdout: '' });
		expect(second.stderr).toContain('another batch is at work here');
		process.kill(pid, 'SIGTERM');
		process.kill(-pid, 'SIGCONT');
		const { code, stderr } = await end;
		expect(code).toBe(143);
		expect(stderr).toContain('interrupted by SIGTERM');
		expect(states(state)).toEqual(['started']);
		expect(reportIn(state)).toMatchObject({ interrupted: true, counts: { waiting: 1 } });
		expect(fs.existsSync(path.join(folder, 'big.qcow2'))).toBe(false);
		expect((await batch()).code).toBe(0);
	},
	120_000,
);

test.skipIf(process.platform !== 'linux')(
	'children stop when the batch is killed',
	async () => {
		const { folder, state } = batchFolder('{ from: big.raw, to: big.qcow2, compress: true, threads: 1 }');
		fs.writeFileSync(path.join(folder, 'big.raw'), randomBytes(192 * MiB));
		const parent = startVconv(folder, 'batch', 'plan.yaml');
		const end = ended(parent);
		while (!states(state).includes('started')) await sleep(10);
		const children = (): string[] =>
			fs.readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
		while (children().length === 0) await sleep(10);
		const child = children()[0];
		parent.kill('SIGKILL');
		await end;
		const isGone = (): boolean => !fs.existsSync(`/proc/${child}`);
		for (let waited = 0; !isGone() && waited < 10_000; waited += 20) await sleep(20);
		expect(isGone()).toBe(true);
		expect(fs.existsSync(path.join(folder, 'big.qcow2'))).toBe(false);
	},
	120_000,
);

test('what JSON lines and the dry run say is JSON, and the dry run writes nothing', async () => {
	const { folder, state, batch } = batchFolder('{ from: a.raw, to: a.qcow2 }', '{ from: nothing.raw, to: b.qcow2 }');
	const dry = await batch('--dry-run', '--json');
	expect(dry).toMatchObject({ code: 8, stderr: '' });
	expect(JSON.parse(dry.stdout)).toMatchObject({
		jobs: [
			{ name: 'a.raw', 'virtual-size': 2 * MiB, 'source-size': MiB },
			{ name: 'nothing.raw', error: { code: 'ACCESS' } },
		],
		space: [{ folder }],
	});
	expect((await batch('--dry-run')).stdout).toMatch(/^convert a\.raw +-> a\.qcow2: 2 MiB virtual, 1 MiB to read, up to /);
	expect(fs.existsSync(state)).toBe(false);
	const { stderr } = await batch('--progress=json', '--quiet');
	const lines = stderr
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line));
	expect(
		lines
			.map(({ job }) => job?.state)
			.filter(Boolean)
			.toSorted(),
	).toEqual(['done', 'failed', 'running', 'running']);
	expect(lines.at(-1)).toMatchObject({ progress: { done: 1, failed: 1, jobs: 2 } });
}, 120_000);
