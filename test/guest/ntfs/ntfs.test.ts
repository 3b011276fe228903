import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CorruptError } from '../../../src/errors.ts';
import { sourceDevice } from '../../../src/guest/device.ts';
import { unpackLznt1 } from '../../../src/guest/ntfs/lznt1.ts';
import { openNtfs } from '../../../src/guest/ntfs/reader.ts';
import { decodeReparse } from '../../../src/guest/ntfs/reparse.ts';
import { hibernated, logClosed } from '../../../src/guest/ntfs/state.ts';
import { fileTree } from '../../../src/guest/tree.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { has, run, temporaryFolder } from '../../helpers/programs.ts';
import { survivesDamage } from '../damage.ts';
import { contentsOf } from '../ext/walk.ts';
import { addFile, addStream, catFile, compressInPlace, makeNtfs, packLznt1, UNIT } from './make.ts';

const open = (bytes: Uint8Array) => openNtfs(sourceDevice(memorySource(bytes, 'ntfs')));

const pseudoRandom = (length: number): Uint8Array => {
	const bytes = new Uint8Array(length);
	let state = 1;
	for (let at = 0; at < length; at++) {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		bytes[at] = state >>> 24;
	}
	return bytes;
};

const volume = (): string => path.join(temporaryFolder(), 'ntfs.img');

describe.skipIf(!has('mkntfs') || !has('ntfscp'))('an NTFS volume', () => {
	test.for([
		['512', 25],
		['4096', 45],
		['65536', 5],
	] as const)('with clusters of %s bytes reads as it was filled', async ([cluster, many]) => {
		const image = volume();
		makeNtfs(image, '24M', '-c', cluster, '-L', 'Windows');
		const files = new Map<string, Uint8Array | string>([
			['empty', ''],
			['resident', 'a few bytes'],
			['large', pseudoRandom(700_001)],
			['ünïcödé Ελλάδα', 'x'.repeat(5000)],
		]);
		for (let index = 0; index < many; index++) files.set(`a file with a name that is rather long ${index}`, `${index}`);
		for (const [name, content] of files) addFile(image, name, content);

		const opened = await open(fs.readFileSync(image));
		expect(opened).toMatchObject({ type: 'ntfs', label: 'Windows', clean: true, state: [], blockSize: Number(cluster) });
		const tree = fileTree(opened);
		const listed = (await tree.readdir('/')).filter((name) => !name.startsWith('$'));
		expect(listed.toSorted()).toEqual([...files.keys()].toSorted());
		const judged = run('ntfsls', '-f', image)
			.split('\n')
			.filter((name) => name !== '' && name !== '.');
		expect(listed.toSorted()).toEqual(judged.toSorted());
		for (const [name, content] of files) {
			expect(Buffer.compare((await tree.readFile(`/${name.toUpperCase()}`, 2 ** 20)) ?? new Uint8Array(), Buffer.from(content)), name).toBe(
				0,
			);
		}
		expect(await tree.isFile('/a file with a name that is rather long')).toBe(false);
		const free = /Free Clusters: (\d+)/.exec(run('ntfsinfo', '-f', '-m', image))?.[1];
		expect(opened.free).toBe(Number(free) * Number(cluster));
	});

	test('has files read whose attributes are in many records', async () => {
		const image = volume();
		makeNtfs(image, '8M');
		const content = pseudoRandom(300_000);
		addFile(image, 'file', content);
		for (let index = 0; index < 30; index++) addStream(image, 'file', `stream ${index}`, 'x'.repeat(200));
		const opened = await open(fs.readFileSync(image));
		const found = await fileTree(opened).stat('/file');
		expect(found?.node).toMatchObject({ record: { attributes: expect.arrayContaining([expect.objectContaining({ type: 0x20 })]) } });
		expect(Buffer.compare((await fileTree(opened).readFile('/file')) ?? new Uint8Array(), content)).toBe(0);
	});

	test('has compressed files read as ntfs-3g reads them', async () => {
		const image = volume();
		makeNtfs(image, '8M', '-c', '4096');
		const [text, random] = [Buffer.from('all work and no play '.repeat(4000)).subarray(0, UNIT * 4096), pseudoRandom(UNIT * 4096)];
		const packed = packLznt1(text);
		const clusters = Math.ceil(packed.length / 4096);
		const padded = new Uint8Array(clusters * 4096);
		padded.set(packed);
		addFile(image, 'packed', Buffer.concat([padded, random, padded]));
		const node = await fileTree(await open(fs.readFileSync(image))).stat('/packed');
		const size = UNIT * 4096 * 4 - 1234;
		compressInPlace(
			image,
			fs.readFileSync(image).readUInt32LE(0x30) * 4096 + (node?.node.id ?? 0) * 1024,
			[clusters, UNIT, 0, clusters],
			size,
		);

		const expected = Buffer.concat([text, random, new Uint8Array(UNIT * 4096), text]).subarray(0, size);
		const opened = await open(fs.readFileSync(image));
		const found = await fileTree(opened).stat('/packed');
		expect(found?.node.size).toBe(size);
		expect(Buffer.compare(catFile(image, 'packed'), expected)).toBe(0);
		expect(Buffer.compare((await fileTree(opened).readFile('/packed')) ?? new Uint8Array(), expected)).toBe(0);
		const read = fc.record({ offset: fc.nat({ max: size }), length: fc.nat({ max: 9000 }) });
		await fc.assert(
			fc.asyncProperty(read, async ({ offset, length }) => {
				if (!found || offset + length > size) return;
				const part = await found.fileSystem.read(found.node, offset, length);
				expect(Buffer.compare(part, expected.subarray(offset, offset + length))).toBe(0);
			}),
		);
	});

	test('that is dirty, hibernated or cut off says so', async () => {
		const image = volume();
		makeNtfs(image, '8M');
		addFile(image, 'hiberfil.sys', 'hibr'.padEnd(4096, 'x'));
		const bytes = fs.readFileSync(image);
		expect(await open(bytes)).toMatchObject({ clean: false, state: ['hibernated'] });
		bytes.set(Buffer.from('wake'), bytes.indexOf('hibrxxxx'));
		expect(await open(bytes)).toMatchObject({ clean: true, state: [] });
		const information = bytes.indexOf(Buffer.from('03010000', 'hex'), bytes.readUInt32LE(0x30) * 4096 + 3 * 1024);
		bytes[information + 2] = 1;
		expect(await open(bytes)).toMatchObject({ clean: false, state: ['dirty'] });
		expect((await open(bytes.subarray(0, 7 << 20))).state).toContain('larger-than-device');
	});

	test('that is damaged is read or refused, and soon', async () => {
		const image = volume();
		makeNtfs(image, '2M');
		for (let index = 0; index < 12; index++) addFile(image, `a file with a long name ${index}`, 'x'.repeat(index * 200));
		for (let index = 0; index < 12; index++) addStream(image, 'a file with a long name 3', `stream ${index}`, 'y'.repeat(200));
		await survivesDamage(
			fs.readFileSync(image),
			async (damaged) => {
				const opened = await open(damaged);
				await opened.find?.(await opened.root(), 'a file with a long name 7');
				await contentsOf(opened, 300);
			},
			{ runs: 150 },
		);
	});
});

test('what is no NTFS volume is refused', async () => {
	await expect(open(new Uint8Array(4096))).rejects.toThrow(CorruptError);
});

describe('LZNT1', () => {
	test('unpacks what is packed', () => {
		const text = fc
			.array(fc.constantFrom('a', 'b', 'abc', 'a longer piece of text '), { maxLength: 1500 })
			.map((parts) => Buffer.from(parts.join('')));
		fc.assert(
			fc.property(text, (bytes) => {
				expect(Buffer.compare(unpackLznt1(packLznt1(bytes), bytes.length, ''), bytes)).toBe(0);
			}),
			{ numRuns: 50 },
		);
	});

	test('refuses what refers to nothing, or ends after its unit', () => {
		expect(() => unpackLznt1(Uint8Array.of(0x02, 0xb0, 0x01, 0x00, 0x10), 4096, '')).toThrow(CorruptError);
		expect(() => unpackLznt1(Uint8Array.of(0xff, 0xbf, 0, 0), 4096, '')).toThrow(CorruptError);
	});
});

const utf16 = (text: string) => Buffer.from(text, 'utf16le');

describe('a reparse point', () => {
	const link = (tag: number, flags: number | undefined, target: string): Uint8Array => {
		const name = utf16(target);
		const head = Buffer.alloc(flags === undefined ? 16 : 20);
		head.writeUInt32LE(tag);
		head.writeUInt16LE(name.length, 10);
		if (flags !== undefined) head.writeUInt32LE(flags, 16);
		return Buffer.concat([head, name]);
	};

	test('is a link with its target, of which the relative ones have slashes', () => {
		expect(decodeReparse(link(0xa000_000c, 1, '..\\a\\b'), '')).toEqual({ kind: 'link', target: '../a/b' });
		expect(decodeReparse(link(0xa000_000c, 0, '\\??\\C:\\a'), '')).toEqual({ kind: 'link', target: '\\??\\C:\\a' });
		expect(decodeReparse(link(0xa000_0003, undefined, '\\??\\C:\\Users'), '')).toEqual({ kind: 'link', target: '\\??\\C:\\Users' });
	});

	test('of another kind is named', () => {
		const wof = Buffer.alloc(24);
		for (const [at, value] of [
			[0, 0x8000_0017],
			[8, 1],
			[12, 2],
			[16, 1],
			[20, 1],
		] as const)
			wof.writeUInt32LE(value, at);
		expect(decodeReparse(wof, '')).toEqual({ kind: 'other', what: 'compressed by the Windows overlay filter (LZX)' });
		const other = Buffer.alloc(8);
		other.writeUInt32LE(0x9000_701a);
		expect(decodeReparse(other, '')).toEqual({ kind: 'other', what: 'a reparse point of tag 0x9000701a' });
		expect(() => decodeReparse(other.subarray(0, 3), '')).toThrow(CorruptError);
	});
});

test('the log is closed where no client uses it, where it says so, and where it was emptied', async () => {
	const peek = (bytes: Uint8Array) => async (at: number, length: number) => bytes.subarray(at, at + length);
	const page = (sequence: number, usedClients: number, flags: number): Buffer => {
		const bytes = Buffer.alloc(4096);
		bytes.write('RSTR');
		bytes.writeUInt16LE(0x30, 0x18);
		bytes.writeUInt32LE(sequence, 0x30);
		bytes.writeUInt16LE(usedClients, 0x3c);
		bytes.writeUInt16LE(flags, 0x3e);
		return bytes;
	};
	expect(await logClosed(peek(new Uint8Array(8192).fill(0xff)))).toBe(true);
	expect(await logClosed(peek(Buffer.concat([page(1, 0, 0), page(2, 0xffff, 0)])))).toBe(true);
	expect(await logClosed(peek(Buffer.concat([page(3, 0, 0), page(2, 0xffff, 0)])))).toBe(false);
	expect(await logClosed(peek(Buffer.concat([page(3, 0, 2), page(2, 0, 0)])))).toBe(true);
	expect(await logClosed(peek(new Uint8Array(8192)))).toBe(false);
	expect(await hibernated(peek(utf16('')))).toBe(false);
	expect(await hibernated(peek(Buffer.from('HIBR')))).toBe(true);
});
