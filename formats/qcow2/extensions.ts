import type { Source } from '../../src/core/source.ts';
import { CorruptError } from '../../src/errors.ts';
import { bitmapsExtension, EXTENSION, encryptionExtension, extensionHeader, featureName, LIMIT } from './layout.ts';

/** What the header extensions say, each at most once. */
export type Extensions = {
	/** The backing file's format by QEMU's name for it. */
	readonly backingFormat?: string | undefined;
	/** The name of the external data file. */
	readonly dataFile?: string | undefined;
	/** Names of feature bits, by `kind` (0 incompatible, 1 compatible, 2 autoclear) and bit: `0:5`. */
	readonly featureNames: ReadonlyMap<string, string>;
	readonly bitmaps?: { readonly count: number; readonly directorySize: number; readonly directoryOffset: number } | undefined;
	/** Where the header of LUKS is, in bytes. */
	readonly encryption?: { readonly offset: number; readonly length: number } | undefined;
	/** Those that vconv does not know: kept for `info`. */
	readonly unknown: readonly { readonly type: number; readonly length: number }[];
};

/**
 * "Header extensions": the records of `[start, end)`.
 * @throws CorruptError for one that reaches beyond the end, or that is there twice.
 */
export const readExtensions = async (source: Source, start: number, end: number, signal?: AbortSignal): Promise<Extensions> => {
	const stop = Math.min(end, source.size, LIMIT.header);
	const area = await source.read(start, Math.max(0, stop - start), signal);
	const found = new Map<number, Uint8Array>();
	const unknown: { type: number; length: number }[] = [];
	for (let at = 0; at + extensionHeader.size <= area.length; ) {
		const place = { path: source.name, offset: start + at };
		const { type, length } = extensionHeader.decode(area.subarray(at), place);
		if (type === EXTENSION.end) break;
		at += extensionHeader.size;
		if (length > area.length - at) {
			throw new CorruptError(`a header extension of ${length} bytes does not fit into the header`, { ...place, field: 'headerExtension' });
		}
		if (!KNOWN.has(type)) unknown.push({ type, length });
		else if (found.has(type)) throw new CorruptError('a header extension is there twice', { ...place, field: 'headerExtension' });
		else found.set(type, area.subarray(at, at + length));
		at += Math.ceil(length / 8) * 8;
	}
	const text = (type: number) => {
		const data = found.get(type);
		return data && new TextDecoder().decode(data);
	};
	const bitmaps = found.get(EXTENSION.bitmaps);
	const encryption = found.get(EXTENSION.encryption);
	return {
		backingFormat: text(EXTENSION.backingFormat) || undefined,
		dataFile: text(EXTENSION.dataFile) || undefined,
		featureNames: featureNames(found.get(EXTENSION.featureNames) ?? new Uint8Array()),
		encryption: encryption && encryptionExtension.decode(encryption, { path: source.name, offset: start }),
		bitmaps: bitmaps && bitmapsExtension.decode(bitmaps, { path: source.name, offset: start }),
		unknown,
	};
};

const KNOWN: ReadonlySet<number> = new Set(Object.values(EXTENSION));

const featureNames = (table: Uint8Array): Map<string, string> => {
	const names = new Map<string, string>();
	for (let at = 0; at + featureName.size <= table.length; at += featureName.size) {
		const { kind, bit, name } = featureName.decode(table.subarray(at), { path: '', offset: at });
		names.set(`${kind}:${bit}`, name.replace(/\0.*$/s, ''));
	}
	return names;
};
