import { extendCrc32c } from '../../../bytes/crc32c.ts';
import { CorruptError } from '../../../errors.ts';
import { byteReader } from '../../reader.ts';
import { crc32be } from './crc32-be.ts';
import { BLOCK, blockHeader, commitBlock, MAGIC, revokeHeader, TAG, UUID_SIZE } from './layout.ts';
import type { Log } from './log.ts';

/** A block that a transaction has written. */
export type LoggedBlock = {
	/** Of the file system: where it belongs. */
	readonly block: number;
	/** Of the log: where it is. */
	readonly position: number;
	/** Its first four bytes were those of the log's own blocks, and are zeros in the log. */
	readonly escaped: boolean;
	/** As its tag says it; undefined where tags have none. */
	readonly checksum: number | undefined;
};

export type Transaction = {
	readonly sequence: number;
	readonly logged: readonly LoggedBlock[];
	/** Blocks of which no older copy, nor one of this transaction, is to be replayed. */
	readonly revoked: readonly number[];
};

/**
 * The transactions that were committed, the oldest first. The log ends at the first block that is not the next of a transaction, or does
 * not have its checksum: what was being written when the machine stopped.
 */
export async function* transactions(log: Log, path: string): AsyncGenerator<Transaction> {
	let position = log.start;
	let sequence = log.sequence;
	let logged: LoggedBlock[] = [];
	let revoked: number[] = [];
	let sum = -1;
	for (let used = 0; used < log.capacity; used++) {
		const data = await log.read(position);
		const header = blockHeader.decode(data, { path, offset: 0 });
		if (header.magic !== MAGIC || header.sequence !== sequence) return;
		position = log.next(position);
		switch (header.type) {
			case BLOCK.descriptor: {
				if (!hasTailChecksum(log, data)) return;
				if (log.checksums === 'transactions') sum = crc32be(sum, data);
				for (const tag of tags(log, data, path)) {
					if (++used >= log.capacity) return;
					logged.push({ ...tag, position });
					if (log.checksums === 'transactions') sum = crc32be(sum, await log.read(position));
					position = log.next(position);
				}
				break;
			}
			case BLOCK.revoke:
				if (!hasTailChecksum(log, data)) return;
				for (const block of revocations(log, data, path)) revoked.push(block);
				break;
			case BLOCK.commit:
				if (!isCommitted(log, data, sum, path)) return;
				yield { sequence, logged, revoked };
				sequence = (sequence + 1) >>> 0;
				[logged, revoked, sum] = [[], [], -1];
				break;
			default:
				return;
		}
	}
}

/** "Descriptor Block" */
function* tags(log: Log, data: Uint8Array, path: string): Generator<Omit<LoggedBlock, 'position'>> {
	const reader = byteReader(data, { path, endian: 'big' });
	const size = tagSize(log);
	const end = data.length - (log.checksums === 'v2' || log.checksums === 'v3' ? TAIL : 0);
	for (let at = blockHeader.size; at + size <= end; ) {
		const flags = log.checksums === 'v3' ? reader.u32(at + 4) : reader.u16(at + 6);
		const block = reader.u32(at) + (log.wide ? reader.u32(at + 8) * 2 ** 32 : 0);
		if (!Number.isSafeInteger(block)) throw new CorruptError(`the log has block ${block}`, { path });
		const checksum = log.checksums === 'v3' ? reader.u32(at + 12) : log.checksums === 'v2' ? reader.u16(at + 4) : undefined;
		yield { block, escaped: (flags & TAG.escaped) !== 0, checksum };
		if ((flags & TAG.last) !== 0) return;
		at += size + ((flags & TAG.sameUuid) !== 0 ? 0 : UUID_SIZE);
	}
}

/** Tags without 64-bit numbers end before their high half; those with checksums of 16 bits are two bytes longer than they need. */
const tagSize = ({ checksums, wide }: Log): number => (checksums === 'v3' ? 16 : 8 + (wide ? 4 : 0) + (checksums === 'v2' ? 2 : 0));

/** "Revocation Block" */
function* revocations(log: Log, data: Uint8Array, path: string): Generator<number> {
	const { size } = revokeHeader.decode(data, { path, offset: 0 });
	if (size > data.length) throw new CorruptError(`a revocation block of the log has ${size} bytes`, { path });
	const reader = byteReader(data, { path, endian: 'big' });
	const width = log.wide ? 8 : 4;
	for (let at = revokeHeader.size; at + width <= size; at += width) yield log.wide ? reader.u64(at) : reader.u32(at);
}

/** What ends descriptor and revocation blocks from the second kind of checksums on, in bytes. */
const TAIL = 4;

const hasTailChecksum = (log: Log, data: Uint8Array): boolean =>
	log.checksums === 'none' || log.checksums === 'transactions' || hasChecksum(log, data, data.length - TAIL);

/** Whether a block has the checksum that is at `hole` of it. */
const hasChecksum = (log: Log, data: Uint8Array, hole: number): boolean => {
	const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
	const before = extendCrc32c(extendCrc32c(log.checksumSeed, data.subarray(0, hole)), new Uint8Array(4));
	return extendCrc32c(before, data.subarray(hole + 4)) >>> 0 === view.getUint32(hole);
};

/** "Commit Block". @param sum of all blocks of the transaction, where its checksum is of them. */
const isCommitted = (log: Log, data: Uint8Array, sum: number, path: string): boolean => {
	if (log.checksums === 'v2' || log.checksums === 'v3') return hasChecksum(log, data, commitBlock.offsets.checksum);
	if (log.checksums === 'none') return true;
	const commit = commitBlock.decode(data, { path, offset: 0 });
	const hasNone = commit.checksumType === 0 && commit.checksumSize === 0 && commit.checksum === 0;
	return hasNone || (commit.checksumType === 1 && commit.checksumSize === 4 && commit.checksum === sum >>> 0);
};
