import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { fromDist } from '../helpers/dist.ts';
import { patternBytes } from '../helpers/pattern.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { slowRoot } from '../helpers/tree.ts';

const MiB = 1 << 20;
const { nodeMover, openFile, sha256 } = await fromDist<typeof import('../../src/node/index.ts')>('src/node/index.js');
const { diskFormats, hashDisk, openLayer, treeRoot } = await fromDist<typeof import('../../src/index.ts')>('src/index.js');

test.for([1, 3])('%i threads come to the same root', async (threads) => {
	const name = path.join(temporaryFolder(), 'disk.raw');
	const bytes = Buffer.alloc(40 * MiB + 512);
	for (let at = 0; at < bytes.length; at += 3 * MiB) bytes.set(patternBytes(at, Math.min(2 * MiB - 512, bytes.length - at)), at);
	fs.writeFileSync(name, bytes);
	const gate = () => Promise.reject(new Error('it names no file'));
	const { disk } = await openLayer(await openFile(name), { formats: diskFormats, format: 'raw', gate });
	const root = await treeRoot(await hashDisk(disk, { mover: nodeMover({ threads }), sha256 }), sha256);
	await disk.close();
	expect(Buffer.from(root).toString('hex')).toBe(slowRoot(bytes));
});
