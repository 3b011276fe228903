import { CorruptError, UnsupportedError } from '../../errors.ts';
import { byteReader } from '../reader.ts';
import { hiveCells } from './cells.ts';
import type { HiveFile } from './file.ts';
import { type Key, readKey } from './keys.ts';
import { BINS_AT, baseBlock, HIVE_SIGNATURE } from './layout.ts';
import { entriesFrom, readLog } from './log.ts';
import { patchedFile } from './replay.ts';

/** A part of the registry: SYSTEM, SOFTWARE. */
export type Hive = {
	/**
	 * `clean`: written whole. `replayed`: it was not, and its logs had the rest. `dirty`: it was not, and what is missing is not
	 * known: it is read as it stands.
	 */
	readonly state: 'clean' | 'replayed' | 'dirty';
	/** Why it is dirty. */
	readonly why?: string | undefined;
	readonly root: Key;
};

/**
 * Opens a hive, with the newest state that its transaction logs have, in memory alone.
 * @param logs the .LOG1 and .LOG2 beside it, where there are such.
 * @throws CorruptError if it is no hive, UnsupportedError for versions that no Windows since 2000 writes.
 */
export const openHive = async (file: HiveFile, logs: readonly HiveFile[] = []): Promise<Hive> => {
	const path = file.name;
	if (file.size < BINS_AT) throw new CorruptError(`a hive has more than ${file.size} bytes`, { path });
	const stored = await file.read(0, baseBlock.size);
	const base = baseBlock.decode(stored, { path, offset: 0 });
	const at = (field: keyof typeof base) => ({ path, offset: baseBlock.offsets[field], field });
	if (base.signature !== HIVE_SIGNATURE) throw new CorruptError('it is no registry hive', at('signature'));
	if (base.major !== 1 || base.minor < 3 || base.minor > 6) {
		throw new UnsupportedError(`a hive of version ${base.major}.${base.minor}: vconv knows 1.3 to 1.6`, at('major'));
	}

	const intact = checksum(stored) === base.checksum;
	const dirty = !intact || base.primarySequence !== base.secondarySequence;
	const { entries, why } = !dirty
		? NOTHING
		: intact
			? await fromLogs(base.secondarySequence, logs)
			: { ...NOTHING, why: 'its first block has a wrong checksum' };
	const binsSize = entries.at(-1)?.binsSize ?? base.binsSize;
	const patched = entries.length > 0 ? patchedFile(file, entries) : file;
	if (BINS_AT + binsSize > patched.size) {
		throw new CorruptError(`its bins have ${binsSize} bytes, and the file only ${patched.size}`, at('binsSize'));
	}
	const cells = hiveCells(patched, binsSize);
	return {
		state: entries.length > 0 ? 'replayed' : dirty ? 'dirty' : 'clean',
		why,
		root: await readKey(cells, base.rootCell),
	};
};

const NOTHING = { entries: [], why: undefined };

/** What the logs have from a sequence number on; where that is nothing, why. */
const fromLogs = async (sequence: number, files: readonly HiveFile[]) => {
	const logs = [];
	for (const file of files) logs.push(await readLog(file));
	const entries = entriesFrom(sequence, logs);
	if (entries.length > 0) return { entries, why: undefined };
	return {
		entries,
		why: logs.some(({ kind }) => kind === 'old') ? 'its log is of a kind that vconv does not apply' : 'its logs do not have the rest',
	};
};

/** XOR of the words in front of it; 0 and -1 are not used. */
const checksum = (block: Uint8Array): number => {
	const reader = byteReader(block, { path: '' });
	let sum = 0;
	for (let at = 0; at < baseBlock.offsets.checksum; at += 4) sum ^= reader.u32(at);
	if (sum === -1) return 0xffff_fffe;
	return sum === 0 ? 1 : sum >>> 0;
};
