import { describe, expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { planImage } from '../../src/convert/convert.ts';
import { formatNamed } from '../../src/convert/detect.ts';
import { profileNamed, profileOptions, profiles } from '../../src/convert/profiles.ts';
import { targetFormat } from '../../src/convert/target.ts';
import type { OptionValues } from '../../src/core/format.ts';
import type { Note } from '../../src/core/note.ts';
import { UnsupportedError, UsageError } from '../../src/errors.ts';
import { fixedStamp } from '../helpers/image.ts';
import { patternDisk } from '../helpers/pattern.ts';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

const formatFor = (id: string, name: string, asked?: string): string => targetFormat(diskFormats, name, asked, profileNamed(id)).id;

const plan = (id: string, size: number, options: OptionValues = {}, notes: Note[] = []) => {
	const profile = profileNamed(id);
	const format = targetFormat(diskFormats, 'disk', undefined, profile);
	const disk = patternDisk({ size, data: [] });
	return planImage({ disk, format, profile, options, name: 'disk', stamp: fixedStamp(), note: (note) => notes.push(note) });
};

describe.each(profiles)('$name', (profile) => {
	test('takes formats that vconv writes, with options that they have', () => {
		for (const { format, options = {}, defaults = {} } of profile.takes) {
			const { writer } = formatNamed(diskFormats, format);
			for (const option of [...Object.keys(options), ...Object.keys(defaults)]) expect(writer?.options).toHaveProperty(option);
			for (const [option, values] of Object.entries(options)) {
				expect(writer?.options[option]?.values).toEqual(expect.arrayContaining([...values]));
			}
		}
	});

	test('has a size for a disk of any that it takes', () => {
		const { multipleOf, least } = profile.size;
		expect(plan(profile.id, 30 * MiB + 512).size % multipleOf).toBe(0);
		expect(plan(profile.id, Math.max(least, 4 * GiB)).size).toBe(4 * GiB);
	});
});

test('the format is the one asked for, else that of the name, else the preferred one', () => {
	expect(formatFor('aws', 'disk')).toBe('vmdk');
	expect(formatFor('aws', 'disk.vhdx')).toBe('vhdx');
	expect(formatFor('aws', 'disk.vhdx', 'raw')).toBe('raw');
	expect(formatFor('azure', 'disk.qcow2', 'vpc')).toBe('vhd');
});

test('another one is a contradiction, whether the name says it or -O', () => {
	expect(() => formatFor('azure', 'disk.qcow2')).toThrow(UsageError);
	expect(() => formatFor('azure', 'disk.vhd', 'qcow2')).toThrow('Azure takes vhd, and -O says QCOW2 image');
	expect(() => profileNamed('vacuum')).toThrow(UsageError);
});

test('options that were given win over what it prefers, and contradict what it needs', () => {
	const options = (id: string, said: OptionValues) => {
		const profile = profileNamed(id);
		return profileOptions(profile, targetFormat(diskFormats, 'disk', undefined, profile), said);
	};
	expect(options('azure', { align: '1G' })).toEqual({ subformat: 'fixed', force_size: 'on', align: '1G' });
	expect(options('esxi', { subformat: 'streamOptimized' })).toEqual({ subformat: 'streamOptimized' });
	expect(() => options('esxi', { subformat: 'monolithicSparse' })).toThrow('subformat=vmfs or streamOptimized, not monolithicSparse');
	expect(() => options('azure', { subformat: 'dynamic' })).toThrow(UsageError);
	expect(() => plan('azure', GiB + 512, { align: '512' })).toThrow('whole multiples of 1 MiB');
});

test('a size that is rounded up is told', () => {
	const notes: Note[] = [];
	expect(plan('azure', 30 * MiB, {}, notes).size).toBe(30 * MiB);
	expect(notes).toEqual([]);
	expect(plan('azure', 30 * MiB + 1, {}, notes).size).toBe(31 * MiB);
	expect(notes).toMatchObject([{ kind: 'changed', what: `the disk has ${31 * MiB} bytes` }]);
});

test('what is too small or too large is refused with what to do', () => {
	expect(() => plan('azure', 19 * MiB)).toThrow(UnsupportedError);
	expect(() => plan('azure', 19 * MiB)).toThrow(expect.objectContaining({ hint: `-o align=${20 * MiB}, which adds zeros at its end` }));
	expect(plan('azure', 19 * MiB, { align: `${20 * MiB}` }).size).toBe(20 * MiB);
	expect(() => plan('azure', 2040 * GiB + 512)).toThrow('Azure takes disks of up to 1.99 TiB');
	expect(() => plan('esxi', 63 * 1024 * GiB)).toThrow('ESXi takes disks of up to 62 TiB');
});

test('Google Cloud wants an archive, which is said', () => {
	const notes: Note[] = [];
	expect(plan('gcp', 30 * MiB, {}, notes).size).toBe(GiB);
	expect(notes.map(({ what }) => what)).toEqual([`the disk has ${GiB} bytes`, expect.stringContaining('tar --format=oldgnu -Sczf')]);
});
