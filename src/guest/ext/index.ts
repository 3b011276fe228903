import { uuidText } from '../../bytes/guid.ts';
import { CorruptError } from '../../errors.ts';
import type { BlockDevice } from '../device.ts';
import type { FileSystem, FileSystemReader } from '../filesystem.ts';
import { readContents, readTarget } from './contents.ts';
import { listDirectory } from './directory.ts';
import { countFree } from './free.ts';
import { type Replayed, replayJournal } from './journal/replay.ts';
import { ROOT_INODE, STATE } from './layout.ts';
import { type Geometry, readSuperblock } from './superblock.ts';
import { type ExtNode, extVolume, type Volume } from './volume.ts';

/**
 * ext2, ext3 and ext4. A log that was not written back is replayed in memory: what is seen is what Linux would mount.
 * @throws UnsupportedError for features that are not read, and a log on another device that is needed.
 */
const open = async (device: BlockDevice): Promise<FileSystem<ExtNode>> => {
	const { volume, log } = await mount(device);
	const { geometry } = volume;
	const isValid = (geometry.state & STATE.clean) !== 0;
	const hasErrors = (geometry.state & STATE.errors) !== 0;
	const states = log ? ['needs-recovery', ...(log.hasFastCommits ? ['fast-commits-not-replayed'] : [])] : [];
	const clean = isValid && !hasErrors && states.length === 0;
	return {
		type: geometry.type,
		label: geometry.label || undefined,
		uuid: uuidText(geometry.uuid),
		size: geometry.blocks * geometry.blockSize,
		blockSize: geometry.blockSize,
		...(clean ? { free: geometry.freeBlocks * geometry.blockSize, freeInodes: geometry.freeInodes } : await countFree(volume)),
		clean,
		state: [...states, ...(isValid ? [] : ['not-unmounted']), ...(hasErrors ? ['errors'] : []), ...(geometry.casefold ? ['casefold'] : [])],
		unseen: log?.hasFastCommits ? 'its newest changes are fast commits, which vconv does not replay' : undefined,
		caseInsensitive: false,
		async root() {
			const root = await volume.inode(ROOT_INODE);
			if (root.kind !== 'directory') throw new CorruptError('the root of the file system is not a directory', { path: device.name });
			return root;
		},
		list: (directory) => listDirectory(volume, directory),
		node: (entry) => volume.inode(entry.id),
		read: (file, offset, length) => readContents(volume, file, offset, length),
		readlink: (link) => readTarget(volume, link),
	};
};

/** The file system as it is after its log, and that log where it was needed. */
const mount = async (device: BlockDevice): Promise<{ readonly volume: Volume; readonly log?: Replayed }> => {
	const stored = extVolume(device, await readSuperblock(device));
	if (!stored.geometry.needsRecovery) return { volume: stored };
	const log = await replayJournal(stored);
	const geometry: Geometry = await readSuperblock(log.device);
	return { volume: extVolume(log.device, geometry), log };
};

export const extReader: FileSystemReader = { types: ['ext2', 'ext3', 'ext4'], open };
