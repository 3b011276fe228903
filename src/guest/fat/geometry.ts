import { isPowerOfTwo } from '../../bytes/align.ts';
import { CorruptError } from '../../errors.ts';
import type { BlockDevice } from '../device.ts';
import { bootSector, fat32, volumeFields } from './layout.ts';

/** Where everything of a FAT volume is, in bytes from its start. */
export type Geometry = {
	readonly bits: 12 | 16 | 32;
	/** Of the volume. */
	readonly size: number;
	readonly clusterSize: number;
	/** They are numbered from 2. */
	readonly clusters: number;
	/** The table in use. */
	readonly tableAt: number;
	/** FAT12 and FAT16. */
	readonly rootAt: number;
	readonly rootSize: number;
	/** FAT32. */
	readonly rootCluster: number;
	/** Of cluster 2. */
	readonly dataAt: number;
	readonly volume: ReturnType<typeof volumeFields.decode>;
};

/** @throws CorruptError if the first sector is not that of a FAT volume. */
export const readGeometry = async (device: BlockDevice): Promise<Geometry> => {
	const path = device.name;
	const sector = await device.read(0, Math.min(512, device.size));
	const boot = bootSector.decode(sector, { path, offset: 0 });
	const corrupt = (field: keyof typeof boot, why: string) => new CorruptError(why, { path, offset: bootSector.offsets[field], field });
	const { bytesPerSector, sectorsPerCluster, reservedSectors, tables, rootEntries } = boot;
	if (!isPowerOfTwo(bytesPerSector) || bytesPerSector < 512 || bytesPerSector > 4096) {
		throw corrupt('bytesPerSector', `sectors of ${bytesPerSector} bytes: they have 512 to 4096`);
	}
	if (!isPowerOfTwo(sectorsPerCluster)) throw corrupt('sectorsPerCluster', `clusters of ${sectorsPerCluster} sectors`);
	if (reservedSectors === 0) throw corrupt('reservedSectors', 'no sector in front of the table');
	if (tables === 0 || tables > 16) throw corrupt('tables', `${tables} tables`);

	const wide = boot.tableSectors16 === 0;
	const extended = fat32.decode(sector.subarray(bootSector.size), { path, offset: bootSector.size });
	const volumeAt = bootSector.size + (wide ? fat32.size : 0);
	const tableSectors = boot.tableSectors16 || extended.tableSectors;
	const sectors = boot.sectors16 || boot.sectors32;
	const rootSectors = Math.ceil((rootEntries * 32) / bytesPerSector);
	const dataSector = reservedSectors + tables * tableSectors + rootSectors;
	const clusters = Math.floor((sectors - dataSector) / sectorsPerCluster);
	if (clusters < 1) throw corrupt('sectors32', `${sectors} sectors, of which ${dataSector} are tables`);
	// §3.5 goes by the number of clusters alone; Linux, mtools and firmware read small volumes as FAT32 that say they are.
	const bits = wide ? 32 : clusters < 4085 ? 12 : 16;
	if (clusters > 0x0fff_fff5 || tableSectors * bytesPerSector * 8 < (clusters + 2) * bits) {
		throw corrupt('tableSectors16', `a table of ${tableSectors} sectors for ${clusters} clusters`);
	}
	// Bit 7 of FAT32's flags: one table alone is kept, and the lowest bits tell which.
	const active = wide && extended.flags & 0x80 ? extended.flags & 0x0f : 0;
	if (active >= tables) throw corrupt('tables', `table ${active} is in use, and there are ${tables}`);
	return {
		bits,
		size: sectors * bytesPerSector,
		clusterSize: sectorsPerCluster * bytesPerSector,
		clusters,
		tableAt: (reservedSectors + active * tableSectors) * bytesPerSector,
		rootAt: (reservedSectors + tables * tableSectors) * bytesPerSector,
		rootSize: rootEntries * 32,
		rootCluster: wide ? extended.rootCluster : 0,
		dataAt: dataSector * bytesPerSector,
		volume: volumeFields.decode(sector.subarray(volumeAt), { path, offset: volumeAt }),
	};
};
