import { expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { planImage } from '../../src/convert/convert.ts';
import { formatNamed } from '../../src/convert/detect.ts';
import type { Note } from '../../src/core/note.ts';
import { UnsupportedError } from '../../src/errors.ts';
import { fixedStamp } from '../helpers/image.ts';
import { patternDisk } from '../helpers/pattern.ts';

const disk = { ...patternDisk({ size: 1 << 20, data: [] }), sectorSize: 4096 as const };

const plan = (format: string, sectorSize?: 512 | 4096, notes: Note[] = []) =>
	planImage({
		disk,
		format: formatNamed(diskFormats, format),
		name: 'disk',
		stamp: fixedStamp(),
		sectorSize,
		note: (note) => notes.push(note),
	});

const writable = diskFormats.filter((format) => format.writer).map((format) => format.id);

test.for(writable.filter((id) => id !== 'raw' && id !== 'vhdx'))('a disk with sectors of 4096 bytes becomes no %s unasked', (id) => {
	expect(() => plan(id)).toThrow(UnsupportedError);
	expect(() => plan(id)).toThrow(/sectors of 4096 bytes/);
	expect(plan(id, 512).size).toBe(disk.size);
});

test('VHDX keeps sectors of 4096 bytes', () => {
	expect(plan('vhdx').size).toBe(disk.size);
});

test('a raw disk cannot say what sectors it has, and the user is told', () => {
	const notes: Note[] = [];
	plan('raw', undefined, notes);
	expect(notes).toMatchObject([{ kind: 'dropped', what: 'that its sectors have 4096 bytes' }]);
	plan('raw', 512, notes);
	expect(notes).toHaveLength(1);
});
