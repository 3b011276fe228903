import { GRAIN_SECTORS, GTES_PER_GT } from './grains.ts';
import { NEW_LINES, SPARSE_MAGIC, type SparseHeader, sparseHeader } from './layout.ts';

/** Where the descriptor is within a sparse file that has one, and how much room it has, in sectors. */
export const DESCRIPTOR_AT = 1;
export const DESCRIPTOR_SECTORS = 20;

type Chosen = 'version' | 'flags' | 'capacity' | 'rgdOffset' | 'gdOffset' | 'overHead' | 'compressAlgorithm';

/** The header sector of a file that holds grains, with what is the same in all that are written. */
export const encodeSparseHeader = (fields: Pick<SparseHeader, Chosen>, embedded: boolean): Uint8Array =>
	sparseHeader.encode({
		...fields,
		magicNumber: SPARSE_MAGIC,
		grainSize: GRAIN_SECTORS,
		descriptorOffset: embedded ? DESCRIPTOR_AT : 0,
		descriptorSize: embedded ? DESCRIPTOR_SECTORS : 0,
		numGTEsPerGT: GTES_PER_GT,
		uncleanShutdown: 0,
		singleEndLineChar: NEW_LINES[0],
		nonEndLineChar: NEW_LINES[1],
		doubleEndLineChar1: NEW_LINES[2],
		doubleEndLineChar2: NEW_LINES[3],
		pad: new Uint8Array(),
	});
