import type { Options } from 'yargs';
import type { Disk } from '../../core/disk.ts';
import { compareDisks, type Difference } from '../../disk/compare.ts';
import { VconvError } from '../../errors.ts';
import { comparing } from '../../node/comparing.ts';
import { nodeCodec } from '../../node/packer.ts';
import { type Arguments, command, operands } from '../command.ts';
import { inputOptions, isJson, sourceCacheOption } from '../input.ts';
import type { Io } from '../io.ts';
import { progressStyle, reporter } from '../progress.ts';
import { openSteady } from '../reading.ts';
import { errorJson, errorText, toJson } from '../render.ts';

const { format, ...rest } = inputOptions;

const options = {
	format: { ...format, describe: 'format of A; by its bytes where left out' },
	'second-format': { alias: 'F', type: 'string', describe: 'format of B; by its bytes where left out' },
	...rest,
	strict: { alias: 's', type: 'boolean', describe: 'the sizes and what is allocated must be the same too' },
	...sourceCacheOption,
	p: { type: 'boolean', describe: 'show progress, on no terminal too' },
	progress: { choices: ['bar', 'json', 'none'], describe: 'how to show progress; a bar on a terminal where left out' },
} as const satisfies Record<string, Options>;

/** qemu-img's codes for what goes wrong after both images are open. */
const UNREADABLE_MAP = 3;
const UNREADABLE_DATA = 4;

/** `vconv compare`: whether a guest would see the same bytes. Exits 0, 1, 2, 3, 4 as qemu-img compare. */
export const compare = command({
	command: 'vconv compare',
	operands: 'A B',
	about: `Whether two images, of whatever formats, show a guest the same bytes. Exits 0 if they do, 1 if they do not, 2 if one
cannot be opened, 3 if its tables cannot be read, 4 if its data cannot or if it is written to meanwhile.`,
	options,
	examples: [['vconv compare web.vmdk web.qcow2', 'after a conversion']],
	async run(args, io) {
		const [nameA, nameB] = operands(args, 'A', 'B');
		const a = await openSteady(nameA, args, io);
		try {
			const b = await openSteady(nameB, { ...args, format: args['second-format'] }, io);
			try {
				const refuseChanged = () => {
					a.refuseChanged();
					b.refuseChanged();
				};
				return await judge(a.disk, b.disk, refuseChanged, args, io);
			} finally {
				await b.disk.close();
			}
		} finally {
			await a.disk.close();
		}
	},
});

/** @param refuseChanged what is read of images that are written to meanwhile says nothing, whether it is the same or not. */
const judge = async (a: Disk, b: Disk, refuseChanged: () => void, args: Arguments<typeof options>, io: Io): Promise<number> => {
	const { strict = false } = args;
	const resized = a.size !== b.size;
	const total = Math.max(a.size, b.size);
	const broken = new WeakSet<object>();
	const progress = await reporter(progressStyle(args, io), io);
	let difference: Difference | undefined;
	try {
		if (!(strict && resized)) {
			difference = await compareDisks(markMapErrors(a, broken), markMapErrors(b, broken), nodeCodec(), {
				strict,
				...comparing,
				signal: io.signal,
				onProgress: (done, data) => progress.report({ stage: 'verify', done, total, data }),
			});
		}
		refuseChanged();
	} catch (error) {
		if (!(error instanceof VconvError)) throw error;
		progress.end();
		const code = broken.has(error) ? UNREADABLE_MAP : UNREADABLE_DATA;
		io.stderr.write(isJson(args) ? errorJson(error, code) : errorText(error));
		return code;
	} finally {
		progress.end();
	}
	const identical = !difference && !(strict && resized);
	if (isJson(args)) {
		const where = difference && { difference: difference.kind, offset: difference.guestOffset };
		io.stdout.write(`${toJson({ identical, 'size-mismatch': resized, ...where }, 4)}\n`);
	} else if (!args.quiet) {
		if (resized && strict) io.stdout.write('Strict mode: Image size mismatch!\n');
		else if (resized && (difference?.guestOffset ?? total) >= Math.min(a.size, b.size)) io.stdout.write('Warning: Image size mismatch!\n');
		if (difference?.kind === 'status') io.stdout.write(`Strict mode: Offset ${difference.guestOffset} block status mismatch!\n`);
		if (difference?.kind === 'content') io.stdout.write(`Content mismatch at offset ${difference.guestOffset}!\n`);
		if (identical) io.stdout.write('Images are identical.\n');
	}
	return identical ? 0 : 1;
};

/** The disk, with the errors of its map remembered: they exit otherwise than those of its data. */
const markMapErrors = (disk: Disk, broken: WeakSet<object>): Disk => ({
	...disk,
	async *extents(...range) {
		try {
			yield* disk.extents(...range);
		} catch (error) {
			if (error instanceof Error) broken.add(error);
			throw error;
		}
	},
});
