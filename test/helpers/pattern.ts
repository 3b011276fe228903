import type { Disk, Extent } from '../../src/core/disk.ts';
import { memorySource } from '../../src/io/memory.ts';

/** `[guestOffset, length]` of each run of data, ascending. */
export type Runs = readonly (readonly [number, number])[];

/** Every 8 bytes hold their own guest offset (and a mark, so that none is zero): a wrong sector says where it came from. */
export const patternBytes = (guestOffset: number, length: number): Uint8Array => {
	const start = guestOffset - (guestOffset % 8);
	const words = new BigUint64Array(Math.ceil((guestOffset + length - start) / 8));
	for (let i = 0; i < words.length; i++) words[i] = (0xa5n << 56n) | BigInt(start + i * 8);
	return new Uint8Array(words.buffer).subarray(guestOffset - start, guestOffset - start + length);
};

/** A sparse disk of any size with pattern bytes where `data` says, without storing it. */
export const patternDisk = ({ size, data }: { readonly size: number; readonly data: Runs }): Disk => ({
	size,
	sectorSize: 512,
	info: { format: 'pattern' },
	async *extents(guestOffset, length) {
		const end = guestOffset + length;
		let at = guestOffset;
		for (const [offset, count] of data) {
			const start = Math.max(at, offset);
			const stop = Math.min(end, offset + count);
			if (start >= stop) continue;
			if (start > at) yield { kind: 'zero', offset: at, length: start - at };
			yield { kind: 'computed', offset: start, length: stop - start, read: async (o, n) => patternBytes(o, n) } satisfies Extent;
			at = stop;
		}
		if (at < end) yield { kind: 'zero', offset: at, length: end - at };
	},
	async close() {},
});

/** A disk in which compressible blocks of 4 KiB, such as do not compress, and zeros take turns in runs of many lengths. */
export const mixedDisk = (size: number): Disk => {
	const bytes = new Uint8Array(size);
	let state = 1;
	const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
	for (let at = 0; at < size; ) {
		const end = Math.min(size, at + 4096 * (1 + ((next() >>> 16) % 40)));
		const kind = (next() >>> 16) % 3;
		if (kind === 1) bytes.set(patternBytes(at, end - at), at);
		else if (kind === 2) for (let i = at; i < end; i++) bytes[i] = next() >>> 24;
		at = end;
	}
	return memoryDisk(bytes);
};

/** These bytes, all of them data. */
export const memoryDisk = (bytes: Uint8Array): Disk => {
	const source = memorySource(bytes);
	return {
		size: bytes.length,
		sectorSize: 512,
		info: { format: 'memory' },
		async *extents(guestOffset, length) {
			if (length > 0) yield { kind: 'data', offset: guestOffset, length, source, at: guestOffset };
		},
		async close() {},
	};
};
