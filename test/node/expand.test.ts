import { execFileSync } from 'node:child_process';
import zlib from 'node:zlib';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Expander, Expanders } from '../../src/core/expand.ts';
import { portableExpanders } from '../../src/engine/expand.ts';
import { byteStream } from '../../src/io/byte-stream.ts';
import { has } from '../helpers/programs.ts';

/** Text, zeros and noise: more than one block of each. */
const CONTENT = Buffer.concat([Buffer.from('vconv\n'.repeat(50_000)), Buffer.alloc(1 << 21), zlib.deflateRawSync(noise(400_000))]);

function noise(length: number): Buffer {
	const bytes = Buffer.alloc(length);
	for (let i = 0, state = 1; i < length; i++) {
		state = (state * 48271) % 0x7fffffff;
		bytes[i] = state >> 8;
	}
	return bytes;
}

const BEHIND = Buffer.from('what follows the stream');

const PACKED = [
	['gzip', () => zlib.gzipSync(CONTENT)],
	['zstd', () => execFileSync('zstd', ['-q', '-c', '-9'], { input: CONTENT, maxBuffer: 1 << 26 })],
] as const;

/** All that the expander gives, and what is left behind it. */
const expand = async (expander: Expander | undefined, bytes: Buffer, piece = 70_000): Promise<[content: Buffer, rest: Buffer]> => {
	if (!expander) throw new Error('there is no such expander');
	let at = 0;
	const stream = byteStream(async () => {
		if (at >= bytes.length) return undefined;
		at += piece;
		return bytes.subarray(at - piece, at);
	});
	const parts = [];
	for await (const part of expander(stream)) parts.push(part);
	return [Buffer.concat(parts), Buffer.from(await stream.take(1000))];
};

describe.for([
	['that run anywhere', async () => portableExpanders],
	['of Node, with koffi', async () => (await import('../../src/node/expand.ts')).nodeExpanders()],
	[
		'of Node, without koffi',
		async () => {
			vi.doMock('../../src/node/native.ts', () => ({ native: () => undefined }));
			return (await import('../../src/node/expand.ts')).nodeExpanders();
		},
	],
] as const)('expanders %s', ([, load]) => {
	let expanders: Expanders;
	beforeEach(async () => {
		vi.resetModules();
		vi.doUnmock('../../src/node/native.ts');
		expanders = await load();
	});

	for (const [method, pack] of PACKED) {
		describe.skipIf(!has(method))(method, () => {
			test('give what was packed, and leave what follows', async () => {
				const packed = pack();
				for (const piece of [70_000, packed.length]) {
					const [content, rest] = await expand(expanders[method], Buffer.concat([packed, BEHIND]), piece);
					expect(content.equals(CONTENT)).toBe(true);
					expect(rest).toEqual(BEHIND);
				}
				expect((await expand(expanders[method], packed))[1]).toHaveLength(0);
			});

			test('end with an error where a stream is cut short or damaged', async () => {
				const packed = pack();
				await expect(expand(expanders[method], packed.subarray(0, packed.length / 2))).rejects.toThrow('cut short');
				for (const at of [packed.length >> 1, packed.length - 3000]) {
					const damaged = Buffer.from(packed).fill(0xff, at, at + 40);
					// Contents are not checked against checksums everywhere: names of files are all that is wanted of them.
					const content = await expand(expanders[method], damaged).then(
						([bytes]) => bytes.length,
						(error: Error) => error.message,
					);
					expect([CONTENT.length, expect.any(String)]).toContainEqual(content);
				}
			});

			test('stop when nobody wants more', async () => {
				const bytes = pack();
				const stream = byteStream(async () => bytes);
				for await (const part of expanders[method]?.(stream) ?? []) {
					expect(part.length).toBeGreaterThan(0);
					break;
				}
			});
		});
	}
});

test('the expanders of Node are made once', async () => {
	vi.resetModules();
	const native = vi.fn();
	vi.doMock('../../src/node/native.ts', () => ({ native }));
	const { nodeExpanders } = await import('../../src/node/expand.ts');
	expect(nodeExpanders()).toBe(nodeExpanders());
	expect(native.mock.calls.length).toBeLessThanOrEqual(1);
	vi.doUnmock('../../src/node/native.ts');
});
