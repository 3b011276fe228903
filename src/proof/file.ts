import { hexDigits } from '../bytes/hex.ts';
import type { LeafRun } from '../core/proof.ts';
import { CorruptError, UnsupportedError } from '../errors.ts';
import { BLOCK, HASH, type Leaves } from './leaves.ts';
import { TREE } from './tree.ts';

/** What a proof says of a disk. */
export type Proof = {
	/** What made it, as `vconv 1.0.0`. */
	readonly tool: string;
	/** When the conversion began, as ISO 8601 has it. */
	readonly created: string;
	/** What was read, by its plain name. */
	readonly source: string;
	/** What was written, by its plain name, and the id of its format. */
	readonly target: { readonly name: string; readonly format: string };
	/** Virtual size in bytes. */
	readonly virtualSize: number;
	/** Of the tree, 32 bytes. */
	readonly root: Uint8Array;
	/** Undefined for a disk with more data than a proof has room for: then nobody can say where a copy differs. */
	readonly leaves: Leaves | undefined;
};

/** The proof of an image has its name and this. */
export const PROOF = '.vconv.json';

/** No proof is longer, in bytes. */
export const MOST_BYTES = 64 * 1024 * 1024;

/** A proof has no more leaves than this, which are 1 TiB of data, and no more entries: then it is shorter than `MOST_BYTES`. */
const MOST_LEAVES = 1024 * 1024;
const MOST_ENTRIES = 128 * 1024;

/** Leaves of one entry: short enough for any JSON reader, and without a rest in base64. */
const PER_ENTRY = 768;

/** Entries of the list of leaves: so many blocks of zeros, or the hashes of blocks that adjoin, in base64. */
type Entry = readonly ['z', number] | readonly ['h', string];

/** Whether a file that begins like this is a proof of vconv's, of any version. */
export const isProof = (head: Uint8Array): boolean => /^\s*\{\s*"v":\s*\d+,\s*"tool":\s*"vconv /.test(new TextDecoder().decode(head));

/** A proof as the text of its file: JSON, the same for the same proof. */
export const printProof = (proof: Proof): string => {
	const { tool, created, source, target, virtualSize, root } = proof;
	const leaves = proof.leaves && entriesOf(proof.leaves);
	const tree = { algorithm: TREE, blockSize: BLOCK, root: hexDigits(root), ...(leaves && { leaves }) };
	return `${JSON.stringify({ v: 1, tool, created, source: { name: source }, target, virtualSize, tree })}\n`;
};

/** As entries; undefined where there are too many. */
const entriesOf = ({ size, runs }: Leaves): readonly Entry[] | undefined => {
	if (runs.reduce((sum, { hashes }) => sum + hashes.length / HASH, 0) > MOST_LEAVES) return undefined;
	const entries: Entry[] = [];
	let next = 0;
	const zeros = (until: number): void => {
		if (until > next) entries.push(['z', until - next]);
	};
	for (const { block, hashes } of runs) {
		zeros(block);
		for (let at = 0; at < hashes.length; at += PER_ENTRY * HASH) {
			entries.push(['h', btoa(String.fromCharCode(...hashes.subarray(at, at + PER_ENTRY * HASH)))]);
		}
		next = block + hashes.length / HASH;
		if (entries.length > MOST_ENTRIES - 2) return undefined;
	}
	zeros(Math.ceil(size / BLOCK));
	return entries;
};

/**
 * What the file of a proof says. That its root is that of its leaves is not looked at: see `verifyDisk`.
 * @throws CorruptError for what is no proof, UnsupportedError for one of a later version.
 */
export const parseProof = (bytes: Uint8Array, path: string): Proof => {
	const refuse = (field: string, what: string): never => {
		throw new CorruptError(`it is no proof: ${what}`, { path, field, hint: 'the .vconv.json that vconv convert --proof has written' });
	};
	if (bytes.length > MOST_BYTES) refuse('', `it is longer than ${MOST_BYTES} bytes`);
	// Before anything is made of them: each bracket may become an object.
	let marks = 0;
	for (const byte of bytes) {
		if (byte !== 0x5b && byte !== 0x7b && byte !== 0x2c) continue;
		if (++marks > 3 * MOST_ENTRIES + 100_000) refuse('', 'it has more entries than any');
	}
	let json: unknown;
	try {
		json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
	} catch {
		refuse('', 'it is not JSON');
	}

	const object = (value: unknown, field: string, keys: readonly string[]): Readonly<Record<string, unknown>> => {
		if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(field, 'an object is missing');
		const strange = Object.keys(value).find((key) => !keys.includes(key));
		if (strange !== undefined) refuse(field === '' ? strange.slice(0, 100) : `${field}.${strange.slice(0, 100)}`, 'there is no such field');
		return value as Record<string, unknown>;
	};
	const text = (value: unknown, field: string): string =>
		typeof value === 'string' && value.length <= MOST_TEXT ? value : refuse(field, 'a text is missing');

	const top = object(json, '', ['v', 'tool', 'created', 'source', 'target', 'virtualSize', 'tree']);
	if (top['v'] !== 1) {
		if (typeof top['v'] !== 'number') refuse('v', 'a version is missing');
		throw new UnsupportedError(`it is a proof of version ${top['v']}, and this vconv knows version 1`, { path, field: 'v' });
	}
	const source = object(top['source'], 'source', ['name']);
	const target = object(top['target'], 'target', ['name', 'format']);
	const tree = object(top['tree'], 'tree', ['algorithm', 'blockSize', 'root', 'leaves']);
	const size = top['virtualSize'];
	if (!Number.isSafeInteger(size) || (size as number) < 0) refuse('virtualSize', 'a size in bytes is missing');
	if (tree['algorithm'] !== TREE || tree['blockSize'] !== BLOCK) {
		throw new UnsupportedError(`its tree is none that this vconv knows, which is ${TREE}`, { path, field: 'tree.algorithm' });
	}
	const root = text(tree['root'], 'tree.root');
	if (!/^[0-9a-f]{64}$/.test(root)) refuse('tree.root', '64 hexadecimal digits are missing');
	return {
		tool: text(top['tool'], 'tool'),
		created: text(top['created'], 'created'),
		source: text(source['name'], 'source.name'),
		target: { name: text(target['name'], 'target.name'), format: text(target['format'], 'target.format') },
		virtualSize: size as number,
		root: Uint8Array.from(root.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)),
		leaves: tree['leaves'] === undefined ? undefined : leavesFrom(tree['leaves'], size as number, (what) => refuse('tree.leaves', what)),
	};
};

/** Characters of a name. */
const MOST_TEXT = 4096;

const leavesFrom = (entries: unknown, size: number, refuse: (what: string) => never): Leaves => {
	if (!Array.isArray(entries)) return refuse('it is not a list');
	const count = Math.ceil(size / BLOCK);
	const runs: LeafRun[] = [];
	let block = 0;
	for (const entry of entries as readonly unknown[]) {
		const [kind, value, ...more] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
		if (more.length > 0) refuse('an entry has more than two parts');
		if (kind === 'z' && Number.isSafeInteger(value) && (value as number) > 0) block += value as number;
		else if (kind === 'h' && typeof value === 'string') {
			const hashes = fromBase64(value);
			if (!hashes || hashes.length === 0 || hashes.length % HASH !== 0) return refuse('an entry is not whole hashes in base64');
			runs.push({ block, hashes });
			block += hashes.length / HASH;
		} else refuse('an entry is neither zeros nor hashes');
		if (block > count) refuse('it has more blocks than the disk');
	}
	if (block !== count) refuse('it has fewer blocks than the disk');
	return { size, runs };
};

const fromBase64 = (text: string): Uint8Array | undefined => {
	try {
		return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
	} catch {
		return undefined;
	}
};
