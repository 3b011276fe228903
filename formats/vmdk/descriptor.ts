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

export type Access = (typeof ACCESSES)[number];
export const ACCESSES = ['RW', 'RDONLY', 'NOACCESS'] as const;

export type ExtentType = (typeof EXTENT_TYPES)[number];
export const EXTENT_TYPES = ['FLAT', 'SPARSE', 'ZERO', 'VMFS', 'VMFSSPARSE', 'SESPARSE', 'VMFSRDM', 'VMFSRAW'] as const;
