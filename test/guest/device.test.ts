import { expect, test } from 'vitest';
import { pakoCodec } from '../../src/engine/pako.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { allowance, budgeted, diskDevice, mappedDevice, sliceDevice, sourceDevice } from '../../src/guest/device.ts';
import { memorySource } from '../../src/io/memory.ts';
import { deviceOf, diskOf } from './make-disk.ts';

const counting = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251);

test('reads are served from pages that are read once, even by readers who ask at the same time', async () => {
	const cost = { reads: 0, bytes: 0 };
	const device = sourceDevice(memorySource(counting), { cost });
	const parts = await Promise.all([device.read(10, 20), device.read(50, 100), device.read(65_530, 20)]);
	expect(parts).toEqual([counting.slice(10, 30), counting.slice(50, 150), counting.slice(65_530, 65_550)]);
	expect(cost).toEqual({ reads: 2, bytes: 3 * 16_384 });
});

test('no more pages are held than it was given, and what is read again is the same', async () => {
	const cost = { reads: 0, bytes: 0 };
	const device = sourceDevice(memorySource(counting), { cost, pages: 2 });
	for (const at of [0, 65_536, 131_072, 0, 262_144]) expect(await device.read(at, 100)).toEqual(counting.slice(at, at + 100));
	expect(cost.reads).toBe(5);
});

test('what reads as zeros costs nothing', async () => {
	const cost = { reads: 0, bytes: 0 };
	const device = diskDevice(await diskOf(2 ** 46, [[1 << 20, 'here']]), pakoCodec, { name: 'disk0', cost });
	expect(await device.read(2 ** 45, 1000)).toEqual(new Uint8Array(1000));
	expect(cost).toEqual({ reads: 0, bytes: 0 });
	expect(Buffer.from(await device.read(1 << 20, 4)).toString()).toBe('here');
});

test.each([
	[-1, 4],
	[299_990, 11],
	[0, 300_001],
	[0.5, 1],
	[Number.NaN, 1],
	[2 ** 53, 1],
])('%d and %d bytes are outside of a device of 300000', async (offset, length) => {
	const device = sourceDevice(memorySource(counting));
	const slice = sliceDevice(await deviceOf(1 << 20, []), 'part', 512, 300_000);
	for (const target of [device, slice]) await expect(target.read(offset, length)).rejects.toThrow(CorruptError);
});

test('no more than 64 MiB are read at once', async () => {
	const device = await deviceOf(2 ** 40, []);
	await expect(device.read(0, 2 ** 39)).rejects.toThrow(UnsupportedError);
});

test('a slice must be within its device', async () => {
	const device = await deviceOf(1 << 20, []);
	expect(() => sliceDevice(device, 'part', 1 << 19, 1 << 20)).toThrow(CorruptError);
	expect(() => sliceDevice(device, 'part', -512, 1024)).toThrow(CorruptError);
});

test('a mapped device is read across its segments, and refused where nothing is mapped', async () => {
	const device = sourceDevice(memorySource(counting));
	const mapped = mappedDevice({ name: 'lv', size: 30, sectorSize: 512 }, [
		{ start: 0, length: 10, device, at: 1000 },
		{ start: 10, length: 10, device, at: 0 },
	]);
	expect([...(await mapped.read(8, 4))]).toEqual([counting[1008], counting[1009], 0, 1]);
	await expect(mapped.read(15, 10)).rejects.toThrow(/nothing is mapped/);
});

test('a budget ends the reading, until it is renewed', async () => {
	const spent = allowance({ bytes: 1000, milliseconds: 10_000 });
	const device = budgeted(await deviceOf(1 << 20, []), spent);
	await device.read(0, 900);
	await expect(device.read(0, 200)).rejects.toThrow(/more than 1000 bytes/);
	spent.renew();
	expect(await device.read(0, 200)).toHaveLength(200);
	spent.renew();
	await device.read(0, 1000);
	spent.renew();
	await device.read(0, 600);
	spent.renew();
	await expect(device.read(0, 200)).rejects.toThrow(/3 times the limits/);
	await expect(budgeted(device, allowance({ bytes: 1000, milliseconds: -1 })).read(0, 1)).rejects.toThrow(/longer than/);
});

test('an aborted signal ends the reading with its reason', async () => {
	const controller = new AbortController();
	const device = budgeted(await deviceOf(1 << 20, []), allowance({ bytes: 1000, milliseconds: 10_000 }, controller.signal));
	controller.abort(new Error('enough'));
	await expect(device.read(0, 1)).rejects.toThrow('enough');
});
