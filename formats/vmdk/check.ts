import type { CheckReport, Finding, OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { collectFindings } from '../../src/disk/findings.ts';
import { checkGrains } from './check-grains.ts';
import { openFiles } from './open.ts';
import { parentOf } from './parent.ts';

/**
 * Every entry of every table: that its grain is in the file, upon nothing else, and that redundant copies agree. Opening has seen to the
 * rest: headers, the descriptor against the sizes of its files, and that all of them are there.
 * @throws what opening does, for an image that cannot be looked into.
 */
export const checkVmdk = async (source: Source, context: OpenContext): Promise<CheckReport> => {
	const findings = collectFindings();
	const { descriptor, extents, closeExtents } = await openFiles(source, {
		...context,
		note: ({ what, why }) =>
			findings.add({ severity: 'error', code: 'directory-damaged', message: `${why}; a reader must assume that ${what}` }),
	});
	try {
		const parent = parentOf(descriptor);
		if (parent) {
			const [name, id] = [parent.names[0], parent.ids[0]];
			const what = name === undefined ? `an image of VirtualBox's with the UUID ${id}` : `'${name}' with CID ${id}`;
			const message = `it is a delta of ${what}, which is not looked at`;
			findings.add({ severity: 'note', code: 'delta', message });
		}
		const blocks = { total: 0, allocated: 0, fragmented: 0, compressed: 0 };
		let imageEnd: number | undefined;
		for (const extent of extents) {
			const { map, unclean, source: file = source } = extent;
			const prefix = file === source ? '' : `${file.name}: `;
			const tell = (finding: Finding) => findings.add({ ...finding, message: `${prefix}${finding.message}` });
			if (unclean) tell({ severity: 'note', code: 'unclean-shutdown', message: 'it was not closed by its last writer' });
			if (!map) continue;
			const found = await checkGrains(map, extent.compressed === true, tell, context.signal);
			blocks.total += found.total;
			blocks.allocated += found.allocated;
			blocks.fragmented += found.fragmented;
			blocks.compressed += extent.compressed ? found.allocated : 0;
			if (file === source) imageEnd = found.end;
		}
		return { ...findings.report(), imageEnd, blocks: blocks.total > 0 ? blocks : undefined };
	} finally {
		await closeExtents();
	}
};
