import type { Codec } from '../core/codec.ts';
import type { Disk } from '../core/disk.ts';
import type { Source } from '../core/source.ts';
import { readExtent } from '../disk/read.ts';
import { CorruptError, UnsupportedError } from '../errors.ts';
import { breather } from '../io/breathe.ts';

/**
 * What a guest calls a block device: a disk, a partition, a logical volume. Offsets and lengths are bytes from its own start.
 * Every reader of guest data sits on one, and need not look at bounds again: a read outside is the guest's mistake, and says so.
 */
export type BlockDevice = {
	/** What to call it in a message and in the report: `disk0p2`, `lv:vg/root`. */
	readonly name: string;
	/** In bytes. */
	readonly size: number;
	/** The logical sector in bytes, as its disk has it. */
	readonly sectorSize: 512 | 4096;
	/**
	 * Exactly `length` bytes. They may be shared with other readers: never change them.
	 * @throws CorruptError if any of them is outside the device, UnsupportedError for more than `LARGEST_READ` at once or beyond the
	 * budget that the device was given, whatever the store beneath throws, and the reason of `signal`.
	 */
	read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
};

/** No structure of a guest is read in larger pieces, whatever length it claims: 64 MiB. */
export const LARGEST_READ = 64 << 20;

/** What was read from the images, beneath the cache. */
export type Cost = { reads: number; bytes: number };

/** What is read at once of an image, in bytes: metadata is small and scattered. */
const PAGE = 1 << 14;

/** Longer reads pass the cache by: they are contents of files, which are read once. */
const LARGEST_CACHED = 8 * PAGE;

type DeviceOptions = {
	readonly name: string;
	/** In bytes; as the image has them where left out. */
	readonly sectorSize?: 512 | 4096 | undefined;
	/** Counted up with every read that reaches the image; ranges that read as zeros cost nothing. */
	readonly cost?: Cost | undefined;
	/** How many pages of 16 KiB are held; 4096, which is 64 MiB, where left out. */
	readonly pages?: number | undefined;
};

/** A disk as the guest sees it, with a cache of the pages last read; readers that ask for the same page at once share one read. */
export const diskDevice = (disk: Disk, codec: Codec, { name, sectorSize = disk.sectorSize, cost, pages }: DeviceOptions): BlockDevice =>
	cachedDevice({ name, size: disk.size, sectorSize }, pages, async (offset, length, signal) => {
		const bytes = new Uint8Array(length);
		for await (const extent of disk.extents(offset, length, signal)) {
			const part = await readExtent(extent, codec, signal);
			if (!part) continue;
			bytes.set(part, extent.offset - offset);
			count(cost, part.byteLength);
		}
		return bytes;
	});

/** Plain bytes as a device: a raw image, or memory in a test. */
export const sourceDevice = (source: Source, { cost, pages, ...rest }: Partial<DeviceOptions> = {}): BlockDevice =>
	cachedDevice(
		{ name: rest.name ?? source.name, size: source.size, sectorSize: rest.sectorSize ?? 512 },
		pages,
		(offset, length, signal) => {
			count(cost, length);
			return source.read(offset, length, signal);
		},
	);

const count = (cost: Cost | undefined, bytes: number): void => {
	if (!cost) return;
	cost.reads++;
	cost.bytes += bytes;
};

type Identity = Omit<BlockDevice, 'read'>;

const cachedDevice = (identity: Identity, most = 4096, load: BlockDevice['read']): BlockDevice => {
	const held = new Map<number, Promise<Uint8Array>>();
	const hold = (index: number, page: Promise<Uint8Array>): void => {
		for (const oldest of held.keys()) {
			if (held.size < most) break;
			held.delete(oldest);
		}
		held.set(index, page);
	};
	/** The pages from `first` to `last`; neighbours that are missing are read together. */
	const pages = (first: number, last: number, signal?: AbortSignal): readonly Promise<Uint8Array>[] => {
		const found: Promise<Uint8Array>[] = [];
		for (let index = first; index <= last; ) {
			const page = held.get(index);
			if (page) {
				held.delete(index); // and set again: the last used is the last to go
				hold(index++, page);
				found.push(page);
				continue;
			}
			let end = index + 1;
			while (end <= last && !held.has(end)) end++;
			const start = index * PAGE;
			const run = load(start, Math.min(end * PAGE, identity.size) - start, signal);
			const isOne = end - index === 1;
			for (; index < end; index++) {
				const missing = index;
				const at = missing * PAGE - start;
				const loaded = isOne ? run : run.then((bytes) => bytes.slice(at, at + PAGE));
				loaded.catch(() => held.delete(missing));
				hold(missing, loaded);
				found.push(loaded);
			}
		}
		return found;
	};
	return {
		...identity,
		async read(offset, length, signal) {
			signal?.throwIfAborted();
			checkRange(identity, offset, length);
			if (length > LARGEST_CACHED) return load(offset, length, signal);
			if (length === 0) return new Uint8Array();
			const first = Math.floor(offset / PAGE);
			const within = offset - first * PAGE;
			const found = await Promise.all(pages(first, Math.floor((offset + length - 1) / PAGE), signal));
			const [only] = found;
			if (only && found.length === 1) return only.subarray(within, within + length);
			const out = new Uint8Array(length);
			let done = 0;
			for (const page of found) {
				const part = page.subarray(done === 0 ? within : 0).subarray(0, length - done);
				out.set(part, done);
				done += part.length;
			}
			return out;
		},
	};
};

/** @throws CorruptError for a range that is not within the device, UnsupportedError for one that is too long to be read at once. */
export const checkRange = ({ name, size }: Pick<BlockDevice, 'name' | 'size'>, offset: number, length: number): void => {
	if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0 || offset + length > size) {
		throw new CorruptError(`${length} bytes at offset ${offset} are needed, outside a device of ${size} bytes`, { path: name });
	}
	if (length > LARGEST_READ)
		throw new UnsupportedError(`${length} bytes at once are more than vconv reads of a guest`, { path: name, offset });
};

/**
 * A part of a device as a device of its own: a partition.
 * @throws CorruptError if it is not within the device.
 */
export const sliceDevice = (device: BlockDevice, name: string, start: number, size: number): BlockDevice => {
	if (!Number.isSafeInteger(start) || !Number.isSafeInteger(size) || start < 0 || size < 0 || start + size > device.size) {
		throw new CorruptError(`${name} is at ${start} with ${size} bytes, outside a device of ${device.size} bytes`, { path: device.name });
	}
	const identity = { name, size, sectorSize: device.sectorSize };
	return {
		...identity,
		async read(offset, length, signal) {
			checkRange(identity, offset, length);
			return device.read(start + offset, length, signal);
		},
	};
};

/** Where a run of a mapped device is: `length` bytes from `start` of it are at `at` of `device`. */
export type Segment = { readonly start: number; readonly length: number; readonly device: BlockDevice; readonly at: number };

/**
 * A device put together of parts of others: a logical volume. The segments ascend and do not overlap; a read where there is none
 * is refused.
 */
export const mappedDevice = (identity: Identity, segments: readonly Segment[]): BlockDevice => ({
	...identity,
	async read(offset, length, signal) {
		signal?.throwIfAborted();
		checkRange(identity, offset, length);
		const out = new Uint8Array(length);
		for (let done = 0, index = 0; done < length; ) {
			const at = offset + done;
			while (index < segments.length && endOf(segments[index]) <= at) index++;
			const segment = segments[index];
			if (!segment || segment.start > at) throw new CorruptError('nothing is mapped here', { path: identity.name, offset: at });
			const part = Math.min(length - done, endOf(segment) - at);
			out.set(await segment.device.read(segment.at + at - segment.start, part, signal), done);
			done += part;
		}
		return out;
	},
});

const endOf = (segment: Segment | undefined): number => (segment ? segment.start + segment.length : 0);

/** Where a stripe begins on a device, in bytes. */
export type Stripe = { readonly device: BlockDevice; readonly at: number };

/** A device whose bytes are on several others in turn, `chunk` bytes of them at a time. */
export const stripedDevice = (identity: Identity, stripes: readonly Stripe[], chunk: number): BlockDevice => ({
	...identity,
	async read(offset, length, signal) {
		signal?.throwIfAborted();
		checkRange(identity, offset, length);
		const out = new Uint8Array(length);
		for (let done = 0; done < length; ) {
			const index = Math.floor((offset + done) / chunk);
			const within = (offset + done) % chunk;
			const part = Math.min(length - done, chunk - within);
			const stripe = stripes[index % stripes.length];
			if (!stripe) throw new CorruptError('nothing is striped here', { path: identity.name });
			out.set(await stripe.device.read(stripe.at + Math.floor(index / stripes.length) * chunk + within, part, signal), done);
			done += part;
		}
		return out;
	},
});

/** What looking into one volume, or one operating system, may cost. Bytes are counted whether cached or not. */
export type Budget = { readonly bytes: number; readonly milliseconds: number };

/** A budget that is being spent. */
export type Allowance = {
	readonly signal: AbortSignal | undefined;
	/** Begin anew, for the next volume. */
	renew(): void;
	/**
	 * Spend bytes and time, at every read and between the pieces of what takes long without one. Lets signals in.
	 * @param where the device or file that it is spent on, for the message.
	 * @throws UnsupportedError if there is no more, and the reason of the signal.
	 */
	take(bytes: number, where: string): Promise<void>;
};

/** All volumes and systems together may cost so many times what one may: however many there are, it comes to an end. */
const ALL_TOGETHER = 3;

export const allowance = ({ bytes, milliseconds }: Budget, signal?: AbortSignal): Allowance => {
	const breathe = breather();
	const lastEnd = performance.now() + milliseconds * ALL_TOGETHER;
	let left = bytes;
	let leftOfAll = bytes * ALL_TOGETHER;
	let end = performance.now() + milliseconds;
	return {
		signal,
		renew() {
			left = bytes;
			end = performance.now() + milliseconds;
		},
		async take(length, path) {
			await breathe();
			signal?.throwIfAborted();
			left -= length;
			leftOfAll -= length;
			const now = performance.now();
			if (left < 0) throw new UnsupportedError(`looking into it takes more than ${bytes} bytes, the limit inspect-bytes`, { path });
			if (now > end)
				throw new UnsupportedError(`looking into it takes longer than ${milliseconds} ms, the limit inspect-seconds`, { path });
			if (leftOfAll < 0 || now > lastEnd)
				throw new UnsupportedError(
					`looking into all that is on the disks takes more than ${ALL_TOGETHER} times the limits inspect-bytes and inspect-seconds`,
					{ path },
				);
		},
	};
};

/** The device, as long as the allowance lasts: for every read, so that readers of file systems need not think of it. */
export const budgeted = (device: BlockDevice, spent: Allowance): BlockDevice => ({
	...device,
	async read(offset, length, signal = spent.signal) {
		await spent.take(length, device.name);
		return device.read(offset, length, signal);
	},
});
