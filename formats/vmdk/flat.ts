import type { Source } from '../../src/core/source.ts';
import { storedExtents } from '../../src/disk/stored.ts';
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
		extents: (guestOffset, length) => storedExtents(source, guestOffset, length, guestOffset + line.offset),
	};
};
