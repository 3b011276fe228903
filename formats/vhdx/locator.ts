import { guidBytes, guidText } from '../../src/bytes/guid.ts';
import { utf16Bytes } from '../../src/bytes/utf16.ts';
import type { ParentReference } from '../../src/core/disk.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import type { Item } from './items.ts';
import { guid, locator, locatorEntry, VHDX_LOCATOR } from './layout.ts';

/** Where the parent may be, in the order in which they are to be tried (§2.6.2.6.3). */
const PATH_KEYS = ['relative_path', 'volume_path', 'absolute_win32_path'];

/** The second one holds while a child is merged into its parent. */
const LINKAGE_KEYS = ['parent_linkage', 'parent_linkage2'];

const NO_ID = '00000000-0000-0000-0000-000000000000';

/**
 * The parent that a locator names (§2.6.2.6), with the data write GUIDs that it may have.
 * @throws CorruptError, UnsupportedError for a parent that is no VHDX file.
 */
export const parentOf = (item: Item, path: string): ParentReference => {
	const { type } = locator.decode(item.bytes, { path, offset: item.offset });
	if (guidText(type) !== VHDX_LOCATOR) {
		throw new UnsupportedError(`its parent is no VHDX file, but of the unknown type ${guidText(type)}`, {
			path,
			offset: item.offset,
			field: 'locatorType',
		});
	}
	const values = readLocator(item, path);
	const names = PATH_KEYS.flatMap((key) => values.get(key) ?? []);
	const ids: string[] = [];
	for (const key of LINKAGE_KEYS) {
		const value = values.get(key);
		if (value === undefined) continue;
		const bytes = guidBytes(value);
		if (!bytes) throw new CorruptError(`the parent's id '${value}' is no GUID`, { path, offset: item.offset, field: key });
		if (guidText(bytes) !== NO_ID) ids.push(guidText(bytes));
	}
	if (ids.length === 0)
		throw new CorruptError('it does not say which parent it has', { path, offset: item.offset, field: 'parent_linkage' });
	if (names.length === 0)
		throw new CorruptError('it does not say where its parent is', { path, offset: item.offset, field: 'relative_path' });
	return { names, format: 'vhdx', ids };
};

/** The keys and values of a locator. */
const readLocator = ({ bytes, offset }: Item, path: string): Map<string, string> => {
	const { count } = locator.decode(bytes, { path, offset });
	const values = new Map<string, string>();
	let room = bytes.length;
	for (let index = 0; index < count; index++) {
		const start = locator.size + index * locatorEntry.size;
		const entry = locatorEntry.decode(bytes.subarray(start), { path, offset: offset + start });
		const text = (field: 'keyOffset' | 'valueOffset', at: number, length: number): string => {
			room -= length;
			if (at < locator.size || length === 0 || length % 2 !== 0 || at + length > bytes.length || room < 0) {
				throw new CorruptError(`a text of ${length} bytes at ${at} does not fit in the parent locator of ${bytes.length} bytes`, {
					path,
					offset: offset + start + locatorEntry.offsets[field],
					field,
				});
			}
			return new TextDecoder('utf-16le').decode(bytes.subarray(at, at + length)).replace(/\0+$/, '');
		};
		const key = text('keyOffset', entry.keyOffset, entry.keyLength);
		if (values.has(key))
			throw new CorruptError(`the parent locator says '${key}' twice`, { path, offset: offset + start, field: 'keyOffset' });
		values.set(key, text('valueOffset', entry.valueOffset, entry.valueLength));
	}
	return values;
};

/** A locator of the VHDX type with these values. */
export const encodeLocator = (values: Readonly<Record<string, string>>): Uint8Array => {
	const entries = Object.entries(values);
	const head = locator.encode({ type: guid(VHDX_LOCATOR), reserved: 0, count: entries.length });
	const texts = entries.flat();
	const textsAt = locator.size + entries.length * locatorEntry.size;
	const bytes = new Uint8Array(textsAt + texts.join('').length * 2);
	bytes.set(head);
	let at = textsAt;
	for (const [index, [key, value]] of entries.entries()) {
		const entry = { keyOffset: at, valueOffset: at + key.length * 2, keyLength: key.length * 2, valueLength: value.length * 2 };
		bytes.set(locatorEntry.encode(entry), locator.size + index * locatorEntry.size);
		bytes.set(utf16Bytes(key + value, { littleEndian: true }), at);
		at += entry.keyLength + entry.valueLength;
	}
	return bytes;
};
