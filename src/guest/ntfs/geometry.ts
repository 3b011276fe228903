import { isPowerOfTwo } from '../../bytes/align.ts';
import { hexDigits } from '../../bytes/hex.ts';
import { CorruptError } from '../../errors.ts';
import type { BlockDevice } from '../device.ts';
import { bootSector, OEM } from './layout.ts';

/** The sizes of a volume, in bytes. */
export type Geometry = {
	/** Of the volume. */
	readonly size: number;
	readonly clusterSize: number;
	readonly clusters: number;
	/** Of a record of the MFT. */
	readonly recordSize: number;
	/** Where the MFT begins. */
	readonly mftAt: number;
	/** The volume's serial number, as blkid writes it. */
	readonly uuid: string;
};

/** The largest cluster that Windows makes, in bytes. */
const LARGEST_CLUSTER = 2 << 20;

/** @throws CorruptError if the first sector is not that of an NTFS volume. */
export const readGeometry = async (device: BlockDevice): Promise<Geometry> => {
	const path = device.name;
	const boot = bootSector.decode(await device.read(0, Math.min(512, device.size)), { path, offset: 0 });
	const corrupt = (field: keyof typeof boot, why: string) => new CorruptError(why, { path, offset: bootSector.offsets[field], field });
	if (boot.oem !== OEM) throw corrupt('oem', 'it is no NTFS volume');
	const { bytesPerSector, sectorsPerCluster, sectors } = boot;
	if (!isPowerOfTwo(bytesPerSector) || bytesPerSector < 256 || bytesPerSector > 4096) {
		throw corrupt('bytesPerSector', `sectors of ${bytesPerSector} bytes: they have 256 to 4096`);
	}
	const clusterSize = bytesPerSector * (sectorsPerCluster > 128 ? 2 ** (256 - sectorsPerCluster) : sectorsPerCluster);
	if (!isPowerOfTwo(clusterSize) || clusterSize > LARGEST_CLUSTER) {
		throw corrupt('sectorsPerCluster', `clusters of ${clusterSize} bytes: they have a power of two up to ${LARGEST_CLUSTER}`);
	}
	const recordSize = boot.recordSize > 127 ? 2 ** (256 - boot.recordSize) : boot.recordSize * clusterSize;
	if (!isPowerOfTwo(recordSize) || recordSize < 512 || recordSize > 65536) {
		throw corrupt('recordSize', `records of ${recordSize} bytes: they have a power of two from 512 to 65536`);
	}
	const size = sectors * bytesPerSector;
	if (!Number.isSafeInteger(size)) throw corrupt('sectors', `${sectors} sectors are over 2^53 bytes`);
	const clusters = Math.floor(size / clusterSize);
	if (boot.mftCluster >= clusters) throw corrupt('mftCluster', `the MFT is in cluster ${boot.mftCluster}, and there are ${clusters}`);
	return {
		size,
		clusterSize,
		clusters,
		recordSize,
		mftAt: boot.mftCluster * clusterSize,
		uuid: hexDigits(boot.serial.toReversed()).toUpperCase(),
	};
};
