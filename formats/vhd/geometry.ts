import { type Footer, SECTOR } from './layout.ts';

export type Geometry = Pick<Footer, 'cylinders' | 'heads' | 'sectorsPerTrack'>;

const MAX_SECTORS = 65535 * 16 * 255;

/** The cylinders, heads and sectors of a disk of this many bytes, rounded down. Specification, appendix "CHS Calculation". */
export const geometryOf = (size: number): Geometry => {
	const sectors = Math.min(Math.floor(size / SECTOR), MAX_SECTORS);
	let sectorsPerTrack = 17;
	let tracks = Math.floor(sectors / sectorsPerTrack);
	let heads = Math.max(4, Math.ceil(tracks / 1024));
	const use = (perTrack: number): void => {
		sectorsPerTrack = perTrack;
		heads = 16;
		tracks = Math.floor(sectors / perTrack);
	};
	if (sectors >= 65535 * 16 * 63) {
		use(255);
	} else {
		if (tracks >= heads * 1024 || heads > 16) use(31);
		if (tracks >= heads * 1024) use(63);
	}
	return { cylinders: Math.floor(tracks / heads), heads, sectorsPerTrack };
};

/** In bytes. */
export const geometrySize = ({ cylinders, heads, sectorsPerTrack }: Geometry): number => cylinders * heads * sectorsPerTrack * SECTOR;

/** The next size from `size` on that is a whole geometry; sizes over 127 GiB, which no geometry reaches, as they are. */
export const roundedToGeometry = (size: number): number => {
	for (let whole = size; whole <= MAX_SECTORS * SECTOR; whole += SECTOR) {
		if (geometrySize(geometryOf(whole)) === whole) return whole;
	}
	return size;
};

/** The programs whose guests see the geometry: Virtual PC, and QEMU before it learned to write `qem2`. */
const BY_GEOMETRY = ['vpc ', 'qemu'];

/**
 * The virtual size in bytes. Virtual PC shows its guests whole cylinders only and stores a current size that may be larger; for everyone
 * else the current size holds. A geometry is believed only if it is the current size to within a cylinder, and no larger than `room`.
 */
export const virtualSize = (footer: Footer, room: number): number => {
	const size = geometrySize(footer);
	const cylinder = footer.heads * footer.sectorsPerTrack * SECTOR;
	const believed = size > 0 && size <= room && Math.abs(size - footer.currentSize) < cylinder;
	return believed && BY_GEOMETRY.includes(footer.creatorApplication) ? size : footer.currentSize;
};
