import type { BlockDevice } from '../device.ts';
import type { DiskFacts, DiskFlag, PartitionFacts } from '../facts.ts';
import { readGpt } from './gpt.ts';
import { bootCodeOf, isHybrid, isProtective, mbrPartitions, parseMbr } from './mbr.ts';

/** What the partition table of a disk says. */
type PartitionTable = Pick<DiskFacts, 'scheme' | 'diskId' | 'flags' | 'partitions' | 'biosBootCode'>;

/**
 * The partitions of a disk. As Linux and firmware have it, a GPT counts only if the MBR protects it, or is empty; partitions of a
 * damaged table are not guessed at, and flags say what is wrong.
 */
export const readPartitions = async (device: BlockDevice): Promise<PartitionTable> => {
	const none: PartitionTable = { scheme: 'none', flags: [], partitions: [], biosBootCode: null };
	if (device.size < device.sectorSize) return none;
	const sector = (await device.read(0, device.sectorSize)).subarray(0, 512);
	const biosBootCode = bootCodeOf(sector);
	const mbr = parseMbr(sector, device.name);
	const protective = mbr !== undefined && isProtective(mbr);
	if (mbr && !protective) {
		const { partitions, flags } = await mbrPartitions(device, mbr);
		return { scheme: 'mbr', diskId: mbr.diskId, partitions, biosBootCode, flags: [...flags, ...layoutFlags(partitions, device.size)] };
	}
	const gpt = await readGpt(device);
	if (!gpt && !protective) return { ...none, biosBootCode: biosBootCode === 'grub' ? biosBootCode : null };
	const flags: DiskFlag[] = gpt ? [...gpt.flags] : ['gpt-primary-bad', 'gpt-backup-bad'];
	if (!protective) flags.push('no-protective-mbr');
	if (mbr && isHybrid(mbr)) flags.push('hybrid-mbr');
	const partitions = gpt?.partitions ?? [];
	return {
		scheme: 'gpt',
		diskId: gpt?.diskId,
		partitions,
		biosBootCode,
		flags: [...flags, ...layoutFlags(partitions, device.size)],
	};
};

/** What is wrong with where partitions are. An extended one holds the logical ones and is no neighbour of theirs. */
const layoutFlags = (partitions: readonly PartitionFacts[], size: number): DiskFlag[] => {
	const flags: DiskFlag[] = [];
	const placed = partitions.filter(({ type }) => type !== 'extended').toSorted((a, b) => a.start - b.start);
	if (placed.some((partition, index) => index > 0 && partition.start < endOf(placed[index - 1]))) flags.push('partitions-overlap');
	if (placed.some((partition) => partition.size === 0 || endOf(partition) > size)) flags.push('partition-outside');
	return flags;
};

const endOf = (partition: PartitionFacts | undefined): number => (partition ? partition.start + partition.size : 0);
