import { randomBytes } from 'node:crypto';
import type { Options } from 'yargs';
import { diskFormats } from '../../../formats/index.ts';
import { parseSize } from '../../bytes/size.ts';
import { planImage } from '../../convert/convert.ts';
import { formatNamed } from '../../convert/detect.ts';
import { measureFull, measureImage } from '../../convert/measure.ts';
import type { Disk } from '../../core/disk.ts';
import { UsageError } from '../../errors.ts';
import { command, operands } from '../command.ts';
import { asksForOptions, optionsHelp, parseFormatOptions, sectorSizeOption } from '../format-options.ts';
import { inputOptions, isJson, openDisk, openOptions, snapshotOption } from '../input.ts';
import { toJson } from '../render.ts';

const options = {
	'output-format': { alias: 'O', type: 'string', default: 'raw', describe: 'format of the image to be' },
	...inputOptions,
	option: { alias: 'o', type: 'string', array: true, describe: 'options of that format: name=value,…; help lists them' },
	...snapshotOption,
	...sectorSizeOption,
	size: { type: 'string', describe: 'measure an empty disk of this size, instead of an image' },
} as const satisfies Record<string, Options>;

/** `vconv measure`: the bytes that an image would take, as qemu-img measure says them. */
export const measure = command({
	command: 'vconv measure',
	operands: 'IMAGE',
	about: 'How many bytes the disk of IMAGE would take in another format: with what it holds now, and if every block were allocated.',
	options,
	examples: [
		['vconv measure -O qcow2 web.vmdk', 'room for a conversion'],
		['vconv measure -O vhdx --size 100G', 'room for an empty disk'],
	],
	async run(args, io) {
		const format = formatNamed(diskFormats, args['output-format']);
		if (asksForOptions(args.option)) {
			io.stdout.write(optionsHelp(format));
			return 0;
		}
		const disk = args.size === undefined ? await openDisk(operands(args, 'IMAGE')[0], openOptions(args, io)) : emptyDisk(args.size);
		try {
			const request = {
				disk,
				format,
				options: parseFormatOptions(args.option),
				sectorSize: args['sector-size'],
				stamp: { now: new Date(), id: () => new Uint8Array(randomBytes(16)) },
			};
			const plan = () => planImage({ ...request, name: 'measure' });
			const sizes = {
				required: await measureImage(disk, plan(), io.signal),
				'fully-allocated': await measureFull(disk.size, plan(), io.signal),
			};
			if (isJson(args)) io.stdout.write(`${toJson(sizes, 4)}\n`);
			else io.stdout.write(`required size: ${sizes.required}\nfully allocated size: ${sizes['fully-allocated']}\n`);
			return 0;
		} finally {
			await disk.close();
		}
	},
});

const emptyDisk = (said: string): Disk => {
	const size = parseSize(said);
	if (size === undefined) throw new UsageError(`--size ${said} is not a size`, { hint: '--size 20G' });
	return {
		size,
		sectorSize: 512,
		info: { format: 'raw' },
		async *extents(offset, length) {
			yield { kind: 'zero', offset, length };
		},
		async close() {},
	};
};
