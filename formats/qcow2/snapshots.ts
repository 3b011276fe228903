import { alignUp } from '../../src/bytes/align.ts';
import type { SnapshotInfo } from '../../src/core/disk.ts';
import type { Source } from '../../src/core/source.ts';
import { CorruptError, UsageError } from '../../src/errors.ts';
import type { Header, L1Table } from './header.ts';
import { LIMIT, snapshotEntry, snapshotExtra } from './layout.ts';

/** An internal snapshot: what `info` tells of it, and its own view of the disk. */
export type Snapshot = SnapshotInfo & {
	readonly l1: L1Table;
	/** Virtual size in bytes when it was taken. */
	readonly size: number;
	/** Host offset of its entry in the snapshot table. */
	readonly at: number;
};

/** "Snapshots": the table, and where it ends. @throws CorruptError where it is not within the file or its limits. */
export const readSnapshots = async (
	source: Source,
	{ snapshots, geometry, size }: Header,
	signal?: AbortSignal,
): Promise<{ readonly list: readonly Snapshot[]; readonly end: number }> => {
	const list: Snapshot[] = [];
	let at = snapshots.offset;
	const corrupt = (why: string) => new CorruptError(why, { path: source.name, offset: at, field: 'snapshots' });
	if (snapshots.count > 0 && at % geometry.clusterSize !== 0) throw corrupt('the snapshot table does not begin on a cluster');
	while (list.length < snapshots.count) {
		const place = { path: source.name, offset: at };
		const entry = snapshotEntry.decode(await source.read(at, snapshotEntry.size, signal), place);
		const { extraDataSize, idSize, nameSize } = entry;
		if (extraDataSize > LIMIT.snapshotExtra) throw corrupt(`a snapshot with ${extraDataSize} bytes of extra data`);
		const length = alignUp(snapshotEntry.size + extraDataSize + idSize + nameSize, 8);
		if (at + length - snapshots.offset > LIMIT.snapshotTable) throw corrupt('the snapshot table is over vconv’s limit of 1 MiB');
		const rest = await source.read(at + snapshotEntry.size, extraDataSize + idSize + nameSize, signal);
		const extra = rest.subarray(0, extraDataSize);
		// Version 2 has no extra data, or less of it: what is not there is as it was before it could be said.
		const more = snapshotExtra.decode(padded(extra), { ...place, offset: at + snapshotEntry.size });
		const icount = extraDataSize >= snapshotExtra.size && more.icount !== 0xffff_ffff_ffff_ffffn ? more.icount : undefined;
		const text = (start: number, count: number) => new TextDecoder().decode(rest.subarray(start, start + count));
		list.push({
			id: text(extraDataSize, idSize),
			name: text(extraDataSize + idSize, nameSize),
			vmStateSize: extraDataSize >= 8 ? more.vmStateSize : entry.vmStateSize,
			dateSeconds: entry.dateSeconds,
			dateNanoseconds: entry.dateNanoseconds,
			vmClockNanoseconds: entry.vmClockNanoseconds,
			icount,
			l1: { offset: entry.l1TableOffset, entries: entry.l1Size },
			size: extraDataSize >= 16 ? more.diskSize : size,
			at,
		});
		at += length;
	}
	return { list, end: at };
};

const padded = (extra: Uint8Array): Uint8Array => {
	const whole = new Uint8Array(snapshotExtra.size);
	whole.set(extra.subarray(0, whole.length));
	return whole;
};

/**
 * The snapshot that the user means by an id, by a name, or by `snapshot.id=…`, `snapshot.name=…` or both. An id goes before a name.
 * @throws UsageError naming those there are.
 */
export const findSnapshot = (list: readonly Snapshot[], wanted: string, path: string): Snapshot => {
	const [, first, value = '', second, other] = /^snapshot\.(id|name)=(.*?)(?:,snapshot\.(id|name)=(.*))?$/s.exec(wanted) ?? [];
	const found = first
		? list.find((one) => one[first as 'id' | 'name'] === value && (!second || one[second as 'id' | 'name'] === other))
		: (list.find(({ id }) => id === wanted) ?? list.find(({ name }) => name === wanted));
	if (found) return found;
	const known = list.map(({ id, name }) => `${id} (${name})`).join(', ');
	throw new UsageError(`it has no internal snapshot '${wanted}'`, { path, hint: known ? `one of ${known}` : 'no -l: it has no snapshots' });
};
