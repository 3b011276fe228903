import { extendCrc32c } from '../../bytes/crc32c.ts';
import { CorruptError } from '../../errors.ts';
import { byteReader } from '../reader.ts';
import { EXTENT_ENTRY, EXTENT_MAGIC, extentHeader, FLAG, LARGEST_EXTENT, LIMIT } from './layout.ts';
import type { ExtNode, Volume } from './volume.ts';

/** `count` blocks of a file from its block `logical` on are at block `physical` of the file system; 0 reads as zeros. */
export type Run = { readonly logical: number; readonly physical: number; readonly count: number };

/**
 * Where the blocks `[first, first + count)` of a file are: ascending, adjoining, all of them.
 * @throws CorruptError where the tables contradict the format.
 */
export const fileBlocks = (volume: Volume, node: ExtNode, first: number, count: number): AsyncIterable<Run> =>
	(node.flags & FLAG.extents) !== 0
		? filled(extents(volume, node, first, first + count), first, count)
		: mapped(volume, node, first, count);

/** Holes spelled out. */
async function* filled(runs: AsyncIterable<Run>, first: number, count: number): AsyncGenerator<Run> {
	const end = first + count;
	let at = first;
	for await (const { logical, physical, count: length } of runs) {
		if (logical > at) yield { logical: at, physical: 0, count: logical - at };
		const skip = Math.max(0, at - logical);
		const part = Math.min(logical + length, end) - logical - skip;
		if (part <= 0) continue;
		yield { logical: logical + skip, physical: physical === 0 ? 0 : physical + skip, count: part };
		at = logical + skip + part;
	}
	if (at < end) yield { logical: at, physical: 0, count: end - at };
}

/** "Extent Tree": the extents that have a part in `[first, end)`, ascending and disjoint. */
const extents = (volume: Volume, node: ExtNode, first: number, end: number): AsyncGenerator<Run> => {
	const corrupt = (why: string): CorruptError =>
		new CorruptError(`the extent tree of inode ${node.id} makes no sense: ${why}`, { path: volume.device.name });

	/** `[from, to)`: what the parent says that this node is for. */
	async function* walk(data: Uint8Array, from: number, to: number, expectedDepth: number | undefined): AsyncGenerator<Run> {
		const { magic, entries, capacity, depth } = extentHeader.decode(data, { path: volume.device.name, offset: 0 });
		if (magic !== EXTENT_MAGIC) throw corrupt('a node of it is none');
		if (depth > LIMIT.extentDepth || (expectedDepth !== undefined && depth !== expectedDepth)) throw corrupt(`a node is at depth ${depth}`);
		if (entries > capacity || extentHeader.size + capacity * EXTENT_ENTRY > data.length) throw corrupt(`a node has ${entries} entries`);
		const checksumAt = extentHeader.size + capacity * EXTENT_ENTRY;
		const reader = byteReader(data, { path: volume.device.name });
		if (expectedDepth !== undefined && node.checksumSeed !== undefined) {
			const sum = extendCrc32c(node.checksumSeed, data.subarray(0, checksumAt)) >>> 0;
			if (sum !== reader.u32(checksumAt)) throw corrupt('a node does not have the checksum that it says');
		}
		let reached = from;
		for (let index = 0; index < entries; index++) {
			const at = extentHeader.size + index * EXTENT_ENTRY;
			const logical = reader.u32(at);
			if (logical < reached || logical >= to) throw corrupt(`an entry for block ${logical} is out of place`);
			if (depth === 0) {
				const length = reader.u16(at + 4);
				const isWritten = length <= LARGEST_EXTENT;
				const count = isWritten ? length : length - LARGEST_EXTENT;
				if (count === 0 || logical + count > to) throw corrupt(`an extent of ${count} blocks from block ${logical} on`);
				reached = logical + count;
				const physical = reader.u32(at + 8) + reader.u16(at + 6) * 2 ** 32;
				if (isWritten && physical === 0) throw corrupt('an extent is at block 0');
				if (reached > first && logical < end) yield { logical, physical: isWritten ? physical : 0, count };
			} else {
				const next = index + 1 < entries ? reader.u32(at + EXTENT_ENTRY) : to;
				if (next <= logical) throw corrupt(`an entry for block ${next} is out of place`);
				reached = logical + 1;
				if (next <= first || logical >= end) continue;
				const child = await volume.blocks(reader.u32(at + 4) + reader.u16(at + 8) * 2 ** 32, 1);
				yield* walk(child, logical, next, depth - 1);
			}
			if (reached >= end) return;
		}
	}
	return walk(node.block, 0, 2 ** 32, undefined);
};

/** "Direct/Indirect Block Addressing" */
async function* mapped(volume: Volume, node: ExtNode, first: number, count: number): AsyncGenerator<Run> {
	const perBlock = volume.geometry.blockSize / 4;
	const root = byteReader(node.block, { path: volume.device.name });
	const end = first + count;
	let at = first;

	/** The blocks from `at` on that a table of `level` has; its first entry is for block `start`. */
	async function* table(block: number, level: number, start: number): AsyncGenerator<Run> {
		const span = perBlock ** (level - 1);
		if (block === 0) {
			const stop = Math.min(end, start + span * perBlock);
			yield { logical: at, physical: 0, count: stop - at };
			at = stop;
			return;
		}
		const entries = byteReader(await volume.blocks(block, 1), { path: volume.device.name });
		for (let index = Math.floor((at - start) / span); index < perBlock && at < end; index++) {
			const entry = entries.u32(index * 4);
			if (level > 1) yield* table(entry, level - 1, start + index * span);
			else yield { logical: at++, physical: entry, count: 1 };
		}
	}

	for (; at < Math.min(end, DIRECT); at++) yield { logical: at, physical: root.u32(at * 4), count: 1 };
	let start = DIRECT;
	for (let level = 1; level <= 3 && at < end; level++) {
		const span = perBlock ** level;
		if (at < start + span) yield* table(root.u32((DIRECT + level - 1) * 4), level, start);
		start += span;
	}
	if (at < end) throw new CorruptError(`inode ${node.id} is larger than its map of blocks can be`, { path: volume.device.name });
}

/** So many blocks an inode names itself; then come a table, a table of tables and one of those. */
const DIRECT = 12;
