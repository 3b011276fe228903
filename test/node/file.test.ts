import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { convertFile } from '../../src/node/convert.ts';
import { descriptorOf, identityOf, openFile } from '../../src/node/file.ts';
import { vconv } from '../helpers/cli.ts';
import { patternBytes } from '../helpers/pattern.ts';
import { has, temporaryFolder } from '../helpers/programs.ts';

test('a file is read at any place, and not past its end', async () => {
	const name = path.join(temporaryFolder(), 'disk.raw');
	fs.writeFileSync(name, patternBytes(0, 4096));
	const source = await openFile(name);
	expect([source.name, source.size]).toEqual([name, 4096]);
	expect(Buffer.compare(await source.read(1000, 3096), patternBytes(1000, 3096))).toBe(0);
	await expect(source.read(1000, 3097)).rejects.toMatchObject({ code: 'CORRUPT', path: name });
	await source.close();
	await source.close();
});

test('a file that shrinks while it is read is told, with the place', async () => {
	const name = path.join(temporaryFolder(), 'disk.raw');
	fs.writeFileSync(name, patternBytes(0, 4096));
	const source = await openFile(name);
	fs.truncateSync(name, 1000);
	await expect(source.read(512, 1024)).rejects.toMatchObject({ code: 'CHANGED', path: name, offset: 1000 });
	await source.close();
});

test('where a read of many pages fails is told, not where it began', async () => {
	const name = path.join(temporaryFolder(), 'disk.raw');
	fs.writeFileSync(name, patternBytes(0, 65536));
	const source = await openFile(name);
	const { readSync } = fs;
	const BAD = 9 * 4096;
	const spy = vi.spyOn(fs, 'readSync').mockImplementation(((fd: number, bytes: Buffer, at: number, length: number, position: number) => {
		if (position <= BAD && position + length > BAD) throw Object.assign(new Error('i/o error'), { code: 'EIO' });
		return readSync(fd, bytes, at, length, position);
	}) as typeof fs.readSync);
	onTestFinished(() => spy.mockRestore());
	await expect(source.read(4096, 32768 + 8192)).rejects.toMatchObject({ code: 'ACCESS', offset: BAD, path: name });
	await source.close();
});

test('a source that is closed reads nothing, and not the file that has its number by then', async () => {
	const folder = temporaryFolder();
	const [first, second, out] = ['first.raw', 'second.raw', 'out.qcow2'].map((name) => path.join(folder, name)) as [string, string, string];
	fs.writeFileSync(first, patternBytes(0, 4096));
	fs.writeFileSync(second, Buffer.alloc(4096, 1));
	const source = await openFile(first);
	await source.close();
	const other = await openFile(second);
	expect(descriptorOf(source)).toBeUndefined();
	await expect(source.read(0, 512)).rejects.toMatchObject({ code: 'USAGE', path: first });
	await expect(source.readInto?.(0, new Uint8Array(512))).rejects.toMatchObject({ code: 'USAGE' });
	await expect(convertFile(source, out)).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('it is closed') });
	expect(fs.existsSync(out)).toBe(false);
	await other.close();
});

test('two names of a file have one identity, and a copy has another', async () => {
	const folder = temporaryFolder();
	const at = (name: string): string => path.join(folder, name);
	fs.writeFileSync(at('disk'), 'x');
	fs.linkSync(at('disk'), at('hard'));
	fs.symlinkSync(at('disk'), at('soft'));
	fs.copyFileSync(at('disk'), at('copy'));
	expect([identityOf(at('hard')), identityOf(at('soft'))]).toEqual([identityOf(at('disk')), identityOf(at('disk'))]);
	expect(identityOf(at('copy'))).not.toBe(identityOf(at('disk')));
	expect(identityOf(at('missing'))).toBeUndefined();
});

test('a link is not followed where that is not wanted', async () => {
	const folder = temporaryFolder();
	const link = path.join(folder, 'link');
	fs.writeFileSync(path.join(folder, 'file'), 'x');
	fs.symlinkSync('file', link);
	await (await openFile(link)).close();
	const circle = path.join(folder, 'circle');
	fs.symlinkSync('circle', circle);
	await expect(openFile(circle)).rejects.toMatchObject({ path: circle, message: expect.stringContaining('go in a circle') });
	await expect(openFile(link, { named: false })).rejects.toMatchObject({
		code: 'ACCESS',
		message: expect.stringContaining('symbolic link'),
	});
});

const unfit: Readonly<Record<string, (name: string) => void | Promise<void>>> = {
	'a FIFO': (name) => void execFileSync('mkfifo', [name]),
	'a FIFO behind a link': (name) => {
		execFileSync('mkfifo', [`${name}.fifo`]);
		fs.symlinkSync(`${name}.fifo`, name);
	},
	'a character device': (name) => fs.symlinkSync('/dev/zero', name),
	'a folder': (name) => fs.mkdirSync(name),
	'a socket': async (name) => {
		const server = net.createServer();
		onTestFinished(() => void server.close());
		await new Promise<void>((listening) => server.listen(name, listening));
	},
	'a link to nothing': (name) => fs.symlinkSync(`${name}.gone`, name),
	'a link to itself': (name) => fs.symlinkSync(name, name),
	nothing: () => {},
};

test.skipIf(process.platform === 'win32' || !has('mkfifo')).for(Object.keys(unfit))(
	'%s is refused at once, as input and as output',
	async (kind) => {
		const folder = temporaryFolder();
		const name = path.join(folder, 'disk.raw');
		await unfit[kind]?.(name);
		const before = fs.readdirSync(folder);

		await vconv('missing.vmdk', path.join(folder, 'out.qcow2')); // loads the command
		const start = performance.now();
		const read = await vconv(name, path.join(folder, 'out.qcow2'));
		expect(performance.now() - start).toBeLessThan(10_000);
		expect([3, 5]).toContain(read.code);
		expect(read.stderr).toMatch(/^vconv: .*\n {2}at .*disk\.raw/);
		expect(fs.readdirSync(folder)).toEqual(before);

		if (kind === 'nothing') return;
		for (const force of [[], ['--force']]) {
			if (force.length > 0 && kind.startsWith('a link to')) continue; // it is replaced, not followed: see target.test.ts
			const written = await vconv('samples/hello.vmdk', name, ...force);
			expect([3, 5]).toContain(written.code);
			expect(written.stderr).toMatch(/^vconv: .*\n {2}at .*disk\.raw/);
			expect(fs.readdirSync(folder)).toEqual(before);
		}
	},
);
