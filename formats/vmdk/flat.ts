import type { Source } from '../../src/core/source.ts';
import { CorruptError } from '../../src/errors.ts';
import type { ExtentLine } from './descriptor.ts';
import type { ExtentFile } from './extent-file.ts';

/** Open a flat extent: guest bytes as they are, from an offset in the file. @throws CorruptError if the file ends first. */
export const openFlat = (line: ExtentLine, source: Source): ExtentFile => {
	if (line.offset + line.size > source.size) {
		throw new CorruptError(`the file has ${source.size} bytes, and its descriptor says that ${line.size} from ${line.offset} are in it`, {
			path: source.name,
			field: 'extent',
			hint: 'a fresh copy: this one is truncated',
		});
	}
	return {
		capacity: line.size,
		async *extents(guestOffset, length) {
			const shift = line.offset;
			const data = (offset: number, count: number) => ({ kind: 'data', offset, length: count, source, at: offset + shift }) as const;
			if (!source.allocated) {
				if (length > 0) yield data(guestOffset, length);
				return;
			}
			let at = guestOffset;
			for await (const run of source.allocated(guestOffset + shift, length)) {
				const offset = run.offset - shift;
				if (offset > at) yield { kind: 'zero', offset: at, length: offset - at };
				yield data(offset, run.length);
				at = offset + run.length;
			}
			if (at < guestOffset + length) yield { kind: 'zero', offset: at, length: guestOffset + length - at };
		},
	};
};
