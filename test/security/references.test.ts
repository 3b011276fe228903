import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { vhd } from '../../formats/vhd/index.ts';
import { vhdx } from '../../formats/vhdx/index.ts';
import type { DiskFormat } from '../../src/core/format.ts';
import { build, C, data } from '../formats/qcow2/build.ts';
import { descriptor } from '../formats/vmdk/build.ts';
import { vconv } from '../helpers/cli.ts';
import { writeImage } from '../helpers/image.ts';
import { patternDisk } from '../helpers/pattern.ts';
import { has } from '../helpers/programs.ts';
import { SECRET, scene, withBacking, withDataFile } from './scene.ts';

const windows = process.platform === 'win32';

// Loading the command is no part of how soon it refuses.
beforeAll(async () => void (await vconv('convert', '--help')));

/** A descriptor of one flat extent in another file. */
const flat = (name: string, sectors: string | number = 128, offset: string | number = 0): string =>
	descriptor('parentCID=ffffffff', 'createType="monolithicFlat"', `RW ${sectors} FLAT "${name}" ${offset}`);

/** A server that counts who calls. */
const server = async (): Promise<{ readonly port: number; calls(): number }> => {
	let calls = 0;
	const listening = net.createServer((socket) => {
		calls++;
		socket.destroy();
	});
	onTestFinished(() => void listening.close());
	await new Promise<void>((ready) => listening.listen(0, '127.0.0.1', ready));
	return { port: (listening.address() as AddressInfo).port, calls: () => calls };
};

describe('a QCOW2 does not get', () => {
	test('T01: a backing file by its absolute path', async () => {
		const { at, put, refuses } = scene();
		put('disk.qcow2', withBacking(at('secret')));
		expect((await refuses('disk.qcow2')).stderr).toContain(`--allow-external ${at()}`);
		expect((await refuses('disk.qcow2', '--untrusted', '--allow-external', at())).stderr).toContain('--untrusted opens none');
	});

	test.for(['../secret', './../secret', '../vm/../secret', '..\\secret'])('T02: the backing file %s', async (reference) => {
		const { put, refuses } = scene();
		put('disk.qcow2', withBacking(reference));
		await refuses('disk.qcow2');
	});

	test.skipIf(windows)('T03: a backing file through a link that leads out of its folder', async () => {
		const { at, put, refuses } = scene();
		fs.symlinkSync(at('secret'), at('vm', 'base.raw'));
		put('disk.qcow2', withBacking('base.raw'));
		await refuses('disk.qcow2');
	});

	test.skipIf(process.platform !== 'linux')(
		'T03: a backing file through a link that takes the place of a folder just before it is opened',
		async () => {
			const { at, put, refuses } = scene();
			fs.mkdirSync(at('vm', 'parents'));
			fs.writeFileSync(at('vm', 'parents', 'secret'), new Uint8Array(65536));
			put('disk.qcow2', withBacking('parents/secret'));
			const { statSync } = fs;
			const swapping = vi.spyOn(fs, 'statSync').mockImplementation(((...args: Parameters<typeof fs.statSync>) => {
				const stat = statSync(...args);
				if (args[0] === at('vm', 'parents', 'secret') && !fs.existsSync(at('vm', 'moved'))) {
					fs.renameSync(at('vm', 'parents'), at('vm', 'moved'));
					fs.symlinkSync(at(), at('vm', 'parents'));
				}
				return stat;
			}) as typeof fs.statSync);
			onTestFinished(() => swapping.mockRestore());
			expect((await refuses('disk.qcow2')).stderr).toContain('what is under that name changes');
			expect(fs.existsSync(at('vm', 'moved'))).toBe(true);
		},
	);

	test('T04: what a json: name describes', async () => {
		const { at, put, refuses } = scene();
		put('disk.qcow2', withBacking(`json:{"driver":"raw","file":{"driver":"file","filename":"${at('secret')}"}}`));
		await refuses('disk.qcow2', '--allow-external', at());
	});

	test.for([
		'nbd://127.0.0.1:PORT/x',
		'nbd:127.0.0.1:PORT',
		'http://127.0.0.1:PORT/x',
		'https://127.0.0.1:PORT/x',
		'ssh://127.0.0.1:PORT/x',
	])('T05: %s, and nobody is called', async (reference) => {
		const { put, refuses } = scene();
		const { port, calls } = await server();
		const name = reference.replace('PORT', String(port));
		put('disk.qcow2', withBacking(name));
		put('data.qcow2', withDataFile(name));
		put('disk.vmdk', flat(name));
		for (const image of ['disk.qcow2', 'data.qcow2', 'disk.vmdk']) {
			await refuses(image);
			await vconv('info', '--backing-chain', image);
		}
		expect(calls()).toBe(0);
	});

	test('T06: a data file by its absolute path', async () => {
		const { at, put, refuses } = scene();
		put('disk.qcow2', withDataFile(at('secret')));
		await refuses('disk.qcow2');
	});

	test('T15: a backing file of no said format, which a guest may have made look like an image', async () => {
		const { at, put, refuses } = scene();
		put('base', withBacking(at('secret')));
		put('disk.qcow2', withBacking('base', ''));
		expect((await refuses('disk.qcow2')).stderr).toContain('a guest may have made that look like');
		put('base.img', withBacking(at('secret')));
		put('disk.qcow2', withBacking('base.img', ''));
		expect((await refuses('disk.qcow2')).stderr).toContain('which a guest may have written');
	});
});

test('T01-T08: what an image names is told by info and check, and not opened', async () => {
	const { at, put } = scene();
	for (const [name, bytes] of [
		['backing.qcow2', withBacking(at('secret'))],
		['data.qcow2', withDataFile(at('secret'))],
	] as const) {
		const { code, stdout } = await vconv('info', put(name, bytes));
		expect(code).toBe(0);
		expect(stdout).toContain(at('secret'));
		expect(stdout).not.toContain(SECRET);
		expect((await vconv('check', at('vm', name))).stdout).not.toContain(SECRET);
	}
});

describe('a VMDK does not get', () => {
	test('T07: an extent by its absolute path', async () => {
		const { at, put, refuses } = scene();
		put('disk.vmdk', flat(at('secret')));
		await refuses('disk.vmdk');
		put('evil.vmdk', flat('/etc/passwd', 1));
		await refuses('evil.vmdk');
	});

	test.for(['..\\secret', '..\\..\\secret', 'C:\\secret', 'C:/secret', '\\\\server\\share\\secret', '\\\\?\\C:\\secret'])(
		'T08: the extent %s of a Windows path',
		async (reference) => {
			const { put, refuses } = scene();
			put('disk.vmdk', flat(reference));
			await refuses('disk.vmdk');
		},
	);

	test.skipIf(windows || !has('mkfifo'))('T09: a FIFO, a device, a folder or a socket, and no command waits for one', async () => {
		const { at, put, refuses } = scene();
		execFileSync('mkfifo', [at('vm', 'fifo')]);
		fs.mkdirSync(at('vm', 'folder'));
		fs.symlinkSync('/dev/zero', at('vm', 'zero'));
		const socket = net.createServer();
		onTestFinished(() => void socket.close());
		await new Promise<void>((ready) => socket.listen(at('vm', 'socket'), ready));
		for (const name of ['fifo', 'folder', 'zero', 'socket', '/dev/zero']) {
			put('disk.vmdk', flat(name));
			await refuses('disk.vmdk', '--allow-external', '/dev');
			put('disk.qcow2', withBacking(name));
			await refuses('disk.qcow2', '--allow-external', '/dev');
		}
		for (const name of ['fifo', 'folder', 'socket']) for (const flags of [[], ['-f', 'raw']]) await refuses(name, ...flags);
		await refuses('zero', '-f', 'raw');
	});

	test('T10: an extent shorter than it says', async () => {
		const { put, refuses } = scene();
		put('short.bin', new Uint8Array(512));
		put('disk.vmdk', flat('short.bin', 2));
		await refuses('disk.vmdk');
		put('offset.vmdk', flat('short.bin', 1, 1));
		await refuses('offset.vmdk');
	});

	test.for([
		['9223372036854775807', 0],
		['18014398509481984', 0],
		['1', '9223372036854775807'],
		['1', '18014398509481984'],
		['1', '-1'],
		['1e3', 0],
	])('T11: an extent of %s sectors at %s', async ([sectors, offset]) => {
		const { put, refuses } = scene();
		put('flat.bin', new Uint8Array(512));
		put('disk.vmdk', flat('flat.bin', sectors, offset));
		await refuses('disk.vmdk');
	});

	test('anything at all without trust, its own extents neither', async () => {
		const { put, refuses } = scene();
		put('flat.bin', new Uint8Array(65536));
		put('disk.vmdk', flat('flat.bin'));
		expect((await refuses('disk.vmdk', '--untrusted')).stderr).toContain('--untrusted opens none');
	});

	test('T17: a parent of another content id', async () => {
		const { put, refuses } = scene();
		put('flat.bin', new Uint8Array(65536));
		put('base.vmdk', flat('flat.bin').replace('1234abcd', 'aaaaaaaa'));
		put('delta.bin', new Uint8Array(65536));
		const lines = ['parentCID=bbbbbbbb', 'parentFileNameHint="base.vmdk"', 'createType="monolithicFlat"', 'RW 128 FLAT "delta.bin" 0'];
		put('delta.vmdk', descriptor(...lines));
		expect((await refuses('delta.vmdk')).stderr).toMatch(/bbbbbbbb/);
	});
});

const DISK = patternDisk({ size: 1 << 20, data: [[0, 4096]] });

test.for<[string, string, DiskFormat]>(
	([vhd, vhdx] as const).flatMap((format) =>
		[
			'../base',
			'..\\base',
			'C:\\vms\\base',
			'\\\\server\\share\\base',
			...(format === vhd ? ['ABSOLUTE', 'file:///etc/passwd', 'file://server/base'] : []),
		].map((name): [string, string, DiskFormat] => [format.id, name, format]),
	),
)('T12: a %s does not get its parent as %s', async ([, name, format]) => {
	const { at, put, refuses } = scene();
	const parent = `base.${format.id}`;
	const base = (await writeImage(format, DISK, { name: parent })).get(parent)?.source();
	if (!base) throw new Error('nothing was written');
	const bytes = await base.read(0, base.size);
	const { id } = await format.open(base, { follow: () => Promise.reject(), note() {}, unpack: () => bytes });
	fs.writeFileSync(at(parent), bytes);
	const reference = name === 'ABSOLUTE' ? at(parent) : name.replace(/base$/, parent);
	const delta = await writeImage(format, DISK, { name: 'delta', backing: { name: reference, format: format.id, size: DISK.size, id } });
	const source = delta.get('delta')?.source();
	if (!source) throw new Error('nothing was written');
	put(`delta.${format.id}`, await source.read(0, source.size));
	await refuses(`delta.${format.id}`);
	// Where it may: the parent is a good one.
	if (name !== '../base') return;
	expect(await vconv('--allow-external', at(), at('vm', `delta.${format.id}`), at('good.raw'))).toMatchObject({ stderr: '', code: 0 });
});

describe('a chain', () => {
	test.skipIf(windows)('T13: that comes back to itself is refused', async () => {
		const { at, put, refuses } = scene();
		put('self.qcow2', withBacking('self.qcow2', 'qcow2'));
		put('a.qcow2', withBacking('b.qcow2', 'qcow2'));
		put('b.qcow2', withBacking('a.qcow2', 'qcow2'));
		fs.linkSync(at('vm', 'a.qcow2'), at('vm', 'other-name.qcow2'));
		put('c.qcow2', withBacking('d.qcow2', 'qcow2'));
		fs.linkSync(put('d.qcow2', withBacking('c.qcow2', 'qcow2')), at('vm', 'e.qcow2'));
		for (const image of ['self.qcow2', 'a.qcow2', 'other-name.qcow2', 'e.qcow2']) {
			expect((await refuses(image)).stderr).toContain('comes back to');
		}
	});

	test('T14: of 33 images is refused, with the limit that would allow it', async () => {
		const { at, put, refuses } = scene();
		for (let i = 0; i < 32; i++) put(`${i}.qcow2`, withBacking(`${i + 1}.qcow2`, 'qcow2'));
		put('32.qcow2', build({ entries: [data(0)], clusters: [1], size: 2 * C }));
		expect((await refuses('0.qcow2')).stderr).toContain('--limit chain-depth');
		expect((await refuses('1.qcow2', '--limit', 'chain-depth=31')).stderr).toContain('over the limit of 31');
		const deeper = await vconv('--limit', 'chain-depth=33', at('vm', '0.qcow2'), at('deep.raw'));
		expect(deeper).toMatchObject({ code: 0 });
	});
});

test('T16: a raw disk into which its guest wrote a header is not taken for that image, nor for a raw disk unasked', async () => {
	const { at, put, refuses } = scene();
	for (const name of ['disk.raw', 'disk.img']) {
		put(name, withBacking(at('secret')));
		expect((await refuses(name)).stderr).toContain('which a guest may have written');
		fs.rmSync(at('asked.raw'), { force: true });
		expect((await vconv('-f', 'raw', at('vm', name), at('asked.raw'))).code).toBe(0);
		expect(fs.readFileSync(at('asked.raw')).equals(fs.readFileSync(at('vm', name)))).toBe(true);
	}
});

test('T16: an image that is named like one of another format is read by its bytes, and that is said', async () => {
	const { at, put } = scene();
	put('base.raw', new Uint8Array(65536));
	const name = put('disk.vmdk', withBacking('base.raw'));
	const { code, stderr } = await vconv(name, at('out.raw'));
	expect([code, stderr]).toEqual([0, expect.stringMatching(/disk\.vmdk.*it is a QCOW2.*its name a VMDK/i)]);
	expect((await vconv('-f', 'qcow2', name, at('asked.raw'))).stderr).toBe('');
});

test('T18: a folder is not allowed because its name begins like one that is', async () => {
	const { at, put, refuses } = scene();
	for (const folder of ['store', 'store-evil', 'vm-evil']) {
		fs.mkdirSync(at(folder));
		fs.copyFileSync(at('secret'), at(folder, 'base.raw'));
	}
	for (const folder of ['store-evil', 'vm-evil']) {
		put('disk.qcow2', withBacking(at(folder, 'base.raw')));
		await refuses('disk.qcow2', '--allow-external', at('store'));
		put('disk.qcow2', withBacking(`../store/../${folder}/base.raw`));
		await refuses('disk.qcow2', '--allow-external', at('store'));
	}
	put('disk.qcow2', withBacking(at('store', 'base.raw')));
	const flags = ['--allow-external', at('vm-evil'), '--allow-external', at('store')];
	expect((await vconv(...flags, at('vm', 'disk.qcow2'), at('allowed.raw'))).code).toBe(0);
});
