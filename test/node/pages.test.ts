import { afterEach, expect, test, vi } from 'vitest';
import { pages, pagesOf } from '../../src/node/pages.ts';

afterEach(() => vi.unstubAllGlobals());

const isFresh = (bytes: Buffer): boolean => bytes.every((byte) => byte === 0);

test('pages have the size that was asked for, and begin a stretch of memory', () => {
	const bytes = pages(100_001);
	expect([bytes.length, bytes.byteOffset]).toEqual([100_001, 0]);
	expect(bytes.buffer.byteLength % 65_536).toBe(0);
	expect(isFresh(bytes)).toBe(true);
});

test('without WebAssembly, or addresses for it, any memory will do', () => {
	vi.stubGlobal('WebAssembly', undefined);
	expect(pages(100_001).length).toBe(100_001);
	vi.stubGlobal('WebAssembly', {
		Memory: function full() {
			throw new RangeError('WebAssembly.Memory(): could not allocate memory');
		},
	});
	expect(pages(100_001).length).toBe(100_001);
});

test('buffers that share a stretch begin on pages and do not overlap, however many are asked for', () => {
	const next = pagesOf(3, 5000);
	const buffers = Array.from({ length: 7 }, next);
	buffers.forEach((bytes, i) => {
		expect([bytes.length, bytes.byteOffset % 4096]).toEqual([5000, 0]);
		bytes.fill(i + 1);
	});
	expect(buffers.every((bytes, i) => bytes.every((byte) => byte === i + 1))).toBe(true);
});
