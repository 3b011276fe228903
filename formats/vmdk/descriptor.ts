import { LARGEST_DISK } from '../../src/core/limits.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { decodeText } from './encoding.ts';
import { SECTOR } from './layout.ts';

/** What a VMDK's text part says. "Virtual Disk Format 5.0", section "The Descriptor File". */
export type Descriptor = {
	readonly version: number;
	/** As the file has it: `UTF-8`, `windows-1252`, `GBK`. */
	readonly encoding?: string | undefined;
	/** Content id, 8 lowercase hexadecimal digits: changes when the content first does after an opening. */
	readonly cid: string;
	/** The CID that the parent must have; undefined (`ffffffff` in the file) where there is no parent. */
	readonly parentCid?: string | undefined;
	/** As the file has it: `monolithicSparse`. */
	readonly createType: string;
	readonly parentFileNameHint?: string | undefined;
	/** In guest order. */
	readonly extents: readonly ExtentLine[];
	/** The disk database, `ddb.` and all, in the file's order. */
	readonly ddb: ReadonlyMap<string, string>;
	/** Header keys that have no field above, in the file's order: `changeTrackPath`, `isNativeSnapshot`. */
	readonly others: ReadonlyMap<string, string>;
	/** Lines that are neither of these. */
	readonly unknown: readonly string[];
};

/** One line of the section "Extent description". */
export type ExtentLine = {
	readonly access: Access;
	/** In bytes. */
	readonly size: number;
	readonly type: ExtentType;
	/** Undefined for `ZERO`, which has none. */
	readonly fileName?: string | undefined;
	/** Where in the file a flat extent begins, in bytes. */
	readonly offset: number;
};

type Access = (typeof ACCESSES)[number];
const ACCESSES = ['RW', 'RDONLY', 'NOACCESS'] as const;

export type ExtentType = (typeof EXTENT_TYPES)[number];
const EXTENT_TYPES = ['FLAT', 'SPARSE', 'ZERO', 'VMFS', 'VMFSSPARSE', 'SESPARSE', 'VMFSRDM', 'VMFSRAW'] as const;

/** A descriptor is never larger than this, in bytes. */
export const MAX_DESCRIPTOR = 1 << 20;
const MAX_LINES = 4096;
const MAX_LINE = 4096;

/** Fields with a place of their own in `Descriptor`, by their lower-case key. */
const FIELDS = ['version', 'encoding', 'cid', 'parentcid', 'createtype', 'parentfilenamehint'] as const;

/** In `parentCID`: there is no parent. */
const NO_PARENT = 'ffffffff';

/**
 * Read a descriptor as tolerantly as VMware does: any case of keys, spaces round `=`, any line ends, any order. What it does not
 * know is kept.
 * @param offset where in the file the text begins, for messages; undefined where it is all of the file.
 * @throws CorruptError, UnsupportedError naming the line.
 */
export const parseDescriptor = (data: Uint8Array, path: string, offset?: number): Descriptor => {
	const corrupt = (message: string, field?: string, hint?: string) => new CorruptError(message, { path, offset, field, hint });
	if (data.length > MAX_DESCRIPTOR) throw corrupt('the descriptor is over 1 MiB');
	const lines = decodeText(data, path).split(/\r\n|\n|\r/);
	if (lines.length > MAX_LINES) throw corrupt(`the descriptor has over ${MAX_LINES} lines`);

	const fields = new Map<string, string>();
	const ddb = new Map<string, string>();
	const others = new Map<string, string>();
	const unknown: string[] = [];
	const extents: ExtentLine[] = [];
	for (const [index, raw] of lines.entries()) {
		const line = raw.trim();
		const where = `line ${index + 1}`;
		if (line.length > MAX_LINE) throw corrupt(`the descriptor's ${where} is over ${MAX_LINE} characters`);
		if (line === '' || line.startsWith('#')) continue;
		if (/^(RW|RDONLY|NOACCESS)\s/i.test(line)) {
			extents.push(parseExtent(line, where, path, offset));
			continue;
		}
		const match = /^([^\s="]+)\s*=\s*(.*)$/.exec(line);
		if (!match?.[1]) {
			unknown.push(line);
			continue;
		}
		const [, key, rest = ''] = match;
		const value = unquoted(rest);
		if (value === undefined) throw corrupt(`the quotes of ${key} do not match (${where})`, key, 'a descriptor that is whole');
		const field = FIELDS.find((name) => name === key.toLowerCase());
		const table = field ? fields : /^ddb\./i.test(key) ? ddb : others;
		const name = field ?? key;
		if (!table.has(name)) table.set(name, value);
		else if (field && table.get(name) !== value) throw corrupt(`${key} is there twice, and differs (${where})`, key);
		else unknown.push(line);
	}

	const total = extents.reduce((sum, extent) => sum + extent.size, 0);
	if (extents.length === 0) throw corrupt('the descriptor names no extent', 'extent');
	if (total > LARGEST_DISK) throw new UnsupportedError('the disk is larger than 64 TiB', { path, offset, field: 'extent' });
	const createType = fields.get('createtype');
	if (!createType) throw corrupt('the descriptor does not say createType', 'createType');
	const version = Number(fields.get('version') ?? 1);
	// Those of vSAN and vVols, whose extents are no files, have version 4: that is told instead.
	const isObject = extents.every(({ fileName = '' }) => /^(vsan|vvol):/i.test(fileName));
	if (![1, 2, 3].includes(version) && !(version === 4 && isObject)) {
		throw new UnsupportedError(`descriptor version ${fields.get('version')}, and vconv knows 1 to 3`, { path, offset, field: 'version' });
	}
	const contentId = (field: string, key: string): string => {
		const value = fields.get(key) ?? '';
		if (!/^[0-9a-f]{1,8}$/i.test(value)) throw corrupt(`${field} is '${value}', and not up to 8 hexadecimal digits`, field);
		return value.toLowerCase().padStart(8, '0');
	};
	const parentCid = fields.has('parentcid') ? contentId('parentCID', 'parentcid') : NO_PARENT;
	const parentFileNameHint = fields.get('parentfilenamehint');
	if ((parentCid === NO_PARENT) !== (parentFileNameHint === undefined)) {
		const said =
			parentFileNameHint === undefined ? `parentCID ${parentCid} and no parentFileNameHint` : 'parentFileNameHint and no parentCID';
		throw corrupt(`it is not clear whether the disk has a parent: there is ${said}`, 'parentCID', 'a descriptor that says both or neither');
	}
	return {
		version,
		encoding: fields.get('encoding'),
		cid: contentId('CID', 'cid'),
		...(parentCid !== NO_PARENT && { parentCid, parentFileNameHint }),
		createType,
		extents,
		ddb,
		others,
		unknown,
	};
};

/** A value with its quotes taken off; undefined where they do not match. */
const unquoted = (text: string): string | undefined => {
	if (!text.includes('"')) return text;
	return /^"([^"]*)"$/.exec(text)?.[1];
};

/** `RW 63 FLAT "name" 0`. */
const parseExtent = (line: string, where: string, path: string, offset: number | undefined): ExtentLine => {
	const corrupt = (message: string) => new CorruptError(`${message} (${where} of the descriptor)`, { path, offset, field: 'extent' });
	const match = /^(\S+)\s+(\S+)\s+([^\s"]+)(?:\s+"([^"]*)"(?:\s+(\S+)(?:\s+partitionUUID\s+\S+)?)?)?$/i.exec(line);
	if (!match) throw corrupt(`the extent '${line}' is not access, sectors, type, "file" and offset`);
	const [, accessName = '', sectors = '', typeName = '', fileName, start = '0'] = match;
	const access = ACCESSES.find((name) => name === accessName.toUpperCase()) ?? 'RW';
	const size = sectorsOf(sectors);
	if (size === undefined || size === 0) throw corrupt(`an extent of ${sectors} sectors`);
	const type = EXTENT_TYPES.find((name) => name === typeName.toUpperCase());
	if (!type) {
		throw new UnsupportedError(`extents of type ${typeName} are not known (${where} of the descriptor)`, { path, offset, field: 'extent' });
	}
	const at = sectorsOf(start);
	if (at === undefined) throw corrupt(`an extent that begins at sector ${start} of its file`);
	if (type !== 'ZERO' && !fileName) throw corrupt('an extent without a file');
	if (at !== 0 && type !== 'FLAT' && type !== 'VMFS') throw corrupt(`a ${type} extent that begins within its file`);
	return { access, size, type, fileName, offset: at };
};

/** Bytes of a count of sectors; undefined if it is none, or one beyond any disk. */
const sectorsOf = (text: string): number | undefined => {
	const bytes = /^\d+$/.test(text) ? Number(text) * SECTOR : Number.POSITIVE_INFINITY;
	return bytes <= Number.MAX_SAFE_INTEGER ? bytes : undefined;
};
