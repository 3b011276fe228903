import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { convertFile } from '../../src/node/convert.ts';
import { openFile } from '../../src/node/file.ts';
import { holdSource } from '../../src/node/inuse.ts';
import { native } from '../../src/node/native.ts';
import { createTarget } from '../../src/node/target.ts';
import { vconv } from '../helpers/cli.ts';
import { has, requires, run, temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const MiB = 1 << 20;
const KOFFI = requires(native() !== undefined, 'koffi is not installed');
const QEMU = process.platform === 'linux' && has('qemu-io') && has('qemu-img');

/** qemu-io with an image open, as a machine has it. */
const qemuWith = async (name: string, ...options: string[]): Promise<ChildProcess> => {
	const child = spawn('qemu-io', [...options, name], { stdio: ['pipe', 'pipe', 'ignore'] });
	onTestFinished(() => void child.kill('SIGKILL'));
	child.stdin?.write('read 0 512\n');
	await new Promise((resolve) => child.stdout?.once('data', resolve));
	return child;
};

const room = () => {
	const folder = temporaryFolder();
	const at = (...names: string[]) => path.join(folder, ...names);
	rawFile(at('in.raw'), MiB, [[0, 65536]]);
	return { folder, at };
};

test.skipIf(!QEMU)('an image that a machine writes to is refused, as source, as parent and as target, and -U reads it', async () => {
	const { at, folder } = room();
	await convertFile(at('in.raw'), at('base.qcow2'));
	run('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', 'base.qcow2', '-F', 'qcow2', at('top.qcow2'));
	const before = fs.readdirSync(folder);
	await qemuWith(at('base.qcow2'), '-f', 'qcow2');
	for (const source of ['base.qcow2', 'top.qcow2']) {
		const refused = await vconv(at(source), at('out.raw'));
		expect(refused).toMatchObject({
			code: 5,
			stderr: expect.stringMatching(/in use: QEMU has it open for writing\n.*base\.qcow2\n {2}try .*-U/s),
		});
	}
	expect(await vconv('--force', at('in.raw'), at('base.qcow2'))).toMatchObject({ code: 5, stderr: expect.stringContaining('in use') });
	expect(fs.readdirSync(folder)).toEqual(before);
	expect(await vconv('-U', at('base.qcow2'), at('out.raw'))).toMatchObject({ code: 0 });
});

test.skipIf(!QEMU)('no command reads what a machine writes to, itself or as a parent, unless -U says so', async () => {
	const { at } = room();
	await convertFile(at('in.raw'), at('base.qcow2'), { proof: true });
	run('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', 'base.qcow2', '-F', 'qcow2', at('top.qcow2'));
	const domain = '<domain type="kvm"><name>m</name><memory>262144</memory><os><type>hvm</type></os><devices>DISK</devices></domain>';
	const disk = '<disk type="file" device="disk"><driver type="qcow2"/><source file="base.qcow2"/><target dev="vda" bus="virtio"/></disk>';
	fs.writeFileSync(at('m.xml'), domain.replace('DISK', disk));
	await qemuWith(at('base.qcow2'), '-f', 'qcow2');
	const commands: [number, string, ...string[]][] = [
		[5, 'info', at('base.qcow2')],
		[5, 'info', '--backing-chain', at('top.qcow2')],
		[5, 'map', at('top.qcow2')],
		[5, 'measure', at('base.qcow2')],
		[1, 'check', at('base.qcow2')],
		[2, 'compare', at('in.raw'), at('base.qcow2')],
		[2, 'compare', at('top.qcow2'), at('in.raw')],
		[5, 'hash', at('top.qcow2')],
		[5, 'verify', at('base.qcow2'), at('base.qcow2.vconv.json')],
		[5, 'inspect', at('base.qcow2')],
		[5, 'inspect', at('m.xml')],
	];
	for (const [code, ...command] of commands) {
		expect({ command, ...(await vconv(...command)) }).toMatchObject({
			code,
			stdout: '',
			stderr: expect.stringMatching(/in use: QEMU has it open for writing\n.*base\.qcow2\n {2}try .*-U/s),
		});
		expect({ command, ...(await vconv(...command, '-U')) }).toMatchObject({ code: 0 });
	}
	// What is only named is not read.
	expect(await vconv('info', at('top.qcow2'))).toMatchObject({ code: 0 });
});

test.skipIf(!QEMU)('a parent that a machine writes to is not found by its id either', async () => {
	const { at } = room();
	await convertFile(at('in.raw'), at('base.vhdx'));
	rawFile(at('other.raw'), MiB, [[0, 512]]);
	await convertFile(at('other.raw'), at('top.vhdx'), { backing: at('base.vhdx') });
	await qemuWith(at('base.vhdx'), '-f', 'vhdx');
	const refused = { code: 5, stderr: expect.stringMatching(/in use: QEMU.*\n.*base\.vhdx/) };
	expect(await vconv(at('top.vhdx'), at('out.raw'))).toMatchObject(refused);
	expect(await vconv('hash', at('top.vhdx'))).toMatchObject(refused);
});

test.skipIf(!QEMU)(
	'a further file of an image that a machine writes to is not replaced, were it opened while the run was at work',
	async () => {
		const { at, folder } = room();
		const options = { format: 'vmdk', options: { subformat: 'monolithicFlat' } };
		await convertFile(at('in.raw'), at('disk.vmdk'), options);
		const before = fs.readdirSync(folder);
		const refused = { code: 'ACCESS', path: at('disk-flat.vmdk'), message: expect.stringContaining('in use') };
		const late = await createTarget(at('disk.vmdk'), { force: true });
		for (const sink of [late.main, await late.beside('disk-flat.vmdk')]) await sink.write(0, new Uint8Array(512));
		await qemuWith(at('disk-flat.vmdk'), '-f', 'raw');
		await expect(late.commit()).rejects.toMatchObject(refused);
		await late.abandon();
		await expect(convertFile(at('in.raw'), at('disk.vmdk'), { ...options, force: true })).rejects.toMatchObject(refused);
		expect(fs.readdirSync(folder)).toEqual(before);
	},
);

test.skipIf(!QEMU)('no file that a machine writes to is replaced, whichever of several it is', async () => {
	const { at } = room();
	const convert = () => vconv('--force', '-o', 'subformat=monolithicFlat', at('in.raw'), at('web.vmdk'));
	expect(await convert()).toMatchObject({ code: 0 });
	const lines = ['displayName = "web"', 'memsize = "512"', 'ide0:0.present = "TRUE"', 'ide0:0.fileName = "web.vmdk"'];
	fs.writeFileSync(at('web.vmx'), `${lines.join('\n')}\n`);
	const migrate = () => vconv('migrate', '--force', '--to', 'libvirt', at('web.vmx'), at('out'));
	expect(await migrate()).toMatchObject({ code: 0 });
	const before = fs.statSync(at('out', 'web-disk1.qcow2')).ino;
	await qemuWith(at('out', 'web-disk1.qcow2'), '-f', 'qcow2');
	expect(await migrate()).toMatchObject({ code: 5, stderr: expect.stringMatching(/in use: QEMU.*\n.*web-disk1\.qcow2/) });
	expect(fs.statSync(at('out', 'web-disk1.qcow2')).ino).toBe(before);
	await qemuWith(at('web-flat.vmdk'), '-f', 'raw');
	expect(await convert()).toMatchObject({ code: 5, stderr: expect.stringMatching(/in use: QEMU.*\n.*web-flat\.vmdk/) });
});

test.skipIf(!QEMU || !KOFFI)("another program's lock on all of an image is no machine, and hides none", async () => {
	const { at } = room();
	const lock = () => {
		const fd = fs.openSync(at('in.raw'), 'r');
		onTestFinished(() => fs.closeSync(fd));
		const SETLK_OFD = 37;
		expect(native()?.load(null).func('int fcntl(int fd, int command, void *lock)')(fd, SETLK_OFD, Buffer.alloc(32))).toBe(0);
	};
	lock();
	expect(await vconv(at('in.raw'), at('a.qcow2'))).toMatchObject({ code: 0 });
	fs.renameSync(at('in.raw'), at('locked.raw'));
	fs.copyFileSync(at('locked.raw'), at('in.raw'));
	await qemuWith(at('in.raw'), '-f', 'raw');
	lock();
	expect(await vconv(at('in.raw'), at('b.qcow2'))).toMatchObject({
		code: 5,
		stderr: expect.stringContaining('QEMU has it open for writing'),
	});
});

test.skipIf(!QEMU)('an image that is only read by a machine is no trouble', async () => {
	const { at } = room();
	await convertFile(at('in.raw'), at('base.qcow2'));
	await qemuWith(at('base.qcow2'), '-r', '-f', 'qcow2');
	expect(await vconv(at('base.qcow2'), at('out.raw'))).toMatchObject({ code: 0 });
});

test.skipIf(!QEMU)('while an image is read, QEMU may look at it and not write to it, unless that is wanted', async () => {
	const { at } = room();
	const write = () => spawnSync('qemu-io', ['-f', 'raw', '-c', 'write 0 512', at('in.raw')], { encoding: 'utf8' });
	for (const [options, locked] of [
		[{}, true],
		[{ sourceLock: false }, false],
		[{ forceShare: true }, false],
	] as const) {
		const source = await openFile(at('in.raw'));
		holdSource(source, options);
		const { status, stderr } = write();
		expect({ locked: status !== 0, said: stderr.includes('Failed to get "write" lock') }).toEqual({ locked, said: locked });
		run('qemu-img', 'info', '-f', 'raw', at('in.raw'));
		await source.close();
	}
	expect(write().status).toBe(0);
});

test.for(['in.vmdk.lck/M12345.lck', '.lck-0123456789abcdef'])("VMware's lock %s is respected", async (lock) => {
	const { at } = room();
	await convertFile(at('in.raw'), at('in.vmdk'));
	fs.mkdirSync(path.dirname(at(lock)), { recursive: true });
	fs.writeFileSync(at(lock), '');
	expect(await vconv(at('in.vmdk'), at('out.raw'))).toMatchObject({ code: 5, stderr: expect.stringContaining("VMware's lock is") });
	expect(await vconv(at('in.raw'), at('out.raw'))).toMatchObject({ code: 0 });
	expect(await vconv('-U', at('in.vmdk'), at('again.raw'))).toMatchObject({ code: 0 });
});

test.skipIf(process.platform !== 'linux' || !KOFFI)(
	'what any process has open for writing is told, and refused if the process runs machines; what it reads is neither',
	async () => {
		const { at } = room();
		fs.copyFileSync('/bin/sh', at('qemu-system-sh'));
		fs.chmodSync(at('qemu-system-sh'), 0o755);
		const holding = (how: string, shell = 'sh') =>
			new Promise<ChildProcess>((resolve) => {
				const child = spawn(shell, ['-c', `exec 3${how}"$0"; echo; read end`, at('in.raw')], { stdio: ['pipe', 'pipe', 'ignore'] });
				onTestFinished(() => void child.kill('SIGKILL'));
				child.stdout.once('data', () => resolve(child));
			});
		const reader = await holding('<');
		expect(await vconv(at('in.raw'), at('a.qcow2'))).toMatchObject({ code: 0 });
		const script = await holding('<>');
		expect(await vconv(at('in.raw'), at('d.qcow2'))).toMatchObject({
			code: 0,
			stderr: expect.stringContaining(`process ${script.pid} (sh) has it open for writing`),
		});
		script.kill('SIGKILL');
		await new Promise((resolve) => script.once('exit', resolve));
		const writer = await holding('<>', at('qemu-system-sh'));
		expect(await vconv(at('in.raw'), at('b.qcow2'))).toMatchObject({
			code: 5,
			stderr: expect.stringMatching(
				new RegExp(`in use: process ${writer.pid} \\(qemu-system-sh\\) has it open for writing\n.*\n {2}try .*-U`),
			),
		});
		expect(await vconv('-U', at('in.raw'), at('b.qcow2'))).toMatchObject({ code: 0 });
		writer.kill('SIGKILL');
		await new Promise((resolve) => writer.once('exit', resolve));
		expect(await vconv(at('in.raw'), at('c.qcow2'))).toMatchObject({ code: 0 });
		// Nobody is left waiting for a lease of ours to end.
		fs.closeSync(fs.openSync(at('in.raw'), 'r+'));
		reader.kill('SIGKILL');
	},
);
