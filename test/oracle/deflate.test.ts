import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { deflater } from '../../src/deflate/deflater.ts';
import { has, temporaryFolder } from '../helpers/programs.ts';

const INFLATE = `
import sys, zlib
bits, packed, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]
inflate = zlib.decompressobj(bits)
data = open(packed, 'rb').read()
# A little at a time: what is further back than the window is gone then.
got = b''.join(inflate.decompress(data[at:at + 32]) for at in range(0, len(data), 32)) + inflate.flush()
sys.exit(0 if inflate.eof and not inflate.unused_data and got == open(name, 'rb').read() else 1)
`;

test.skipIf(!has('python3'))('zlib inflates what we deflate, with no more than the window', () => {
	const folder = temporaryFolder();
	const original = path.join(folder, 'original');
	const packed = path.join(folder, 'packed');
	const program = fs.readFileSync(process.execPath).subarray(0, 2 ** 19); // real code, tables and text
	fs.writeFileSync(original, program);
	for (const level of [1, 3, 6]) {
		for (const [method, windowBits] of [
			['deflate', 12],
			['deflate', 15],
			['zlib', 12],
			['zlib', 15],
		] as const) {
			const output = Buffer.alloc(program.length);
			const length = deflater().pack({ method, windowBits, level }, program, 0, program.length, output, 0, output.length);
			expect(length).toBeGreaterThan(0);
			fs.writeFileSync(packed, output.subarray(0, length));
			const bits = method === 'deflate' ? -windowBits : windowBits;
			expect(spawnSync('python3', ['-c', INFLATE, String(bits), packed, original], { encoding: 'utf8' })).toMatchObject({
				status: 0,
				stderr: '',
			});
		}
	}
});
