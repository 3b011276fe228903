import path from 'node:path';
import { humanSize } from '../bytes/size.ts';
import type { Layer } from '../convert/open.ts';
import type { SnapshotInfo } from '../core/disk.ts';
import { plain } from './render.ts';

/** The fields of qemu-img info --output=json. */
type ImageFields = ReturnType<typeof imageInfo>;

/** What `info` tells of one image; `usage` is the bytes that all its files take on their disks. */
export const imageInfo = ({ source, disk }: Layer, usage: number) => {
	const { info, parent } = disk;
	const backing = parent?.names[0];
	return {
		'virtual-size': disk.size,
		filename: source.name,
		'cluster-size': info.clusterSize,
		format: info.format,
		'actual-size': usage,
		'format-specific': info.specific,
		'full-backing-filename': backing === undefined ? undefined : fullName(source.name, backing),
		'backing-filename': backing,
		'backing-filename-format': parent?.format,
		snapshots: info.snapshots && info.snapshots.length > 0 ? info.snapshots.map(snapshotFields) : undefined,
		encrypted: info.encrypted,
		'dirty-flag': info.dirty ?? false,
	};
};

/** What a name in an image means from here. It is not looked for. */
const fullName = (image: string, reference: string): string =>
	path.isAbsolute(reference) || /^[a-z][a-z0-9+.-]*:/i.test(reference) ? reference : path.join(path.dirname(image), reference);

const NANO = 1_000_000_000n;

const snapshotFields = (snapshot: SnapshotInfo) => ({
	id: snapshot.id,
	name: snapshot.name,
	'vm-state-size': snapshot.vmStateSize,
	'date-sec': snapshot.dateSeconds,
	'date-nsec': snapshot.dateNanoseconds,
	'vm-clock-sec': Number(snapshot.vmClockNanoseconds / NANO),
	'vm-clock-nsec': Number(snapshot.vmClockNanoseconds % NANO),
	icount: snapshot.icount,
});

/** An image's fields as qemu-img info prints them for people. */
export const infoText = (info: ImageFields): string => {
	const lines = [
		`image: ${plain(info.filename)}`,
		`file format: ${plain(info.format)}`,
		`virtual size: ${humanSize(info['virtual-size'])} (${info['virtual-size']} bytes)`,
		`disk size: ${humanSize(info['actual-size'])}`,
	];
	if (info.encrypted) lines.push('encrypted: yes');
	if (info['cluster-size'] !== undefined) lines.push(`cluster_size: ${info['cluster-size']}`);
	if (info['dirty-flag']) lines.push('cleanly shut down: no');
	const [backing, full] = [info['backing-filename'], info['full-backing-filename']];
	if (backing !== undefined) lines.push(`backing file: ${plain(backing)}${full === backing ? '' : ` (actual path: ${plain(full ?? '')})`}`);
	if (info['backing-filename-format']) lines.push(`backing file format: ${plain(info['backing-filename-format'])}`);
	const snapshots = info.snapshots ? ['Snapshot list:', SNAPSHOT_HEAD, ...info.snapshots.map(snapshotLine)] : [];
	const specific = info['format-specific'] ? ['Format specific information:', ...nested(info['format-specific'].data, 1)] : [];
	return [lines, snapshots, specific]
		.flat()
		.map((line) => `${line}\n`)
		.join('');
};

const SNAPSHOT_HEAD = 'ID        TAG               VM SIZE                DATE     VM CLOCK     ICOUNT';

const snapshotLine = (snapshot: NonNullable<ImageFields['snapshots']>[number]): string => {
	const seconds = snapshot['vm-clock-sec'];
	const two = (value: number) => String(value).padStart(2, '0');
	const milliseconds = String(Math.floor(snapshot['vm-clock-nsec'] / 1_000_000)).padStart(3, '0');
	const vmClock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${milliseconds}`;
	const cells = [
		`${plain(snapshot.id).padEnd(9)} `,
		`${plain(snapshot.name).padEnd(16)} `,
		humanSize(snapshot['vm-state-size']).padStart(8),
		localTime(snapshot['date-sec']).padStart(20),
		vmClock.padStart(13),
		String(snapshot.icount ?? '').padStart(11),
	];
	return cells.join('').trimEnd();
};

/** As `2026-01-31 23:59:59`, in the user's time zone. */
const localTime = (seconds: number): string => {
	const date = new Date(seconds * 1000);
	const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
	return local.toISOString().slice(0, 19).replace('T', ' ');
};

/** Of a longer list so many are shown to people: an image may name tens of thousands of bitmaps. */
const SHOWN = 100;

/** A value of JSON as qemu-img prints it: keys with spaces, lists by number, four spaces a level. */
const nested = (value: object, level: number): string[] => {
	const indent = '    '.repeat(level);
	const fields = Object.entries(value);
	const lines = fields.slice(0, SHOWN).flatMap(([key, inner]) => {
		if (inner === undefined) return [];
		const label = `${indent}${Array.isArray(value) ? `[${key}]` : plain(key).replaceAll('-', ' ')}:`;
		if (typeof inner === 'object' && inner !== null) return [label, ...nested(inner, level + 1)];
		return [`${label} ${plain(String(inner))}`];
	});
	return fields.length > SHOWN ? [...lines, `${indent}… and ${fields.length - SHOWN} more: --output=json has all`] : lines;
};
