import type { Disk } from '../../src/core/disk.ts';
import type { Source } from '../../src/core/source.ts';
import { UnsupportedError } from '../../src/errors.ts';

/** The whole source, with its holes as zeros where the store can tell them. */
export const openRaw = async (source: Source, context: { readonly snapshot?: string | undefined }): Promise<Disk> => {
	if (context.snapshot !== undefined) throw new UnsupportedError('a raw disk has no internal snapshots', { path: source.name });
	return {
		size: source.size,
		sectorSize: 512,
		info: { format: 'raw' },
		async *extents(guestOffset, length) {
			if (!source.allocated) {
				if (length > 0) yield { kind: 'data', offset: guestOffset, length, source, at: guestOffset };
				return;
			}
			let at = guestOffset;
			for await (const run of source.allocated(guestOffset, length)) {
				if (run.offset > at) yield { kind: 'zero', offset: at, length: run.offset - at };
				yield { kind: 'data', offset: run.offset, length: run.length, source, at: run.offset };
				at = run.offset + run.length;
			}
			if (at < guestOffset + length) yield { kind: 'zero', offset: at, length: guestOffset + length - at };
		},
		close: () => source.close(),
	};
};
