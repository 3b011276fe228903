import { spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { convertFile } from '../../src/node/convert.ts';
import { dist } from '../helpers/dist.ts';
import { fixedStamp } from '../helpers/image.ts';
import { patternBytes } from '../helpers/pattern.ts';
import { temporaryFolder } from '../helpers/programs.ts';

const MiB = 1 << 20;
const THOROUGH = Boolean(process.env['VCONV_THOROUGH']);
const KILLS = THOROUGH ? 25 : 2;
/** Enough that a run is not over before its first checkpoint. */
const SIZE = (THOROUGH ? 128 : 16) * MiB;

/** One conversion, which says how far it is; with the stamp of `fixedStamp`, and checkpoints at every MiB. */
const PROGRAM = `
import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
const [dist, input, output, wanted] = process.argv.slice(2);
const { convertFile } = await import(pathToFileURL(dist + '/src/node/index.js').href);
let id = 1;
await convertFile(input, output, {
	...JSON.parse(wanted),
	threads: 2,
	stamp: { now: new Date('2026-01-02T03:04:05Z'), id: () => new Uint8Array(16).fill(id++) },
	checkpoints: { bytes: ${MiB}, ms: 20 },
	onProgress: ({ done }) => writeSync(1, done + '\\n'),
});
`;

const makeSource = (name: string): string => {
	const fd = fs.openSync(name, 'w');
	for (let at = 0, i = 0; at < SIZE; at += 192 * 1024, i++) {
		const length = Math.min(192 * 1024, SIZE - at);
		if (i % 3 < 2) fs.writeSync(fd, i % 3 === 0 ? patternBytes(at, length) : randomBytes(length), 0, length, at);
	}
	fs.ftruncateSync(fd, SIZE);
	fs.closeSync(fd);
	return name;
};

/** Run the program, killed when it has come to a guest offset or soon after; the exit code, null if it was killed, and where it began. */
const convert = (input: string, output: string, wanted: object, killAt: number): Promise<{ code: number | null; begun: number }> => {
	const child = spawn(process.execPath, [`${input}.mjs`, dist, input, output, JSON.stringify(wanted)], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	onTestFinished(() => void child.kill('SIGKILL'));
	let begun: number | undefined;
	child.stdout.on('data', (text: Buffer) => {
		const lines = text.toString().trim().split('\n').map(Number);
		begun ??= lines[0];
		if ((lines.at(-1) ?? 0) >= killAt) setTimeout(() => child.kill('SIGKILL'), randomInt(8));
	});
	return new Promise((resolve) => child.on('close', (code) => resolve({ code, begun: begun ?? 0 })));
};

test.for<[string, object]>([
	['raw', {}],
	['qcow2', {}],
	['qcow2', { compress: true }],
	['qcow2', { proof: true, verify: 'full' }],
	['vmdk', { options: { subformat: 'twoGbMaxExtentSparse' } }],
	['vhd', {}],
	['vhdx', {}],
	['vdi', {}],
])('%s %o: killed again and again, it becomes the image of an undisturbed run', { timeout: 300_000 }, async ([format, more]) => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	const wanted = { ...more, format };
	for (const name of ['whole', 'killed']) fs.mkdirSync(at(name));
	makeSource(at('in.raw'));
	fs.writeFileSync(at('in.raw.mjs'), PROGRAM);
	await convertFile(at('in.raw'), at('whole/disk'), { ...wanted, stamp: fixedStamp() });
	const files = fs.readdirSync(at('whole'));
	const isWhole = () => files.every((file) => fs.readFileSync(at(`killed/${file}`)).equals(fs.readFileSync(at(`whole/${file}`))));
	let resumed = 0;
	for (let kills = 0; ; kills++) {
		const killAt = kills < KILLS ? randomInt(SIZE) : Number.POSITIVE_INFINITY;
		const { code, begun } = await convert(at('in.raw'), at('killed/disk'), wanted, killAt);
		if (begun > MiB) resumed++;
		const named = fs.existsSync(at('killed/disk'));
		expect(named ? isWhole() : code).toBe(named ? true : null);
		if (code === 0) break;
		if (named) for (const file of fs.readdirSync(at('killed'))) fs.rmSync(at(`killed/${file}`)); // killed when it was done
	}
	expect(fs.readdirSync(at('killed'))).toEqual(files);
	if (THOROUGH) expect(resumed).toBeGreaterThan(0);
});
