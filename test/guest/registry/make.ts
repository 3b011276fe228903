import {
	BINS_AT,
	baseBlock,
	KEY_NAME_LATIN1,
	keyNode,
	keyValue,
	logEntry,
	NO_CELL,
	SEGMENT,
	VALUE_TYPE,
} from '../../../src/guest/registry/layout.ts';
import { marvin32 } from '../../../src/guest/registry/marvin.ts';

/** A key: other keys, and values by what JavaScript has for them. */
export type Keys = { readonly [name: string]: Keys | string | number | readonly string[] | Uint8Array };

export type HiveShape = {
	/** The kind of list that subkeys are in; `ri` is a list of lists of 10 each. */
	readonly list?: 'lf' | 'lh' | 'li' | 'ri';
	/** Its sequence numbers differ by one. */
	readonly dirty?: boolean;
};

/** A hive of these keys. */
export const makeHive = (keys: Keys, { list = 'lh', dirty = false }: HiveShape = {}): Uint8Array => {
	const cells = new Uint8Array(1 << 20);
	const view = new DataView(cells.buffer);
	let end = 32;
	const add = (bytes: Uint8Array): number => {
		const at = end;
		const size = Math.ceil((bytes.length + 4) / 8) * 8;
		view.setInt32(at, -size, true);
		cells.set(bytes, at + 4);
		end += size;
		return at;
	};

	const security = add(Uint8Array.of(...letters('sk'), 0, 0, ...long(end), ...long(end), ...long(10_000), ...long(0)));

	const addData = (data: Uint8Array): number => {
		if (data.length <= SEGMENT) return add(data);
		const segments = [];
		for (let at = 0; at < data.length; at += SEGMENT) segments.push(add(data.subarray(at, at + SEGMENT)));
		return add(Uint8Array.of(...letters('db'), ...word(segments.length), ...long(add(Uint8Array.from(segments.flatMap(long))))));
	};

	const addValue = (name: string, value: string | number | readonly string[] | Uint8Array): number => {
		const [type, data] = encoded(value);
		const inline = data.length <= 4;
		const head = keyValue.encode({
			signature: 'vk',
			nameLength: name.length,
			dataSize: inline ? data.length + 0x8000_0000 : data.length,
			data: inline ? new DataView(Uint8Array.of(...data, 0, 0, 0, 0).buffer).getUint32(0, true) : addData(data),
			type,
			flags: 1,
			spare: 0,
		});
		return add(Uint8Array.of(...head, ...letters(name)));
	};

	const addList = (children: readonly (readonly [string, number])[], kind: 'lf' | 'lh' | 'li' | 'ri'): number => {
		if (kind === 'ri') {
			const lists = [];
			for (let at = 0; at < children.length; at += 10) lists.push(addList(children.slice(at, at + 10), 'lh'));
			return add(Uint8Array.of(...letters('ri'), ...word(lists.length), ...lists.flatMap(long)));
		}
		const hint = (name: string) => (kind === 'lf' ? [...letters(name.padEnd(4, '\0').slice(0, 4))] : long(hashOf(name)));
		const entries = children.flatMap(([name, at]) => [...long(at), ...(kind === 'li' ? [] : hint(name))]);
		return add(Uint8Array.of(...letters(kind), ...word(children.length), ...entries));
	};

	const addKey = (name: string, content: Keys, parent?: number): number => {
		const latin1 = /^[\0-\xff]*$/.test(name);
		const bytes = latin1 ? letters(name) : utf16(name);
		const at = add(new Uint8Array(keyNode.size + bytes.length)); // the root's own place stays the same, whatever is in it
		const entries = Object.entries(content).sort(([a], [b]) => (a.toUpperCase() < b.toUpperCase() ? -1 : 1));
		const subkeys = entries.flatMap(([key, value]) => (isKey(value) ? [[key, addKey(key, value, at)] as const] : []));
		const values = entries.flatMap(([key, value]) => (isKey(value) ? [] : [addValue(key, value)]));
		const node = keyNode.encode({
			signature: 'nk',
			flags: (latin1 ? KEY_NAME_LATIN1 : 0) | (parent === undefined ? 0x0c : 0),
			lastWritten: new Uint8Array(8),
			access: 0,
			parent: parent ?? 0,
			subkeys: subkeys.length,
			volatileSubkeys: 0,
			subkeyList: subkeys.length > 0 ? addList(subkeys, list) : NO_CELL,
			volatileSubkeyList: NO_CELL,
			values: values.length,
			valueList: values.length > 0 ? add(Uint8Array.from(values.flatMap(long))) : NO_CELL,
			security,
			className: NO_CELL,
			longestNames: new Uint8Array(16),
			workVar: 0,
			nameLength: bytes.length,
			classNameLength: 0,
		});
		cells.set(Uint8Array.of(...node, ...bytes), at + 4);
		return at;
	};

	const rootCell = addKey('root', keys);
	const binsSize = Math.ceil((end + 8) / 4096) * 4096;
	view.setInt32(end, binsSize - end, true);
	cells.set(letters('hbin'));
	view.setUint32(8, binsSize, true);
	const hive = new Uint8Array(BINS_AT + binsSize);
	hive.set(cells.subarray(0, binsSize), BINS_AT);
	hive.set(makeBase({ primarySequence: dirty ? 8 : 7, secondarySequence: 7, rootCell, binsSize, fileType: 0 }));
	return hive;
};

type BaseFields = Pick<ReturnType<typeof baseBlock.decode>, 'primarySequence' | 'secondarySequence' | 'rootCell' | 'binsSize' | 'fileType'>;

const makeBase = (fields: BaseFields): Uint8Array => {
	const base = baseBlock.encode({
		...fields,
		signature: 'regf',
		lastWritten: new Uint8Array(8),
		major: 1,
		minor: 5,
		fileFormat: 1,
		clustering: 1,
		rest: new Uint8Array(460),
		checksum: 0,
	});
	const words = new Uint32Array(base.buffer);
	words[127] = words.subarray(0, 127).reduce((sum, next) => sum ^ next, 0);
	return base;
};

/** A log whose entries, numbered from `first` on, each make of one state of a hive the next, in pages of 512 bytes. */
export const makeLog = (states: readonly Uint8Array[], first: number): Uint8Array => {
	const base = baseBlock.decode(states[0] ?? new Uint8Array(), { path: '', offset: 0 });
	const entries = states.slice(1).map((state, index) => {
		const before = states[index] ?? new Uint8Array();
		const pages: [number, Uint8Array][] = [];
		for (let at = BINS_AT; at < state.length; at += 512) {
			const page = state.subarray(at, at + 512);
			if (Buffer.compare(page, before.subarray(at, at + 512)) !== 0) pages.push([at - BINS_AT, page]);
		}
		const body = Buffer.concat([Uint8Array.from(pages.flatMap(([at]) => [...long(at), ...long(512)])), ...pages.map(([, bytes]) => bytes)]);
		const padded = new Uint8Array(Math.ceil((logEntry.size + body.length) / 512) * 512);
		padded.set(body, logEntry.size);
		const fields = {
			signature: 'HvLE',
			size: padded.length,
			flags: 0,
			sequence: first + index,
			binsSize: state.length - BINS_AT,
			pages: pages.length,
			pagesHash: hashBytes(padded.subarray(logEntry.size)),
			headHash: new Uint8Array(8),
		};
		padded.set(logEntry.encode(fields));
		padded.set(hashBytes(padded.subarray(0, logEntry.offsets.headHash)), logEntry.offsets.headHash);
		return padded;
	});
	const head = makeBase({ ...base, primarySequence: first, secondarySequence: first, fileType: 6 });
	return new Uint8Array(Buffer.concat([head.subarray(0, 512), ...entries]));
};

const hashBytes = (bytes: Uint8Array): Uint8Array => Uint8Array.from(Buffer.from(marvin32(bytes), 'hex')).reverse();

const isKey = (value: Keys[string]): value is Keys => typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);

const encoded = (value: string | number | readonly string[] | Uint8Array): readonly [number, Uint8Array] => {
	if (typeof value === 'string') return [VALUE_TYPE.text, utf16(`${value}\0`)];
	if (typeof value === 'number') return [VALUE_TYPE.number, Uint8Array.from(long(value))];
	if (value instanceof Uint8Array) return [VALUE_TYPE.binary, value];
	return [VALUE_TYPE.texts, utf16([...value, '', ''].join('\0'))];
};

const hashOf = (name: string): number => [...name.toUpperCase()].reduce((hash, c) => (Math.imul(hash, 37) + c.charCodeAt(0)) >>> 0, 0);
const letters = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const utf16 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf16le'));
const word = (value: number): number[] => [value & 0xff, value >> 8];
const long = (value: number): number[] => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
