import { guidText } from '../../bytes/guid.ts';
import type { DiskFacts } from '../facts.ts';
import { byteReader } from '../reader.ts';
import type { Key } from '../registry/keys.ts';

/** In front of the GUID of a GPT partition. */
const GPT_PREFIX = 'DMIO:ID:';

/** The volumes by their ids, with the drive letters that MountedDevices gives them. */
export const driveLetters = async (system: Key, disks: readonly DiskFacts[]): Promise<ReadonlyMap<string, string>> => {
	const letters = new Map<string, string>();
	for (const value of (await (await system.key('MountedDevices'))?.values()) ?? []) {
		const letter = /^\\DosDevices\\([A-Z]:)$/i.exec(value.name)?.[1];
		const volume = letter && volumeOf(await value.data(), disks);
		if (letter && volume) letters.set(volume, letter);
	}
	return letters;
};

/** A GPT partition is named by its GUID, an MBR's by the disk's signature and the byte that it begins at. */
const volumeOf = (data: Uint8Array, disks: readonly DiskFacts[]): string | undefined => {
	const reader = byteReader(data, { path: 'MountedDevices' });
	const guid = data.length === 24 && reader.latin1(0, 8) === GPT_PREFIX ? guidText(data.subarray(8)) : undefined;
	const signature = data.length === 12 ? reader.u32(0).toString(16).padStart(8, '0') : undefined;
	const start = data.length === 12 ? reader.bits64(4) : undefined;
	for (const { index, scheme, diskId, partitions } of disks) {
		const found = partitions.find((partition) =>
			scheme === 'gpt'
				? guid !== undefined && partition.uuid === guid
				: signature !== undefined && diskId === signature && BigInt(partition.start) === start,
		);
		if (found) return `disk${index}p${found.number}`;
	}
	return undefined;
};
