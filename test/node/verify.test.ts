import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type ConvertFileOptions, convertFile } from '../../src/node/convert.ts';
import { parseProof } from '../../src/proof/file.ts';
import { patternBytes } from '../helpers/pattern.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { slowRoot } from '../helpers/tree.ts';

const MiB = 1 << 20;

/** Data that packs, data that does not, zeros and holes; whole MiB of zeros too. */
const makeSource = (name: string, size = 7 * MiB + 512 * 9): Buffer => {
	const bytes = Buffer.alloc(size);
	for (let at = 0, i = 0; at < size; at += 96 * 1024, i++) {
		const length = Math.min(96 * 1024, size - at);
		const part = [undefined, patternBytes(at, length), undefined, randomBytes(length)][i % 4];
		if (part) bytes.set(part, at);
	}
	bytes.fill(0, 2 * MiB, 4 * MiB + 70_000);
	fs.writeFileSync(name, bytes);
	return bytes;
};

const rootOf = (proof: string): string => Buffer.from(parseProof(fs.readFileSync(proof), proof).root).toString('hex');

const SHAPES: readonly ConvertFileOptions[] = [
	{ format: 'raw' },
	{ format: 'raw', options: { sparse: '0' } },
	{ format: 'qcow2' },
	{ format: 'qcow2', options: { cluster_size: '2M' } },
	{ format: 'qcow2', compress: true },
	{ format: 'vmdk' },
	{ format: 'vmdk', options: { subformat: 'streamOptimized' } },
	{ format: 'vmdk', options: { subformat: 'monolithicFlat' } },
	{ format: 'vhdx' },
	{ format: 'vdi' },
	{ format: 'vhd', options: { force_size: 'on' } },
];

test.for(SHAPES)('as %o it is verified, and has the root of the raw disk', async (shape) => {
	const at = (name: string) => path.join(folder, name);
	const folder = temporaryFolder();
	const bytes = makeSource(at('in.raw'));
	const { size } = await convertFile(at('in.raw'), at('out'), { ...shape, proof: true, verify: 'full', durable: false });
	const disk = Buffer.alloc(size);
	bytes.copy(disk);
	expect(rootOf(at('out.vconv.json'))).toBe(slowRoot(disk));
	expect(fs.statSync(at('out.vconv.json')).mode & 0o777).toBe(0o600);
	expect(fs.readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
});
