import type { BlockDevice } from '../device.ts';
import type { DiskFacts, DiskFlag, PartitionFacts } from '../facts.ts';
import { probeVolume } from '../volumes/index.ts';
import { readGpt } from './gpt.ts';
import { bootCodeOf, isHybrid, isProtective, mbrPartitions, parseMbr } from './mbr.ts';

/** What the partition table of a disk says. */
type PartitionTable = Pick<DiskFacts, 'scheme' | 'diskId' | 'flags' | 'partitions' | 'biosBootCode'>;

/**
 * The partitions of a disk. Linux and firmware believe a GPT only if the MBR protects it; here it also counts where its first sector
 * alone was lost, unless the disk holds something else. Partitions of a damaged table are not guessed at, and flags say what is wrong.
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
	const flags: DiskFlag[] = gpt ? [...gpt.flags] : ['gpt-primary-bad', 'gpt-backup-bad'];
	if (!protective) {
		const whole: PartitionTable = { ...none, biosBootCode: biosBootCode === 'grub' ? biosBootCode : null };
		if (!gpt) return whole;
		// Of what the disk was used for before, the second sector and the copy at the end may outlive what was made on it since.
		if ((await probeVolume(device)).type !== 'unknown') return { ...whole, flags: ['gpt-leftover'] };
		flags.push('no-protective-mbr');
		if (flags.includes('gpt-primary-bad')) return { ...whole, flags };
	}
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
