import path from 'node:path';
import type { Options } from 'yargs';
import { diskFormats } from '../../../formats/index.ts';
import { freshStamp } from '../../api.ts';
import { parseSize } from '../../bytes/size.ts';
import { planImage } from '../../convert/convert.ts';
import { parseLimits } from '../../convert/limits.ts';
import { measureFull, measureImage } from '../../convert/measure.ts';
import { profileNamed } from '../../convert/profiles.ts';
import { targetFormat } from '../../convert/target.ts';
import type { Disk } from '../../core/disk.ts';
import { limitsOf, refuseOver } from '../../core/limits.ts';
import { emptyDisk } from '../../disk/empty.ts';
import { UnsupportedError, UsageError } from '../../errors.ts';
import { type Arguments, command, operands } from '../command.ts';
import { asksForOptions, optionsHelp, parseFormatOptions, sectorSizeOption } from '../format-options.ts';
import { inputOptions, isJson, openDisk, snapshotOption } from '../input.ts';
import { plain, toJson } from '../render.ts';

const options = {
	'output-format': { alias: 'O', type: 'string', describe: 'format of the image to be; raw where left out' },
	...inputOptions,
	option: { alias: 'o', type: 'string', array: true, describe: 'options of that format: name=value,…; help lists them' },
	for: { type: 'string', describe: 'what is to take the image, as in vconv convert' },
	compress: { alias: 'c', type: 'boolean', describe: 'measure what -c would write, as if nothing could be saved' },
	...snapshotOption,
	...sectorSizeOption,
	size: { type: 'string', describe: 'measure an empty disk of this size, instead of an image' },
} as const satisfies Record<string, Options>;

/** `vconv measure`: how long the files of an image would be, as qemu-img measure says it. */
export const measure = command({
	command: 'vconv measure',
	operands: 'IMAGE',
	about: `How many bytes the disk of IMAGE would take in another format: with what it holds now, and if every block were allocated.
It is the length of the files that vconv convert would write, under the name of IMAGE with the extension of the format: to the byte if
the map of IMAGE tells all of its zeros, otherwise the most it can be. What is compressed is measured as if it did not shrink.
What dirty bitmaps of IMAGE would add to a QCOW2 is told apart: vconv convert leaves them out.`,
	options,
	examples: [
		['vconv measure -O qcow2 web.vmdk', 'room for a conversion'],
		['vconv measure -O vhdx --size 100G', 'room for an empty disk'],
	],
	async run(args, io) {
		const profile = args.for === undefined ? undefined : profileNamed(args.for);
		const format = targetFormat(diskFormats, '', args['output-format'] ?? (profile ? undefined : 'raw'), profile);
		if (asksForOptions(args.option)) {
			io.stdout.write(optionsHelp(format, isJson(args), io.stdout.columns));
			return 0;
		}
		const [image] = args.size === undefined ? operands(args, 'IMAGE') : ['disk'];
		const disk = args.size === undefined ? await openDisk(image, args, io) : diskOfSize(args.size, args);
		try {
			const plan = () =>
				planImage({
					disk,
					format,
					name: `${path.parse(image).name}.${format.extensions[0]}`,
					options: parseFormatOptions(args.option),
					profile,
					compress: args.compress,
					sectorSize: args['sector-size'],
					stamp: freshStamp(),
				});
			const layout = plan();
			const bitmaps = holdsBitmaps(format.id, args.option) ? disk.info.bitmapsSize?.(layout.outline?.unit ?? layout.block) : undefined;
			const atMost = layout.packing !== undefined;
			const { length: required } = await measureImage(disk, layout, io.signal);
			const full = await measureFull(disk, plan(), io.signal).catch((error) => {
				if (error instanceof UnsupportedError) return error;
				throw error;
			});
			if (isJson(args)) {
				const fully = full instanceof UnsupportedError ? null : full.length;
				io.stdout.write(`${toJson({ bitmaps, required, 'fully-allocated': fully, ...(atMost && { 'at-most': true }) }, 4)}\n`);
			} else {
				const note = atMost ? ' at the most: it is compressed' : '';
				const fully = full instanceof UnsupportedError ? `none: ${plain(full.message)}` : `${full.length}${note}`;
				const others = bitmaps === undefined ? '' : `bitmaps size: ${bitmaps}\n`;
				io.stdout.write(`required size: ${required}${note}\nfully allocated size: ${fully}\n${others}`);
			}
			return 0;
		} finally {
			await disk.close();
		}
	},
});

/** Whether an image can have dirty bitmaps: vconv writes none, and qemu-img measures what they would add. */
const holdsBitmaps = (format: string, said: readonly string[] | undefined): boolean =>
	format === 'qcow2' && !['0.10', 'v2'].includes(parseFormatOptions(said)['compat'] ?? '');

/** The empty disk that `--size` says, which is held against the limits as one in an image is. */
const diskOfSize = (said: string, { operands: [image], limit, untrusted }: Arguments<typeof options>): Disk => {
	if (image !== undefined)
		throw new UsageError(`--size is measured instead of an image, and ${image} is given too`, { hint: 'one of the two' });
	const size = parseSize(said);
	if (size === undefined) throw new UsageError(`--size ${said} is not a size`, { hint: '--size 20G' });
	refuseOver('virtual-size', size, `--size ${said}`, limitsOf({ limits: parseLimits(limit), untrusted }));
	return emptyDisk(size);
};
