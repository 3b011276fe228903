import { alignUp } from '../bytes/align.ts';
import type { Disk } from '../core/disk.ts';
import type { Progress } from '../core/mover.ts';
import { readDiskInto } from '../disk/read.ts';
import { breather } from '../io/breathe.ts';
import { nodeCodec } from './packer.ts';
import { pages } from './pages.ts';
import { newSha256 } from './sha256.ts';

/** Bytes that are read at a time, at least. */
const PIECE = 1024 * 1024;

/** SHA-256 over all bytes that a guest sees of a disk, zeros too, in hexadecimal: what `sha256sum` says of it as a raw image. */
export const flatHash = async (
	disk: Disk,
	{ signal, onProgress }: { readonly signal?: AbortSignal | undefined; onProgress?(progress: Progress): void },
): Promise<string> => {
	const hash = newSha256();
	const codec = nodeCodec();
	const breathe = breather();
	// Whole units of a compressed image, each of which is unpacked once then.
	const room = pages(alignUp(PIECE, disk.info.compressed ? (disk.info.clusterSize ?? 1) : 1));
	for (let at = 0; at < disk.size; ) {
		signal?.throwIfAborted();
		await breathe();
		const bytes = room.subarray(0, Math.min(room.length, disk.size - at));
		await readDiskInto(disk, codec, at, bytes, signal);
		hash.update(bytes);
		at += bytes.length;
		onProgress?.({ stage: 'verify', done: at, total: disk.size, data: at });
	}
	return hash.digest('hex');
};
