import { humanSize } from '../bytes/size.ts';
import { UnsupportedError } from '../errors.ts';

/**
 * The largest disk in bytes that an image may have, other than a raw one: VHDX's own maximum ([MS-VHDX] 2.6.2.2), and that of the others as
 * far as vconv goes.
 */
export const LARGEST_DISK = 64 * 2 ** 40;

/** @param format with its article. @throws UnsupportedError for a disk of `size` bytes that an image of the format cannot have. */
export const refuseLarger = (format: string, size: number): void => {
	if (size <= LARGEST_DISK) return;
	const said = humanSize(size) === humanSize(LARGEST_DISK) ? `${size} bytes` : humanSize(size);
	throw new UnsupportedError(`${format} holds at most ${humanSize(LARGEST_DISK)}, and this disk has ${said}`, { hint: '-O raw' });
};

type Limit = {
	readonly value: number;
	readonly unit: 'bytes' | 'count' | 'seconds';
	/** What it bounds, as the subject of a sentence. */
	readonly of: string;
};

/**
 * What is refused as too much, though the format would allow it: that depends on the machine that converts, so that users may change it.
 * What no sound image exceeds is a constant in the room of its format.
 */
export const LIMITS = {
	'virtual-size': { value: LARGEST_DISK, unit: 'bytes', of: 'the size of the disk' },
	'chain-depth': { value: 32, unit: 'count', of: 'the number of images in the chain' },
	expansion: { value: 1032, unit: 'count', of: 'how many times the bytes of its file it shows' },
	'folder-files': { value: 4096, unit: 'count', of: 'the number of files in its folder that would be looked into' },
	'check-memory': { value: 256 * 2 ** 20, unit: 'bytes', of: 'the memory that counting its clusters takes' },
	'inspect-bytes': { value: 2 ** 30, unit: 'bytes', of: 'what is read of one volume or operating system' },
	'inspect-seconds': { value: 20, unit: 'seconds', of: 'the time for one volume or operating system' },
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof LIMITS;

/** The limits that hold: sizes in bytes, times in seconds. */
export type Limits = Readonly<Record<LimitName, number>>;

export type LimitOptions = {
	/** Those that are not the usual ones. */
	readonly limits?: Partial<Limits> | undefined;
	/** Half of each, but of those that are given. */
	readonly untrusted?: boolean | undefined;
};

export const limitNames = Object.keys(LIMITS) as readonly LimitName[];

/** All limits, by what is given and the usual ones. */
export const limitsOf = ({ limits = {}, untrusted = false }: LimitOptions = {}): Limits => {
	const usual = (name: LimitName): number => LIMITS[name].value / (untrusted ? 2 : 1);
	return Object.fromEntries(limitNames.map((name) => [name, limits[name] ?? usual(name)])) as Limits;
};

/**
 * Hold a number from a file against a limit.
 * @param limits the usual ones where left out.
 * @throws UnsupportedError that names the limit, if it is over it.
 */
export const refuseOver = (name: LimitName, found: number, path: string, limits: Limits = limitsOf()): void => {
	const most = limits[name];
	if (found <= most) return;
	const { of, unit } = LIMITS[name];
	// To the byte where both would read the same.
	const [over, limit] = unit !== 'bytes' ? [found, most] : [found, most].map(humanSize);
	const said = over === limit ? `${found} bytes, is over the limit of ${most}` : `${over}, is over the limit of ${limit}`;
	throw new UnsupportedError(`${of}, ${said}`, { path, hint: `--limit ${name}=MORE, if you trust it` });
};
