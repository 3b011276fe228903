import type { Finding } from '../../src/core/format.ts';
import { CorruptError } from '../../src/errors.ts';
import { type GrainMap, type GrainRun, grainLookup } from './map.ts';

export type Report = (finding: Finding) => void;

/** The runs of all tables that can be read; of those that cannot, what is wrong with them. */
export async function* allRuns(map: GrainMap, report: Report, signal?: AbortSignal): AsyncGenerator<GrainRun & { readonly first: number }> {
	const total = Math.ceil(map.capacity / map.grainSize);
	let look = grainLookup(map);
	let careful = false;
	for (let grain = 0; grain < total; ) {
		try {
			for (const run of await look(grain, total - grain, signal)) {
				yield { ...run, first: grain };
				grain += run.grains;
			}
		} catch (error) {
			if (!(error instanceof CorruptError)) throw error;
			if (careful) {
				const { message, offset } = error;
				report({ severity: 'error', code: 'table-damaged', message, offset });
				grain = (Math.floor(grain / map.tableEntries) + 1) * map.tableEntries;
			}
			look = grainLookup(map, 1); // table by table from here on
			careful = true;
		}
	}
}
