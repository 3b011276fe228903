import { describe, expect, test } from 'vitest';
import { CorruptError, UnsupportedError } from '../../../src/errors.ts';
import { openHive } from '../../../src/guest/registry/hive.ts';
import type { Key } from '../../../src/guest/registry/keys.ts';
import { marvin32 } from '../../../src/guest/registry/marvin.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { type Keys, makeHive, makeLog } from './make.ts';

const open = async (hive: Uint8Array, ...logs: Uint8Array[]) =>
	openHive(
		memorySource(hive, 'SYSTEM'),
		logs.map((log) => memorySource(log, 'LOG')),
	);

const many = (count: number): Keys => Object.fromEntries(Array.from({ length: count }, (_, index) => [`key ${index}`, { number: index }]));

const CONTENT: Keys = {
	Select: { Current: 1 },
	ControlSet001: {
		Services: { viostor: { Start: 0, ImagePath: 'System32\\drivers\\viostor.sys', StartOverride: { '0': 3 } } },
		Names: { Zürich: {}, Ελλάδα: {} },
		texts: ['one', 'two'],
		bytes: Uint8Array.of(1, 2, 3, 4, 5, 6),
		big: new Uint8Array(40_000).map((_, index) => index % 251),
	},
};

describe('a registry hive', () => {
	test.for(['lf', 'lh', 'li', 'ri'] as const)('has its keys found and listed in lists of kind %s', async (list) => {
		const { root, state } = await open(makeHive({ many: many(35), ...CONTENT }, { list }));
		expect(state).toBe('clean');
		expect(await (await root.key('MANY\\Key 34'))?.number('Number')).toBe(34);
		expect(await root.key('many\\key 35')).toBeUndefined();
		const names = ((await (await root.key('many'))?.keys()) ?? []).map(({ name }) => name);
		expect(names.toSorted()).toEqual(Object.keys(many(35)).toSorted());
	});

	test('has values of every type read as what they are, and of no other', async () => {
		const { root } = await open(makeHive(CONTENT));
		const set = (await root.key('ControlSet001')) as Key;
		expect(await set.texts('texts')).toEqual(['one', 'two']);
		expect(await set.text('texts')).toBeUndefined();
		expect(await set.number('bytes')).toBeUndefined();
		const viostor = await set.key('Services\\viostor');
		expect(viostor?.path).toBe('ControlSet001\\Services\\viostor');
		expect(await viostor?.text('imagepath')).toBe('System32\\drivers\\viostor.sys');
		expect(await viostor?.number('Start')).toBe(0);
		expect(await viostor?.text('Start')).toBeUndefined();
		expect(((await (await set.key('Names'))?.keys()) ?? []).map(({ name }) => name)).toEqual(['Zürich', 'Ελλάδα']);
	});

	test('has a value in several cells put together', async () => {
		const set = (await (await open(makeHive(CONTENT))).root.key('ControlSet001')) as Key;
		const big = (await set.values()).find(({ name }) => name === 'big');
		expect(Buffer.compare((await big?.data()) ?? new Uint8Array(), CONTENT['ControlSet001']?.['big' as never] ?? new Uint8Array())).toBe(0);
	});

	test('that is none, or of another version, is refused', async () => {
		const hive = makeHive({});
		await expect(open(new Uint8Array(8192))).rejects.toThrow(CorruptError);
		await expect(open(hive.slice(0, 4096))).rejects.toThrow(/bins have/);
		const later = hive.slice();
		later[20] = 2;
		await expect(open(later)).rejects.toThrow(UnsupportedError);
	});
});

describe('a hive that was not written whole', () => {
	const states = [0, 1, 2, 3].map((Start) => makeHive({ Start, Services: { filler: 'x'.repeat(3000 * Start) } }, { dirty: true }));
	const [first = new Uint8Array(), second = new Uint8Array(), third = new Uint8Array(), last = new Uint8Array()] = states;

	test('is read as its logs make it, whichever of them is the older', async () => {
		const older = makeLog([first, second, third], 7);
		const newer = makeLog([third, last], 9);
		for (const logs of [
			[older, newer],
			[newer, older],
		]) {
			const hive = await open(first, ...logs);
			expect(hive.state).toBe('replayed');
			expect(await hive.root.number('Start')).toBe(3);
			expect((await (await hive.root.key('Services'))?.text('filler'))?.length).toBe(9000);
		}
	});

	test('is read up to the entry that is torn', async () => {
		const log = makeLog(states, 7);
		log[log.length - 100] = 0x55;
		expect(await (await open(first, log)).root.number('Start')).toBe(2);
	});

	test('is not changed by entries of before its last write, nor behind a gap', async () => {
		expect((await open(first, makeLog([last, second], 3))).state).toBe('dirty');
		expect(await (await open(first, makeLog([first, second], 7), makeLog([second, last], 11))).root.number('Start')).toBe(1);
	});

	test('without such a log is read as it stands, and says so', async () => {
		const old = new Uint8Array(4096);
		old.set(first.subarray(0, 512));
		old.set(Buffer.from('DIRT'), 512);
		expect(await open(first)).toMatchObject({ state: 'dirty', why: expect.stringContaining('do not have the rest') });
		expect(await open(first, old)).toMatchObject({ state: 'dirty', why: expect.stringContaining('does not apply') });
	});

	test('is not believed where its first block is damaged', async () => {
		const hive = makeHive({ Start: 1 });
		hive[300] = 1;
		expect(await open(hive)).toMatchObject({ state: 'dirty', why: expect.stringContaining('checksum') });
	});
});

test('Marvin32 is as published', () => {
	const seed = { high: 0x004fb61a, low: 0x001bdbcc };
	for (const [data, hash] of [
		['', '30ed35c100cd3c7d'],
		['af', '48e73fc77d75ddc1'],
		['37f495', 'f0b07c789b8cf7e8'],
		['8642dc59', '7008f2e87e9cf556'],
		['ab427ea8d10fc7', 'e11847e4f0678c41'],
	] as const) {
		expect(marvin32(Buffer.from(data, 'hex'), seed)).toBe(hash);
	}
});
