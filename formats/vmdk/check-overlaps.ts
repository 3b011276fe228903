import { type Bitset, bitset } from '../../src/bytes/bitset.ts';
import { hex } from '../../src/bytes/size.ts';
import { allRuns, type Report } from './all-runs.ts';
import type { GrainMap } from './map.ts';

/** Bits of memory for telling which units of a file are taken: 64 MiB of them. */
const MOST_UNITS = 2 ** 29;

/**
 * Two grains, or a grain and a table, in one place; and places that nothing has. The file is looked at in units as large as the places
 * of all grains allow, so that few bits tell.
 */
export const checkOverlaps = async (map: GrainMap, report: Report, signal?: AbortSignal): Promise<void> => {
	const { source, grainSize } = map;
	const silent: Report = () => {};
	let places = grainSize;
	for await (const { at } of allRuns(map, silent, signal)) if (at > 0) places |= at % 2 ** 31;
	const unit = places & -places;
	const units = Math.ceil(source.size / unit);
	if (units > MOST_UNITS) {
		report({ severity: 'note', code: 'overlaps-unchecked', message: 'whether grains overlap was not checked: the file is too large' });
		return;
	}
	const taken = bitset(units);
	let [start, end] = [units, 0];
	for await (const { first, grains, at } of allRuns(map, silent, signal)) {
		if (at <= 0) continue;
		for (let i = 0; i < grains; i++) {
			const place = at + i * grainSize;
			if (place + grainSize > source.size) continue;
			start = Math.min(start, place / unit);
			end = Math.max(end, (place + grainSize) / unit);
			let free = true;
			for (let part = place; part < place + grainSize; part += unit) free = taken.add(part / unit) && free;
			if (free) continue;
			const message = `the grain of guest offset ${hex((first + i) * grainSize)} is stored at ${hex(place)}, where another grain is too`;
			report({ severity: 'error', code: 'grain-shared', message, offset: place });
		}
	}
	await checkTables(map, unit, taken, report, signal);
	let unused = 0;
	for (let at = start; at < end; at++) if (!taken.has(at)) unused++;
	const count = Math.floor((unused * unit) / grainSize);
	if (count > 0)
		report({ severity: 'leak', code: 'space-unused', message: `room for ${count} grains among the others is in no table`, count });
};

/** No grain may be upon a table. */
const checkTables = async (map: GrainMap, unit: number, taken: Bitset, report: Report, signal?: AbortSignal): Promise<void> => {
	const { source, grainSize, tableEntries, entrySize } = map;
	const tables = Math.ceil(map.capacity / grainSize / tableEntries);
	const size = tableEntries * entrySize;
	const own: number[] = [];
	for (let index = 0; index < tables; index++) {
		const places = await map.directory(index, 1, signal).catch(() => []);
		for (const place of [...places, ...((await map.copies?.(index, 1)) ?? [])]) {
			if (place === 0 || place + size > source.size) continue;
			for (let at = Math.floor(place / unit); at * unit < place + size; at++) {
				if (!taken.has(at)) own.push(at);
				else report({ severity: 'error', code: 'grain-on-table', message: `a grain lies upon grain table ${index}`, offset: at * unit });
			}
		}
	}
	for (const at of own) taken.add(at);
};
