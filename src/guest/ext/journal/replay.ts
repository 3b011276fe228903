import { extendCrc32c } from '../../../bytes/crc32c.ts';
import { CorruptError } from '../../../errors.ts';
import type { BlockDevice } from '../../device.ts';
import { byteReader } from '../../reader.ts';
import type { Volume } from '../volume.ts';
import { FAST_COMMIT_HEAD, MAGIC } from './layout.ts';
import { type Log, openLog } from './log.ts';
import { type LoggedBlock, transactions } from './scan.ts';

/** A file system after its log. */
export type Replayed = {
	/** The device with the logged blocks over it. */
	readonly device: BlockDevice;
	/** Fast commits follow the last transaction: the newest changes are not seen. */
	readonly hasFastCommits: boolean;
};

/**
 * Replay the log in memory, as Linux does on disk when it mounts. Only where each block is found is held: its bytes and their checksum
 * are read when they are asked for.
 * @throws what `openLog` throws, and CorruptError for blocks outside the file system.
 */
export const replayJournal = async (volume: Volume): Promise<Replayed> => {
	const log = await openLog(volume);
	if (log.start === 0) return { device: volume.device, hasFastCommits: false };
	const path = volume.device.name;
	const newest = new Map<number, LoggedBlock & { readonly sequence: number }>();
	let next = log.sequence;
	for await (const { sequence, logged, revoked } of transactions(log, path)) {
		for (const block of logged) {
			if (block.block >= volume.geometry.blocks)
				throw new CorruptError(`the log has block ${block.block} of ${volume.geometry.blocks}`, { path });
			newest.set(block.block, { ...block, sequence });
		}
		// What is revoked is so up to and with its own transaction; a later one may log it again.
		for (const block of revoked) newest.delete(block);
		next = (sequence + 1) >>> 0;
	}
	return { device: overlaid(volume, log, newest), hasFastCommits: await hasFastCommits(log, next, path) };
};

const overlaid = (volume: Volume, log: Log, blocks: ReadonlyMap<number, LoggedBlock & { readonly sequence: number }>): BlockDevice => {
	const { device, geometry } = volume;
	const { blockSize } = geometry;
	const logged = async (block: LoggedBlock & { readonly sequence: number }): Promise<Uint8Array> => {
		const stored = await log.read(block.position);
		if (block.checksum !== undefined && tagChecksum(log, block.sequence, stored) !== block.checksum) {
			throw new CorruptError(`block ${block.block} of the file system does not have its checksum in the log`, {
				path: device.name,
				offset: log.physical(block.position) * blockSize,
			});
		}
		if (!block.escaped) return stored;
		const bytes = new Uint8Array(stored);
		new DataView(bytes.buffer).setUint32(0, MAGIC);
		return bytes;
	};
	return {
		...device,
		async read(offset, length, signal) {
			const below = await device.read(offset, length, signal);
			let out: Uint8Array | undefined;
			for (let block = Math.floor(offset / blockSize); block * blockSize < offset + length; block++) {
				const found = blocks.get(block);
				if (!found) continue;
				out ??= new Uint8Array(below);
				const start = block * blockSize - offset;
				out.set((await logged(found)).subarray(Math.max(0, -start), Math.min(blockSize, length - start)), Math.max(0, start));
			}
			return out ?? below;
		},
	};
};

/** "Descriptor Block", `t_checksum`: of the transaction's number and the block as it is in the log. */
const tagChecksum = (log: Log, sequence: number, stored: Uint8Array): number => {
	const number = new Uint8Array(4);
	new DataView(number.buffer).setUint32(0, sequence);
	const sum = extendCrc32c(extendCrc32c(log.checksumSeed, number), stored) >>> 0;
	return log.checksums === 'v3' ? sum : sum & 0xffff;
};

/** "Fast commits": whether some follow the last transaction. They say what has changed in inodes, not in blocks, and are not replayed. */
const hasFastCommits = async (log: Log, next: number, path: string): Promise<boolean> => {
	if (log.fastCommits === undefined) return false;
	const head = byteReader(await log.read(log.fastCommits), { path });
	return head.u16(0) === FAST_COMMIT_HEAD && head.u32(8) === next;
};
