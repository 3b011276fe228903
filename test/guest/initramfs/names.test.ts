import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { portableExpanders } from '../../../src/engine/expand.ts';
import { CorruptError, UnsupportedError, VconvError } from '../../../src/errors.ts';
import { initramfsBudget } from '../../../src/guest/initramfs/budget.ts';
import { initramfsNames } from '../../../src/guest/initramfs/names.ts';
import { effort } from '../../helpers/effort.ts';
import { has, run, temporaryFolder } from '../../helpers/programs.ts';
import { oneFile } from './file.ts';

const RUNS = process.env['VCONV_THOROUGH'] ? 4000 : 50;

const namesOf = async (bytes: Uint8Array): Promise<readonly string[]> => {
	const names: string[] = [];
	for await (const name of initramfsNames(oneFile(bytes), portableExpanders)) names.push(name);
	return names;
};

/** An archive of files with some content, as cpio makes it. */
const archive = (...names: readonly string[]): Buffer => {
	const folder = temporaryFolder();
	for (const name of names) {
		fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
		fs.writeFileSync(path.join(folder, name), `${name}\n`.repeat(300));
	}
	return execFileSync('cpio', ['-o', '-H', 'newc', '--quiet'], { cwd: folder, input: names.join('\n'), maxBuffer: 1 << 26 });
};

const through = (bytes: Buffer, program: string, ...args: string[]): Buffer =>
	execFileSync(program, args, { input: bytes, maxBuffer: 1 << 26 });

const MODULES = Array.from({ length: 30 }, (_, i) => `usr/lib/modules/6.1/kernel/drivers/virtio/virtio_${i}.ko`);

describe.skipIf(!has('cpio'))('the names of an initramfs', () => {
	test.for([
		['plain', []],
		['gzip', ['gzip', '-9']],
		[
			'gzip with a name and a checksum of the header',
			[
				'python3',
				'-c',
				'import sys,zlib,struct;d=sys.stdin.buffer.read();c=zlib.compressobj(9,8,-15);h=b"\\x1f\\x8b\\x08\\x0a"+bytes(6)+b"a name\\0"+b"\\0\\0";sys.stdout.buffer.write(h+c.compress(d)+c.flush()+struct.pack("<II",zlib.crc32(d),len(d)))',
			],
		],
		['zstd', ['zstd', '-q', '-9', '-c']],
		['zstd at its most', ['zstd', '-q', '-19', '-c']],
		['xz', ['xz', '--check=crc32', '--lzma2=dict=1MiB']],
		['lz4', ['lz4', '-l', '-9', '-c', '-q']],
	] as const)('are found, %s', async ([, [program, ...args]], { skip }) => {
		if (program) skip(!has(program), `${program} is not installed`);
		const bytes = archive(...MODULES);
		expect(await namesOf(program ? through(bytes, program, ...args) : bytes)).toEqual(MODULES);
	});

	test.for([
		['gzip', ['gzip']],
		['zstd', ['zstd', '-q', '-c']],
		['xz', ['xz', '--check=crc32', '--lzma2=dict=1MiB']],
		['xz of several blocks', ['xz', '--block-size=512', '-T2']],
		['xz without checksums', ['xz', '--check=none']],
		['lz4', ['lz4', '-l', '-c', '-q']],
	] as const)(
		'are those of all archives: microcode, compressed with %s, and what was appended',
		async ([, [program, ...args]], { skip }) => {
			skip(!has(program), `${program} is not installed`);
			const folder = temporaryFolder();
			const microcode = archive('kernel/x86/microcode/AuthenticAMD.bin');
			// Files of noise are not packed at all, which xz has other chunks for.
			fs.writeFileSync(path.join(folder, 'noise'), crypto.randomBytes(200_000));
			const noise = execFileSync('cpio', ['-o', '-H', 'newc', '--quiet'], { cwd: folder, input: 'noise', maxBuffer: 1 << 26 });
			const packed = through(Buffer.concat([archive('init', 'bin/sh'), noise]), program, ...args);
			const appended = zlib.gzipSync(archive('virtio_blk.ko'));
			for (const zeros of program === 'lz4' ? [4, 70_000] : [0, 3, 512, 70_000]) {
				// Right behind blocks of lz4 the magic of gzip is a length like any other.
				const between = Buffer.alloc(zeros);
				expect(await namesOf(Buffer.concat([microcode, between, packed, between, appended, between]))).toEqual([
					'kernel/x86/microcode/AuthenticAMD.bin',
					'init',
					'bin/sh',
					'noise',
					'virtio_blk.ko',
				]);
			}
		},
	);

	test('are read without the contents of what is not compressed', async () => {
		const big = archive(...Array.from({ length: 200 }, (_, i) => `file ${i}`));
		let read = 0;
		const file = oneFile(big, (length) => {
			read += length;
		});
		let count = 0;
		for await (const _ of initramfsNames(file, {})) count++;
		expect(count).toBe(200);
		expect(read).toBeLessThanOrEqual(big.length);
	});

	test('end where a hole begins that goes on and on', async () => {
		const { fileSystem, node, ...rest } = oneFile(archive('init'));
		const endless: typeof fileSystem = {
			...fileSystem,
			async read(_, offset, length) {
				const part = new Uint8Array(length);
				const end = Math.min(offset + length, node.size);
				if (offset < end) part.set(await fileSystem.read(node, offset, end - offset));
				return part;
			},
		};
		const names: string[] = [];
		const listed = async () => {
			for await (const name of initramfsNames({ ...rest, fileSystem: endless, node: { ...node, size: 2 ** 50 } }, {})) names.push(name);
		};
		await expect(listed()).rejects.toThrow(/67108864 bytes of zeros/);
		expect(names).toEqual(['init']);
	});

	test.for([
		['bzip2', 'bzip2'],
		['lzma', 'lzma'],
		['lzo', 'lzop'],
	] as const)('are not read of %s, which is named', async ([name, program], { skip }) => {
		skip(!has(program), `${program} is not installed`);
		const refused = namesOf(through(archive('init'), program, '-c'));
		await expect(refused).rejects.toThrow(UnsupportedError);
		await expect(refused).rejects.toThrow(name);
	});

	test.for([
		['gzip', ['gzip']],
		['zstd', ['zstd', '-q', '-c']],
		['xz', ['xz', '--check=crc32']],
		['lz4', ['lz4', '-l', '-c', '-q']],
		['plain', []],
	] as const)('cut short are damaged, %s', async ([, [program, ...args]], { skip }) => {
		if (program) skip(!has(program), `${program} is not installed`);
		const whole = program ? through(archive(...MODULES), program, ...args) : archive(...MODULES);
		await expect(namesOf(whole.subarray(0, Math.floor(whole.length / 2)))).rejects.toThrow(CorruptError);
	});

	test.for([
		['xz', ['xz', '--check=crc32', '--lzma2=preset=0,dict=65MiB'], 'the xz stream needs more than 64 MiB of memory'],
		['zstd', ['zstd', '-q', '-c', '--ultra', '--long=24'], 'the zstd frame needs more than 8388608 bytes of memory'],
	] as const)('are not read where they would take too much memory, %s', async ([, [program, ...args], why], { skip }) => {
		skip(!has(program), `${program} is not installed`);
		const refused = namesOf(through(archive(...MODULES), program, ...args));
		await expect(refused).rejects.toThrow(UnsupportedError);
		await expect(refused).rejects.toThrow(why);
	});

	test.skipIf(!has('xz'))('are read of xz with the largest dictionary that a distribution takes', async () => {
		expect(await namesOf(through(archive(...MODULES), 'xz', '--check=crc32', '--lzma2=preset=0,dict=64MiB'))).toEqual(MODULES);
	});

	test('damaged in any way are names or a VconvError, and soon', async () => {
		const commands = [['gzip'], ['zstd', '-q', '-c'], ['xz'], ['lz4', '-l', '-c', '-q']].filter(([program]) => has(program as string));
		const images = [archive(...MODULES), ...commands.map(([program, ...args]) => through(archive(...MODULES), program as string, ...args))];
		const change = fc.record({ at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) });
		await fc.assert(
			fc.asyncProperty(fc.constantFrom(...images), fc.array(change, { minLength: 1, maxLength: 8 }), async (image, changes) => {
				const damaged = new Uint8Array(image);
				for (const { at, value } of changes) damaged[at % damaged.length] = value;
				const spent = effort();
				await namesOf(damaged).catch((error) => {
					if (!(error instanceof VconvError)) throw new Error('not a VconvError', { cause: error });
				});
				expect(spent()).toBeLessThan(2000);
			}),
			{ numRuns: RUNS },
		);
	});

	test('are not read out of an xz stream with a checksum that is not known, which is not said to be damaged', async () => {
		if (!has('xz')) return;
		const packed = through(archive(...MODULES), 'xz', '--check=sha256');
		await expect(namesOf(packed)).rejects.toThrow(/SHA-256/);
		await expect(namesOf(packed)).rejects.toThrow(UnsupportedError);
	});

	test.for([
		['gzip', ['gzip', '-9']],
		['zstd', ['zstd', '-q', '-c']],
		['xz', ['xz', '--check=crc32']],
		['lz4', ['lz4', '-l', '-c', '-q']],
	] as const)(
		'are not read where next to nothing expands to gigabytes, nor of what comes after, %s',
		async ([, [program, ...args]], { skip }) => {
			skip(!has(program), `${program} is not installed`);
			const folder = temporaryFolder();
			fs.writeFileSync(path.join(folder, 'blob'), '');
			fs.truncateSync(path.join(folder, 'blob'), 200 << 20);
			const bomb = execFileSync('sh', ['-c', `echo blob | cpio -o -H newc --quiet | ${[program, ...args].join(' ')}`], { cwd: folder });
			const spent = effort();
			const budget = initramfsBudget();
			for (let i = 0; i < 15; i++) {
				const names = (async () => {
					for await (const _ of initramfsNames(oneFile(bomb), portableExpanders, budget));
				})();
				await expect(names).rejects.toThrow(/expands absurdly/);
			}
			expect(spent()).toBeLessThan(2000);
		},
	);

	test('are read of what expands to ten times its size, of a file of zeros, and of a small one', async () => {
		const folder = temporaryFolder();
		// Hexadecimal digits of noise pack to half, and five times the same to a tenth.
		const block = () => crypto.randomBytes(4096).toString('hex').repeat(5);
		for (let i = 0; i < 32; i++) fs.writeFileSync(path.join(folder, `noise${i}`), Array.from({ length: 25 }, block).join(''));
		fs.writeFileSync(path.join(folder, 'zeros'), Buffer.alloc(48 << 20));
		const listed = ['zeros', ...Array.from({ length: 32 }, (_, i) => `noise${i}`)];
		const bytes = execFileSync('cpio', ['-o', '-H', 'newc', '--quiet'], { cwd: folder, input: listed.join('\n'), maxBuffer: 1 << 28 });
		expect(await namesOf(zlib.gzipSync(bytes, { level: 1 }))).toEqual(listed);
	});

	test('in more streams than anybody makes are not read', async () => {
		const streams = Buffer.concat(new Array<Buffer>(20_000).fill(zlib.gzipSync(archive('a'))));
		await expect(namesOf(streams)).rejects.toThrow(/larger than any/);
	});

	test('of a bomb are given up between its pieces as soon as somebody says so', async () => {
		const bomb = zlib.gzipSync(new Uint8Array(32 << 20));
		let pieces = 0;
		const names = initramfsNames(oneFile(bomb), portableExpanders, undefined, async () => {
			if (++pieces === 3) throw new Error('enough');
		});
		await expect(names.next()).rejects.toThrow('enough');
	});

	test.skipIf(!has('lsinitramfs'))('are those that lsinitramfs lists', async () => {
		const image = path.join(temporaryFolder(), 'initrd');
		const packed = through(archive('init', ...MODULES), 'gzip');
		fs.writeFileSync(image, Buffer.concat([archive('kernel/x86/microcode/GenuineIntel.bin'), packed]));
		const listed = run('lsinitramfs', image).trim().split('\n');
		expect(await namesOf(fs.readFileSync(image))).toEqual(listed);
	});
});
