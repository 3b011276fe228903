import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { convertDisk } from '../../src/convert/convert.ts';
import type { OptionValues } from '../../src/core/format.ts';
import type { Target } from '../../src/core/sink.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { portableMover } from '../../src/engine/portable.ts';
import { UsageError, VconvError } from '../../src/errors.ts';
import { type Files, nodeFiles } from '../../src/node/files.ts';
import { createTarget } from '../../src/node/target.ts';
import { type Call, fail, filesWith, systemError } from '../helpers/faults.ts';
import { fixedStamp } from '../helpers/image.ts';
import { mixedDisk, patternBytes } from '../helpers/pattern.ts';
import { temporaryFolder } from '../helpers/programs.ts';

/** Take a target all the way, with a further file beside it if that has a name; abandon it if anything fails, as a conversion does. */
const write = async (name: string, options: { files?: Files; force?: boolean; beside?: string } = {}): Promise<void> => {
	const { beside, ...rest } = options;
	const target = await createTarget(name, rest);
	await finish(target, async () => {
		await target.main.write(0, patternBytes(0, 10_000));
		if (beside !== undefined) await (await target.beside(beside)).write(0, patternBytes(512, 512));
	});
};

const finish = async (target: Target, act: () => Promise<void>): Promise<void> => {
	try {
		await act();
		await target.commit();
	} catch (error) {
		await target.abandon();
		throw error;
	}
};

const written = (name: string): boolean => Buffer.compare(fs.readFileSync(name), patternBytes(0, 10_000)) === 0;

test('what an earlier run has left of further files counts as held before they are open', async () => {
	const folder = temporaryFolder();
	fs.writeFileSync(path.join(folder, '.disk-flat.vmdk.vconv-partial'), patternBytes(0, 100_000));
	const target = await createTarget(path.join(folder, 'disk.vmdk'));
	expect(target.held()).toBe(0);
	expect(target.held(['disk-flat.vmdk', 'disk-s001.vmdk'])).toBeGreaterThanOrEqual(100_000);
	await target.abandon();
});

test.for([0o777, 0o4600, -1, Number.NaN, 99999])('%s is no mode of an image', async (mode) => {
	const folder = temporaryFolder();
	await expect(createTarget(path.join(folder, 'disk.raw'), { mode })).rejects.toThrow(UsageError);
	expect(fs.readdirSync(folder)).toEqual([]);
});

describe('until the whole of it is written', () => {
	test('nothing has the name, and nobody else can read it', async () => {
		const folder = temporaryFolder();
		const before = process.umask(0);
		try {
			const target = await createTarget(path.join(folder, 'disk.raw'));
			await target.main.write(0, patternBytes(0, 512));
			const partials = ['.disk.raw.vconv-partial', '.disk.raw.vconv-partial.journal'];
			expect(fs.readdirSync(folder)).toEqual(partials);
			for (const partial of partials) expect(fs.statSync(path.join(folder, partial)).mode & 0o777).toBe(0o600);
			await target.commit();
			expect(fs.readdirSync(folder)).toEqual(['disk.raw']);
			expect(fs.statSync(path.join(folder, 'disk.raw')).mode & 0o777).toBe(0o600);
		} finally {
			process.umask(before);
		}
	});

	test('abandoned, it leaves nothing, however often that is said', async () => {
		const folder = temporaryFolder();
		const target = await createTarget(path.join(folder, 'disk.raw'));
		await target.abandon();
		await target.abandon();
		expect(fs.readdirSync(folder)).toEqual([]);
	});

	test.for(['', '.journal'])('T53: what has the name of the partial%s and is not ours is refused, and not followed', async (suffix) => {
		const folder = temporaryFolder();
		const name = path.join(folder, 'disk.raw');
		const planted = path.join(folder, `.disk.raw.vconv-partial${suffix}`);
		const victim = path.join(folder, 'victim');
		const plants = [
			() => fs.symlinkSync(victim, planted),
			() => fs.symlinkSync(path.join(folder, 'gone'), planted),
			() => fs.mkdirSync(planted),
		];
		// An empty journal says nothing of whose it is; other contents do.
		if (suffix)
			plants.push(
				() => fs.writeFileSync(planted, 'notes of a person'),
				() => fs.linkSync(victim, planted),
			);
		for (const plant of plants) {
			fs.writeFileSync(victim, 'precious');
			plant();
			const before = fs.readdirSync(folder);
			await expect(write(name)).rejects.toMatchObject({ code: 'ACCESS', message: expect.stringContaining('not from vconv') });
			expect([fs.readdirSync(folder), fs.readFileSync(victim, 'utf8')]).toEqual([before, 'precious']);
			fs.rmSync(planted, { recursive: true });
		}
	});

	test('a folder that may not be written to is not taken for a stranger in it', async () => {
		const files = filesWith({ openLocked: async () => fail('EACCES') });
		const name = path.join(temporaryFolder(), 'disk.raw');
		await expect(write(name, { files })).rejects.toMatchObject({
			message: 'it cannot be created: permission is denied',
			path: name,
			reason: 'denied',
			hint: 'as a user who may, or chmod',
		});
	});

	test('another run is told that it is busy, and the first one goes on', async () => {
		const folder = temporaryFolder();
		const name = path.join(folder, 'disk.raw');
		const target = await createTarget(name);
		await expect(write(name)).rejects.toMatchObject({ code: 'BUSY', exitCode: 75, path: name });
		await finish(target, async () => target.main.write(0, patternBytes(0, 10_000)));
		expect([written(name), fs.readdirSync(folder)]).toEqual([true, ['disk.raw']]);
	});

	test.for(['a b', "it's", '-rf', 'json:x', 'line\nbreak', 'x'.repeat(255), '字'.repeat(85)])(
		'%j is a name like any other',
		async (name) => {
			const folder = temporaryFolder();
			await write(path.join(folder, name));
			expect(fs.readdirSync(folder)).toEqual([name]);
		},
	);
});

describe('writes', () => {
	test('that are short are continued', async () => {
		const name = path.join(temporaryFolder(), 'disk.raw');
		const files = filesWith({
			write: (fd, bytes, start, length, at) => nodeFiles.write(fd, bytes, start, Math.min(length, 999), at),
		});
		await write(name, { files });
		expect(written(name)).toBe(true);
	});

	test('that write nothing at all are no progress', async () => {
		const folder = temporaryFolder();
		await expect(write(path.join(folder, 'disk.raw'), { files: filesWith({ write: () => 0 }) })).rejects.toThrow(VconvError);
		expect(fs.readdirSync(folder)).toEqual([]);
	});

	test.for(['ENOSPC', 'EDQUOT'])(
		'into a full store end as a short one and then %s: nothing is left, and it says what to do',
		async (code) => {
			const folder = temporaryFolder();
			const name = path.join(folder, 'disk.raw');
			let room = 6000 + 16; // the journal begins with its mark
			const files = filesWith({
				write(fd, bytes, start, length, at) {
					const count = Math.min(length, room);
					if (count === 0) fail(code);
					room -= count;
					return nodeFiles.write(fd, bytes, start, count, at);
				},
			});
			await expect(write(name, { files })).rejects.toMatchObject({
				code: 'ACCESS',
				path: name,
				offset: 6000,
				message: expect.stringMatching(/no space is left|quota is used up/),
				hint: expect.stringContaining('space'),
			});
			expect(fs.readdirSync(folder)).toEqual([]);
		},
	);
});

test('on a store without a single free block, what is written is noted in room that was laid aside', async () => {
	const folder = temporaryFolder();
	let full = false;
	const rooms = new Map<number, number>();
	const files = filesWith({
		reserve: (fd, position, length) => void (full || rooms.set(fd, position + length)),
		write(fd, bytes, start, length, position) {
			if (full && position + length > (rooms.get(fd) ?? 0)) fail('ENOSPC');
			return nodeFiles.write(fd, bytes, start, length, position);
		},
	});
	for (const run of [1, 2]) {
		full = false;
		let kept = false;
		const onKept = () => {
			kept = true;
		};
		const target = await createTarget(path.join(folder, 'disk.raw'), { files, onKept });
		const { journal } = await target.begin({ origin: ['a disk'], image: 'raw', stamp: fixedStamp() });
		expect([...journal.past].length).toBe(run - 1);
		await target.main.write(run * 4096, patternBytes(0, 4096));
		full = true;
		await expect(target.main.write((run + 1) * 4096, patternBytes(0, 4096))).rejects.toThrow('no space is left');
		journal.written({ kind: 'plain', offset: run * 4096, length: 4096 });
		await target.suspend();
		expect(kept).toBe(true);
	}
	const last = await createTarget(path.join(folder, 'disk.raw'));
	const { journal } = await last.begin({ origin: ['a disk'], image: 'raw', stamp: fixedStamp() });
	expect([...journal.past].length).toBe(2);
	await last.abandon();
});

describe('the name', () => {
	test('is not given where fsync fails, and fsync is not asked again', async () => {
		const folder = temporaryFolder();
		let asked = 0;
		const files = filesWith({
			fsync() {
				asked++;
				fail('EIO');
			},
		});
		await expect(write(path.join(folder, 'disk.raw'), { files })).rejects.toThrow('cannot be made durable: the device failed');
		expect([asked, fs.readdirSync(folder)]).toEqual([1, []]);
	});

	test.for(['a file', 'a link', 'a dangling link'])(
		'that %s has already is refused, and with force replaced without following it',
		async (kind) => {
			const folder = temporaryFolder();
			const name = path.join(folder, 'disk.raw');
			const victim = path.join(folder, 'victim');
			if (kind !== 'a dangling link') fs.writeFileSync(victim, 'precious');
			if (kind === 'a file') fs.copyFileSync(victim, name);
			else fs.symlinkSync(victim, name);
			const before = fs.readdirSync(folder);
			await expect(write(name)).rejects.toMatchObject({ message: 'it exists already', hint: expect.stringContaining('--force') });
			expect(fs.readdirSync(folder)).toEqual(before);

			await write(name, { force: true });
			expect([written(name), fs.lstatSync(name).isFile()]).toEqual([true, true]);
			if (kind !== 'a dangling link') expect(fs.readFileSync(victim, 'utf8')).toBe('precious');
		},
	);

	test.for([undefined, 'EPERM'])('that is taken in between is left to whoever took it (link fails with %s)', async (code) => {
		const folder = temporaryFolder();
		const name = path.join(folder, 'disk.raw');
		const files = filesWith({
			link(from, to) {
				fs.writeFileSync(to, 'somebody else');
				if (code !== undefined) fail(code);
				nodeFiles.link(from, to);
			},
		});
		await expect(write(name, { files })).rejects.toThrow('it exists by now');
		expect(fs.readdirSync(folder)).toEqual(['disk.raw']);
		expect(fs.readFileSync(name, 'utf8')).toBe('somebody else');
	});

	test.for(['EPERM', 'ENOTSUP', 'ENOSYS'])('is given by renaming where there are no hard links (%s)', async (code) => {
		const folder = temporaryFolder();
		const name = path.join(folder, 'disk.raw');
		await write(name, { files: filesWith({ link: () => fail(code) }) });
		expect([written(name), fs.readdirSync(folder)]).toEqual([true, ['disk.raw']]);
	});

	test('of the main file is given last, after everything is durable', async () => {
		const folder = temporaryFolder();
		const calls: string[] = [];
		const files = filesWith({
			fsync: () => void calls.push('fsync'),
			link(from, to) {
				calls.push(path.basename(to));
				nodeFiles.link(from, to);
			},
			fsyncFolder: () => void calls.push('fsyncFolder'),
		});
		await write(path.join(folder, 'disk.vmdk'), { files, beside: 'disk-flat.vmdk' });
		expect(calls).toEqual(['fsync', 'fsync', 'fsyncFolder', 'disk-flat.vmdk', 'fsyncFolder', 'disk.vmdk', 'fsyncFolder']);
	});

	test('of a further file goes again where the main one is taken', async () => {
		const folder = temporaryFolder();
		const name = path.join(folder, 'disk.vmdk');
		const files = filesWith({
			link(from, to) {
				if (to === name) fs.writeFileSync(to, 'somebody else');
				nodeFiles.link(from, to);
			},
		});
		await expect(write(name, { files, beside: 'disk-flat.vmdk' })).rejects.toThrow('it exists by now');
		expect(fs.readdirSync(folder)).toEqual(['disk.vmdk']);
		expect(fs.readFileSync(name, 'utf8')).toBe('somebody else');
	});

	test('of an old main file goes before further files are replaced: nobody is to find it beside new ones', async () => {
		const folder = temporaryFolder();
		for (const file of ['disk.vmdk', 'disk-flat.vmdk']) fs.writeFileSync(path.join(folder, file), 'old');
		const files = filesWith({ rename: (from, to) => (to.endsWith('disk.vmdk') ? fail('EIO') : nodeFiles.rename(from, to)) });
		await expect(write(path.join(folder, 'disk.vmdk'), { files, force: true, beside: 'disk-flat.vmdk' })).rejects.toThrow(VconvError);
		expect(fs.readdirSync(folder)).toEqual([]);
	});

	test('stays with a whole image that has replaced another, whatever fails then', async () => {
		const folder = temporaryFolder();
		const name = path.join(folder, 'disk.raw');
		fs.writeFileSync(name, 'old');
		await expect(write(name, { files: filesWith({ fsyncFolder: () => fail('EIO') }), force: true })).rejects.toThrow(VconvError);
		expect([written(name), fs.readdirSync(folder)]).toEqual([true, ['disk.raw']]);
	});

	test.for([
		['a second run', 'at work', false],
		['a second run', 'at work', true],
		['a link', 'by the name of the partial', false],
		['nothing', 'by the name of the partial', false],
	] as const)('is not given to %s that is %s by now (force: %s), which is left alone', async ([what, , force]) => {
		const folder = temporaryFolder();
		const name = path.join(folder, 'disk.raw');
		const partial = path.join(folder, '.disk.raw.vconv-partial');
		const first = await createTarget(name, { force });
		await first.main.write(0, patternBytes(0, 10_000));
		fs.rmSync(partial);
		if (what === 'a link') fs.symlinkSync(path.join(folder, 'victim'), partial);
		if (what !== 'a second run') {
			await expect(finish(first, async () => {})).rejects.toMatchObject({ code: 'ACCESS', path: name });
			expect(fs.readdirSync(folder)).toEqual(what === 'a link' ? ['.disk.raw.vconv-partial'] : []);
			return;
		}
		fs.rmSync(`${partial}.journal`);
		const second = await createTarget(name, { force });
		await expect(finish(first, async () => {})).rejects.toThrow('its partial file was removed or replaced while it was written');
		expect(fs.readdirSync(folder)).toEqual(['.disk.raw.vconv-partial', '.disk.raw.vconv-partial.journal']);
		await finish(second, async () => second.main.write(0, patternBytes(0, 10_000)));
		expect([written(name), fs.readdirSync(folder)]).toEqual([true, ['disk.raw']]);
	});

	test('may be one that the system cannot look up, and that is told', async () => {
		const name = path.join(temporaryFolder(), 'x'.repeat(256));
		await expect(write(name)).rejects.toMatchObject({ code: 'ACCESS', path: name, message: expect.stringContaining('too long') });
	});
});

/** Every writer, in the shapes that differ in how they write. */
const WRITERS: readonly (readonly [format: string, options: OptionValues, compress?: boolean])[] = [
	['raw', {}],
	['qcow2', {}],
	['qcow2', {}, true],
	['vmdk', {}],
	['vmdk', { subformat: 'streamOptimized' }],
	['vmdk', { subformat: 'twoGbMaxExtentSparse' }],
	['vmdk', { subformat: 'monolithicFlat' }],
	['vhd', {}],
	['vhd', { subformat: 'fixed' }],
	['vhdx', {}],
	['vhdx', { subformat: 'fixed' }],
	['vdi', {}],
	['vdi', { static: 'on' }],
];

const disk = mixedDisk(300 * 1024 + 512);

test('every format that can be written is among them', () => {
	const writable = diskFormats.filter(({ writer }) => writer).map(({ id }) => id);
	expect(new Set(WRITERS.map(([format]) => format))).toEqual(new Set(writable));
});

describe.for(WRITERS)('%s %o, compressed: %s', ([id, options, compress = false]) => {
	const convert = async (name: string, files: Files, force = false): Promise<void> => {
		const format = diskFormats.find((one) => one.id === id);
		if (!format) throw new Error(`no ${id}`);
		const target = await createTarget(name, { files, force });
		await convertDisk({ disk, target, format, options, compress, mover: portableMover(pakoCodec), stamp: fixedStamp() });
	};

	/** The calls of a conversion in which nothing fails, and the files that come of it. */
	const allCalls = async (): Promise<{ readonly calls: Call[]; readonly whole: string[] }> => {
		const calls: Call[] = [];
		const folder = temporaryFolder();
		await convert(
			path.join(folder, 'disk'),
			filesWith({}, (call) => calls.push(call)),
		);
		return { calls, whole: fs.readdirSync(folder) };
	};

	test.for([
		{ lasting: false, what: 'once' },
		{ lasting: true, what: 'from then on' },
	])('a call that fails $what leaves nothing, whichever it is', async ({ lasting }) => {
		const { calls, whole } = await allCalls();
		for (const n of calls.keys()) {
			const folder = temporaryFolder();
			let count = 0;
			let end = false;
			const files = filesWith({}, (call) => {
				const at = count++;
				// Where nothing can be removed, nothing can be cleaned up.
				if (at === n || (lasting && at > n && call !== 'remove')) {
					end = true;
					fail('EIO');
				}
			});
			const failure = await convert(path.join(folder, 'disk'), files).then(
				() => undefined,
				(error: unknown) => error,
			);
			expect(end).toBe(true);
			const left = fs.readdirSync(folder);
			// Whatever happens to a lock or a partial name that nobody needs any more, the image is there.
			if (['close', 'idOf'].includes(calls[n] ?? '') && failure === undefined) expect(left).toEqual(whole);
			else expect([failure, left], `${calls[n]}, call ${n}`).toEqual([expect.any(VconvError), []]);
		}
	});

	test('a failure that cannot be cleaned up is told for what it was', async () => {
		const files = filesWith({
			fsync: () => fail('EIO'),
			remove: () => fail('EROFS'),
			close(fd) {
				nodeFiles.close(fd);
				throw systemError('EIO');
			},
		});
		await expect(convert(path.join(temporaryFolder(), 'disk'), files)).rejects.toThrow('cannot be made durable');
	});
});
