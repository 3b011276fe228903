import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import type { Source } from '../../src/core/source.ts';

/** Images of other software and damaged ones, with a manifest; not part of this project. */
export const corpus = path.resolve(process.env['VCONV_CORPUS'] ?? '../shared/corpus');

/** A row of its MANIFEST.tsv. */
export type Row = {
	/** Below the corpus, unpacked. */
	readonly file: string;
	/**
	 * `ok`: it is converted, and the content is right. `refuse`: it is refused with a sentence, and nothing is left. `either` of the two.
	 * `bounded`: whatever comes out, it comes soon.
	 */
	readonly expected: 'ok' | 'refuse' | 'either' | 'bounded';
	/** Virtual size in bytes; undefined where the manifest does not say. */
	readonly size: number | undefined;
	/** SHA-256 of the guest's bytes: one of these. */
	readonly sha256: readonly string[];
	/** SHA-256 of the blocks that are not all zeros, see `digestOfBlocks`; '' where the manifest does not say. */
	readonly ofBlocks: string;
};

/** The parts of the corpus that are disk images. */
const DISKS = /^(images\/|guests\/|malformed\/(qcow2|vmdk|vhd|vhdx|vdi|raw|parallels|qed|qemu-image-fuzzer|collected)).*(?<!\.txt)$/;

/** All disk images of the corpus; none where it is absent. */
export const diskRows = (): readonly Row[] => {
	const manifest = path.join(corpus, 'MANIFEST.tsv');
	if (!fs.existsSync(manifest)) return [];
	const lines = fs.readFileSync(manifest, 'utf8').split('\n').slice(1);
	return lines.flatMap((line) => {
		const [file = '', expected = '', , size, sha256 = '', ofBlocks = '', , , , , notes = ''] = line.split('\t');
		if (!DISKS.test(file) || !['ok', 'refuse', 'either', 'bounded'].includes(expected)) return [];
		const accepted = [...notes.matchAll(/also accepted: \d+ bytes sha256 ([0-9a-f]{64})/g)].map(([, hash = '']) => hash);
		return {
			file: file.replace(/\.gz$/, ''),
			expected: expected as Row['expected'],
			size: size ? Number(size) : undefined,
			sha256: [...(sha256 ? [sha256] : []), ...accepted],
			ofBlocks: /^[0-9a-f]{64}$/.test(ofBlocks) ? ofBlocks : '',
		};
	});
};

/** Unpack the folder of a row below `to`: its files belong together. Gives what is in it then. */
export const unpackFolder = async (folder: string, to: string): Promise<readonly string[]> => {
	const target = path.join(to, folder);
	fs.mkdirSync(target, { recursive: true });
	for (const entry of fs.readdirSync(path.join(corpus, folder), { withFileTypes: true })) {
		if (!entry.isFile()) continue;
		const from = path.join(corpus, folder, entry.name);
		if (entry.name.endsWith('.gz'))
			await pipeline(fs.createReadStream(from), zlib.createGunzip({ chunkSize: BLOCK }), holes(path.join(target, entry.name.slice(0, -3))));
		else fs.copyFileSync(from, path.join(target, entry.name));
	}
	return filesIn(target);
};

/** The names of the files in a folder. */
export const filesIn = (folder: string): readonly string[] =>
	fs
		.readdirSync(folder, { withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map(({ name }) => name)
		.sort();

const BLOCK = 65536;
const ZEROS = Buffer.alloc(BLOCK);

const isZero = (bytes: Uint8Array): boolean => Buffer.compare(bytes, ZEROS.subarray(0, bytes.length)) === 0;

/** Writes a file in which zeros become holes. */
const holes =
	(name: string) =>
	async (chunks: AsyncIterable<Buffer>): Promise<void> => {
		const fd = fs.openSync(name, 'w');
		let at = 0;
		for await (const chunk of chunks) {
			if (!isZero(chunk)) fs.writeSync(fd, chunk, 0, chunk.length, at);
			at += chunk.length;
		}
		fs.ftruncateSync(fd, at);
		fs.closeSync(fd);
	};

/** SHA-256 of all bytes. */
export const digest = async (source: Source): Promise<string> => {
	const hash = createHash('sha256');
	for (let at = 0; at < source.size; at += 1 << 20) hash.update(await source.read(at, Math.min(1 << 20, source.size - at)));
	return hash.digest('hex');
};

/** SHA-256 of the offset (64 bits, little-endian) and the bytes of every block of 64 KiB that is not all zeros. */
export const digestOfBlocks = async (source: Source): Promise<string> => {
	const hash = createHash('sha256');
	const offset = Buffer.alloc(8);
	const runs = source.allocated?.(0, source.size) ?? [{ offset: 0, length: source.size }];
	let next = 0;
	for await (const run of runs) {
		for (let at = Math.max(next, run.offset - (run.offset % BLOCK)); at < run.offset + run.length; at += BLOCK) {
			const bytes = await source.read(at, Math.min(BLOCK, source.size - at));
			next = at + BLOCK;
			if (isZero(bytes)) continue;
			offset.writeBigUInt64LE(BigInt(at));
			hash.update(offset).update(bytes);
		}
	}
	return hash.digest('hex');
};
