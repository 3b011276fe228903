import { CorruptError, UnsupportedError } from '../../errors.ts';
import type { Cells } from './cells.ts';
import { KEY_NAME_LATIN1, keyNode, NO_CELL } from './layout.ts';
import { readValue, type Value, valueNumber, valueText, valueTexts } from './values.ts';

/** Names have 255 characters at the most. */
const LONGEST_NAME = 512;

/** Subkeys or values that one key may have; no key that vconv asks for has a tenth of it. */
const MOST_ENTRIES = 1 << 17;

/** A key of a hive. Names are found whatever their case. */
export type Key = {
	readonly name: string;
	/** From the root of the hive, with backslashes, as it was asked for. */
	readonly path: string;
	/** The key at a path of names with backslashes between them; undefined if there is none. */
	key(path: string): Promise<Key | undefined>;
	keys(): Promise<readonly Key[]>;
	values(): Promise<readonly Value[]>;
	/** The text of a value; undefined if there is no such value or it is no text. */
	text(name: string): Promise<string | undefined>;
	texts(name: string): Promise<readonly string[] | undefined>;
	/** A DWORD. */
	number(name: string): Promise<number | undefined>;
};

/**
 * The key of an "nk" cell.
 * @param parent the path that leads to it, empty for the root.
 * @throws CorruptError.
 */
export const readKey = async (cells: Cells, offset: number, parent?: string): Promise<Key> => {
	const cell = await cells.reader(offset, keyNode.size + LONGEST_NAME);
	const node = keyNode.decode(cell.bytes(0, keyNode.size), cells.place(offset));
	if (node.signature !== 'nk') throw new CorruptError('a key is expected here', cells.place(offset));
	const name = node.flags & KEY_NAME_LATIN1 ? cell.latin1(keyNode.size, node.nameLength) : cell.utf16(keyNode.size, node.nameLength);
	const path = parent === undefined ? '' : parent === '' ? name : `${parent}\\${name}`;
	for (const [field, count] of [
		['subkeys', node.subkeys],
		['values', node.values],
	] as const) {
		if (count > MOST_ENTRIES) throw new UnsupportedError(`a key with ${count} ${field}`, { ...cells.place(offset), field });
	}

	const subkeys = async (wanted?: string): Promise<readonly number[]> =>
		node.subkeys === 0 || node.subkeyList === NO_CELL ? [] : listed(cells, node.subkeyList, node.subkeys, wanted);

	const subkey = async (wanted: string): Promise<Key | undefined> => {
		const folded = wanted.toLowerCase();
		for (const at of await subkeys(wanted)) {
			const found = await readKey(cells, at, path);
			if (found.name.toLowerCase() === folded) return found;
		}
		return undefined;
	};

	const valueOffsets = async (): Promise<readonly number[]> => {
		if (node.values === 0 || node.valueList === NO_CELL) return [];
		const list = await cells.reader(node.valueList, node.values * 4);
		return Array.from({ length: node.values }, (_, index) => list.u32(index * 4));
	};

	const value = async (wanted: string): Promise<Value | undefined> => {
		const folded = wanted.toLowerCase();
		for (const at of await valueOffsets()) {
			const found = await readValue(cells, at);
			if (found.name.toLowerCase() === folded) return found;
		}
		return undefined;
	};

	const as =
		<Result>(decode: (value: Value) => Promise<Result | undefined>) =>
		async (wanted: string): Promise<Result | undefined> => {
			const found = await value(wanted);
			return found && decode(found);
		};

	const self: Key = {
		name,
		path,
		async key(below) {
			const [first, ...rest] = below.split('\\').filter((part) => part !== '');
			if (first === undefined) return self;
			const found = await subkey(first);
			return rest.length === 0 ? found : found?.key(rest.join('\\'));
		},
		keys: async () => inOrder(await subkeys(), (at) => readKey(cells, at, path)),
		values: async () => inOrder(await valueOffsets(), (at) => readValue(cells, at)),
		text: as(valueText),
		texts: as(valueTexts),
		number: as(valueNumber),
	};
	return self;
};

const inOrder = async <Result>(offsets: readonly number[], read: (offset: number) => Promise<Result>): Promise<readonly Result[]> => {
	const results: Result[] = [];
	for (const offset of offsets) results.push(await read(offset));
	return results;
};

/**
 * The cells of the subkeys in a list; with `wanted`, of those alone that may have that name.
 * @param count what the key says they are; more are damage.
 */
const listed = async (cells: Cells, list: number, count: number, wanted?: string): Promise<readonly number[]> => {
	const hash = wanted === undefined ? undefined : nameHash(wanted);
	const offsets: number[] = [];
	let seen = 0;
	const walk = async (at: number, nested: boolean): Promise<void> => {
		const head = await cells.reader(at, 4);
		const kind = head.latin1(0, 2);
		const entries = head.u16(2);
		if (!['lf', 'lh', 'li', 'ri'].includes(kind)) throw new CorruptError('a list of subkeys is expected here', cells.place(at));
		if (kind === 'ri' && nested) throw new CorruptError('a list of lists in a list of lists', cells.place(at));
		if (kind !== 'ri') seen += entries;
		if (seen > count) throw new CorruptError(`a key of ${count} subkeys lists more`, cells.place(at));
		const width = kind === 'lf' || kind === 'lh' ? 8 : 4;
		const cell = await cells.reader(at, 4 + width * entries);
		for (let index = 0; index < entries; index++) {
			const entry = cell.u32(4 + index * width);
			if (kind === 'ri') await walk(entry, true);
			else if (kind !== 'lh' || hash === undefined || cell.u32(8 + index * width) === hash) offsets.push(entry);
		}
	};
	await walk(list, false);
	return offsets;
};

/** What the entries of an "lh" list hold beside the offset. */
const nameHash = (name: string): number => {
	let hash = 0;
	const upper = name.toUpperCase();
	for (let at = 0; at < upper.length; at++) hash = (Math.imul(hash, 37) + upper.charCodeAt(at)) >>> 0;
	return hash;
};
