import { expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { formatNamed } from '../../src/convert/detect.ts';
import { optionValues } from '../../src/convert/options.ts';
import type { OptionValues } from '../../src/core/format.ts';
import { vconv } from '../helpers/cli.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const values = (format: string, said: OptionValues): OptionValues =>
	optionValues(formatNamed(diskFormats, format).writer?.options ?? {}, said, format);

test.for([
	['qcow2', 'lazy_refcounts', 'true', 'on'],
	['qcow2', 'extended_l2', 'no', 'off'],
	['vdi', 'static', 'yes', 'on'],
	['vhdx', 'block_state_zero', 'false', 'off'],
	['vmdk', 'zeroed_grain', 'y', 'on'],
	['vhd', 'force_size', 'n', 'off'],
] as const)("a switch has QEMU's other words: %s %s=%s is %s", ([format, name, word, value]) => {
	expect(values(format, { [name]: word })).toMatchObject({ [name]: value });
	expect(() => values(format, { [name]: 'maybe' })).toThrow('is not possible');
	expect(values('qcow2', { compression_level: 'no' })).toMatchObject({ compression_level: 'no' });
});

test('options of qemu-img that ask for what is done anyway are taken, and with other values it is said what to do', () => {
	for (const format of ['vdi', 'vhdx', 'vmdk', 'vhd']) {
		expect(values(format, { preallocation: 'off', nocow: 'off' })).toEqual(values(format, {}));
		expect(() => values(format, { preallocation: 'full' })).toThrow(expect.objectContaining({ hint: 'a subformat that is fixed or flat' }));
	}
	expect(values('qcow2', { encryption: 'off', extent_size_hint: '0' })).toEqual(values('qcow2', {}));
	for (const [name, hint] of [
		['encryption', /encrypted/],
		['size', /qemu-img resize/],
		['backing_file', /-B/],
		['data_file', /one file/],
		['nonsense', /one of compat/],
	] as const) {
		expect(() => values('qcow2', { [name]: 'on' })).toThrow(expect.objectContaining({ hint: expect.stringMatching(hint) }));
	}
});

test.skipIf(!has('qemu-img'))('qemu-img takes the same words', async () => {
	const folder = temporaryFolder();
	const raw = `${folder}/in.raw`;
	rawFile(raw, 1 << 20, [[65536, 4096]]);
	for (const [format, options] of [
		['qcow2', 'lazy_refcounts=true,cluster_size=0x4000,encryption=off,extended_l2=yes'],
		['vdi', 'static=y,preallocation=off'],
		['raw', 'preallocation=falloc'],
	] as const) {
		const [ours, theirs] = [`${folder}/ours.${format}`, `${folder}/theirs.${format}`];
		expect(await vconv('-O', format, '-o', options, raw, ours)).toMatchObject({ code: 0 });
		run('qemu-img', 'convert', '-O', format, '-o', options, raw, theirs);
		const [a, b] = [ours, theirs].map((name) => JSON.parse(run('qemu-img', 'info', '--output=json', name)));
		expect(a['cluster-size']).toBe(b['cluster-size']);
		expect(a['format-specific']).toEqual(b['format-specific']);
		expect(a['actual-size'] >= 1 << 20).toBe(b['actual-size'] >= 1 << 20);
	}
});
