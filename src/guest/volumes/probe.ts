import type { BlockDevice } from '../device.ts';
import type { VolumeFacts } from '../facts.ts';
import { type ByteReader, byteReader } from '../reader.ts';

/** What the first bytes of a volume say it is. */
export type Signature = Pick<VolumeFacts, 'type'> & Partial<Omit<VolumeFacts, 'id' | 'type' | 'size'>>;

/** A volume while it is asked what it is. */
export type Probe = {
	readonly device: BlockDevice;
	/** The first `HEAD` bytes; zeros where the volume is smaller. */
	readonly head: ByteReader;
};

/** Looks for one kind of content. Undefined where it is not that. */
export type Prober = (probe: Probe) => Signature | undefined | Promise<Signature | undefined>;

/** Where the superblocks that lie farthest in end: those of btrfs and UFS, from 64 KiB on. */
const HEAD = (64 << 10) + 4096;

export const probeOf = async (device: BlockDevice): Promise<Probe> => {
	const found = await device.read(0, Math.min(HEAD, device.size));
	const padded = found.length === HEAD ? found : new Uint8Array(HEAD);
	if (padded !== found) padded.set(found);
	return { device, head: byteReader(padded, { path: device.name }) };
};

/** Whether the bytes at `at` are this magic, a byte a character. */
export const isAt = (head: ByteReader, at: number, magic: string): boolean =>
	head.bytes(at, magic.length).every((byte, index) => byte === magic.charCodeAt(index));
