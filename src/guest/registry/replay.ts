import { CorruptError } from '../../errors.ts';
import type { HiveFile } from './file.ts';
import { BINS_AT } from './layout.ts';
import type { LogEntry } from './log.ts';

const SECTOR = 512;

/** A hive as it is once the entries of its logs are applied, in memory alone. */
export const patchedFile = (file: HiveFile, entries: readonly LogEntry[]): HiveFile => {
	const sectors = new Map<number, Uint8Array>();
	for (const { pages } of entries) {
		for (const { offset, bytes } of pages) {
			for (let at = 0; at < bytes.length; at += SECTOR) sectors.set((BINS_AT + offset + at) / SECTOR, bytes.subarray(at, at + SECTOR));
		}
	}
	const size = Math.max(file.size, BINS_AT + (entries.at(-1)?.binsSize ?? 0));
	return {
		name: file.name,
		size,
		async read(offset, length) {
			if (offset + length > size) throw new CorruptError('the hive ends before it', { path: file.name, offset });
			const out = new Uint8Array(length);
			const stored = Math.min(length, file.size - offset);
			if (stored > 0) out.set(await file.read(offset, stored));
			for (let sector = Math.floor(offset / SECTOR); sector * SECTOR < offset + length; sector++) {
				const patch = sectors.get(sector);
				if (!patch) continue;
				const start = Math.max(offset, sector * SECTOR);
				const end = Math.min(offset + length, (sector + 1) * SECTOR);
				out.set(patch.subarray(start - sector * SECTOR, end - sector * SECTOR), start - offset);
			}
			return out;
		},
	};
};
