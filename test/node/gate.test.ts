import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AccessError } from '../../src/errors.ts';
import { openFile } from '../../src/node/file.ts';
import { type GateOptions, gate, siblings } from '../../src/node/gate.ts';
import { has, temporaryFolder } from '../helpers/programs.ts';

/** A folder with an image `vm/disk.qcow2` and a `secret` beside `vm`. */
const scene = () => {
	const root = fs.realpathSync(temporaryFolder());
	const at = (...parts: string[]): string => path.join(root, ...parts);
	fs.mkdirSync(at('vm'));
	fs.writeFileSync(at('vm', 'disk.qcow2'), 'image');
	fs.writeFileSync(at('vm', 'base.raw'), 'base');
	fs.writeFileSync(at('secret'), 'secret');
	/** What is in the file that the image gets for a reference. */
	const follow = async (reference: string, options: GateOptions = {}): Promise<string> => {
		const image = await openFile(at('vm', 'disk.qcow2'));
		try {
			const found = await gate(options)(image, reference);
			const text = new TextDecoder().decode(await found.read(0, found.size));
			await found.close();
			return text;
		} finally {
			await image.close();
		}
	};
	/** It is refused as ours, at once, and says which image and which reference. */
	const refused = async (reference: string, options?: GateOptions): Promise<AccessError> => {
		const start = performance.now();
		const error = await follow(reference, options).then(
			(text) => expect.unreachable(`opened: ${text}`),
			(failure: unknown) => failure,
		);
		expect(performance.now() - start).toBeLessThan(10_000);
		expect(error).toBeInstanceOf(AccessError);
		expect(error).toMatchObject({ path: at('vm', 'disk.qcow2'), message: expect.stringContaining(`'${reference}'`) });
		return error as AccessError;
	};
	return { at, follow, refused };
};

describe('an image opens a file', () => {
	test('of its own folder, and of folders in it', async () => {
		const { at, follow } = scene();
		fs.mkdirSync(at('vm', 'parents'));
		fs.writeFileSync(at('vm', 'parents', 'a'), 'a');
		fs.writeFileSync(at('vm', '..odd'), 'odd');
		for (const reference of [
			'base.raw',
			'./base.raw',
			'../vm/base.raw',
			at('vm', 'base.raw'),
			`file:${at('vm', 'base.raw')}`,
			`file://${at('vm', 'base.raw')}`,
			'file:base.raw',
		]) {
			expect(await follow(reference)).toBe('base');
		}
		expect(await follow('parents/a')).toBe('a');
		expect(await follow('..odd')).toBe('odd');
	});

	test('through a link within the folder, and by an image that was reached through one', async () => {
		const { at, follow } = scene();
		fs.symlinkSync('base.raw', at('vm', 'link'));
		expect(await follow('link')).toBe('base');
		fs.symlinkSync(at('vm'), at('elsewhere'));
		const image = await openFile(at('elsewhere', 'disk.qcow2'));
		const found = await gate()(image, 'base.raw');
		expect(found.size).toBe(4);
		await found.close();
		await image.close();
	});

	test.for([
		'C:\\vms\\base.raw',
		'c:/vms/base.raw',
		'\\\\server\\share\\base.raw',
		'\\\\?\\C:\\vms\\base.raw',
		'.\\base.raw',
		'sub\\base.raw',
		'..\\..\\base.raw',
	])('beside it that Windows called %s', async (reference) => {
		expect(await scene().follow(reference)).toBe('base');
	});
});

test('a name that is not UTF-8 is not taken for one that has the character which stands for what is not', async () => {
	const { at, refused } = scene();
	fs.writeFileSync(at('vm', 'b\ufffd.raw'), 'another');
	expect((await refused('b\ufffd.raw')).message).toContain('in what is not UTF-8');
});

test.skipIf(process.platform === 'win32')('a file with a backslash in its name is found by it', async () => {
	const { at, follow } = scene();
	fs.writeFileSync(at('vm', 'sub\\base.raw'), 'odd');
	expect(await follow('sub\\base.raw')).toBe('odd');
});

describe('an image does not open', () => {
	test.for(['../secret', './../secret', '../vm/../secret', 'nowhere/../../secret', '..\\secret'])(
		'%s, which leads out of its folder',
		async (reference) => {
			const { at, refused } = scene();
			fs.mkdirSync(at('vm', 'nowhere'));
			await refused(reference);
		},
	);

	test('an absolute path, and is told what would allow it', async () => {
		const { at, refused } = scene();
		expect((await refused(at('secret'))).hint).toContain(`--allow-external ${at()}`);
		await refused('/etc/passwd');
		await refused(`file://${at('secret')}`);
		await refused('file:/etc/passwd');
	});

	test('through a link that leads out of its folder', async () => {
		const { at, refused } = scene();
		fs.symlinkSync(at('secret'), at('vm', 'link'));
		fs.symlinkSync(at(), at('vm', 'up'));
		await refused('link');
		await refused('up/secret');
	});

	test.for([
		'json:{"driver":"file","filename":"/etc/passwd"}',
		'JSON:{}',
		'fat:rw:/',
		'ssh://host/x',
		'file://host/share',
		'nfs:x',
		'',
		'a\0b',
	])('%j, which is no plain path', async (reference) => {
		const { refused } = scene();
		await refused(reference);
	});

	test.for(['nbd://127.0.0.1:PORT/x', 'nbd:127.0.0.1:PORT', 'http://127.0.0.1:PORT/x', 'https://127.0.0.1:PORT/x'])(
		'%s, and nobody is called',
		async (reference) => {
			const { refused } = scene();
			let calls = 0;
			const server = net.createServer(() => calls++);
			onTestFinished(() => void server.close());
			await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
			await refused(reference.replace('PORT', String((server.address() as AddressInfo).port)));
			expect(calls).toBe(0);
		},
	);

	test.skipIf(!has('mkfifo'))('a FIFO, a device, a folder or a socket', async () => {
		const { at, refused } = scene();
		execFileSync('mkfifo', [at('vm', 'fifo')]);
		fs.mkdirSync(at('vm', 'folder'));
		fs.symlinkSync('/dev/zero', at('vm', 'zero'));
		const server = net.createServer();
		onTestFinished(() => void server.close());
		await new Promise<void>((listening) => server.listen(at('vm', 'socket'), listening));
		for (const reference of ['fifo', 'folder', 'zero', 'socket', '.', '/dev/zero']) await refused(reference);
		await refused('/dev/zero', { allow: ['/dev'] });
	});

	test('what is not there, and says where to put it', async () => {
		const { refused } = scene();
		expect((await refused('gone.raw')).hint).toBe('putting it beside disk.qcow2');
		await refused('C:\\vms\\gone.raw');
		await refused('base.raw/x');
	});

	test('anything where it is not trusted, or nobody says that it may', async () => {
		const { at, refused } = scene();
		await refused('base.raw', { untrusted: true });
		await refused(at('secret'), { untrusted: true, allow: [at()] });
	});
});

describe('a folder that the user allows', () => {
	test('is opened, with the folders in it', async () => {
		const { at, follow, refused } = scene();
		fs.mkdirSync(at('store', 'a'), { recursive: true });
		fs.writeFileSync(at('store', 'a', 'base'), 'far');
		const allow = [at('store')];
		expect(await follow(at('store', 'a', 'base'), { allow })).toBe('far');
		expect(await follow('../store/a/base', { allow })).toBe('far');
		await refused('../secret', { allow });
	});

	test('is not one whose name only begins like it', async () => {
		const { at, refused } = scene();
		for (const folder of ['store', 'store-evil', 'vm-evil']) fs.mkdirSync(at(folder));
		fs.writeFileSync(at('store-evil', 'base'), 'evil');
		fs.writeFileSync(at('vm-evil', 'base'), 'evil');
		await refused('../store-evil/base', { allow: [at('store')] });
		await refused('../store/../store-evil/base', { allow: [at('store')] });
		await refused('../vm-evil/base');
	});

	test('is not left through a link', async () => {
		const { at, refused } = scene();
		fs.mkdirSync(at('store'));
		fs.symlinkSync(at('secret'), at('store', 'base'));
		await refused('../store/base', { allow: [at('store')] });
	});

	test('has to be there', async () => {
		const { at, follow } = scene();
		await expect(follow('base.raw', { allow: [at('missing')] })).rejects.toMatchObject({ code: 'ACCESS', path: at('missing') });
	});
});

describe('the neighbours of an image', () => {
	const names = async (at: (...parts: string[]) => string, options?: GateOptions): Promise<string[]> => {
		const image = await openFile(at('vm', 'disk.qcow2'));
		const found: string[] = [];
		for await (const source of siblings(['qcow2', 'vhd'], options)(image)) {
			found.push(path.basename(source.name));
			await source.close();
		}
		await image.close();
		return found;
	};

	test('are the other files of its folder with such an extension, and no links, FIFOs or folders', async () => {
		const { at } = scene();
		for (const name of ['b.qcow2', 'A.VHD', 'c.txt']) fs.writeFileSync(at('vm', name), 'x');
		fs.symlinkSync(at('secret'), at('vm', 'link.vhd'));
		fs.mkdirSync(at('vm', 'folder.vhd'));
		if (has('mkfifo')) execFileSync('mkfifo', [at('vm', 'fifo.vhd')]);
		expect(await names(at)).toEqual(['A.VHD', 'b.qcow2']);
		expect(await names(at, { untrusted: true })).toEqual([]);
	});

	test('are not looked at where there are too many', async () => {
		const { at } = scene();
		for (const name of ['a.vhd', 'b.vhd', 'c.vhd']) fs.writeFileSync(at('vm', name), '');
		expect(await names(at, { limits: { 'folder-files': 3 } })).toHaveLength(3);
		await expect(names(at, { limits: { 'folder-files': 2 } })).rejects.toMatchObject({
			hint: expect.stringContaining('--limit folder-files=MORE'),
		});
	});
});
