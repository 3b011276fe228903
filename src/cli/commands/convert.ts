import path from 'node:path';
import type { Options } from 'yargs';
import { diskFormats } from '../../../formats/index.ts';
import { humanSize, parseSize } from '../../bytes/size.ts';
import { clock } from '../../bytes/time.ts';
import { formatNamed, formatOfName } from '../../convert/detect.ts';
import { parseLimits } from '../../convert/limits.ts';
import { optionValues } from '../../convert/options.ts';
import { profileNamed, profileOptions } from '../../convert/profiles.ts';
import { targetFormat } from '../../convert/target.ts';
import type { DiskFormat, OptionValues } from '../../core/format.ts';
import { OutdatedError, UsageError } from '../../errors.ts';
import { convertChain, type KeptImage } from '../../node/chain.ts';
import { convertFile } from '../../node/convert.ts';
import type { ConvertFileOptions } from '../../node/convert-options.ts';
import { canSeekHoles } from '../../node/holes.ts';
import { convertPipe, PIPE } from '../../node/stdio.ts';
import { type Arguments, command, operands } from '../command.ts';
import { asksForOptions, optionsHelp, parseFormatOptions, profilesHelp, sectorSizeOption } from '../format-options.ts';
import { CACHES, inputOptions, isJson, noteWriter, snapshotOption, sourceCacheOption } from '../input.ts';
import type { Io } from '../io.ts';
import { progressStyle, reporter } from '../progress.ts';
import { messageLine, plain, toJson } from '../render.ts';
import { threadCount } from '../threads.ts';

const options = {
	'output-format': { alias: 'O', type: 'string', describe: 'format of OUT; by its extension where left out' },
	...inputOptions,
	'force-share': { alias: 'U', type: 'boolean', describe: 'read IN though a machine may be writing to it' },
	'source-lock': { type: 'boolean', default: true, describe: 'keep QEMU from writing to IN meanwhile; --no-source-lock lets it' },
	option: { alias: 'o', type: 'string', array: true, describe: 'options of the format of OUT: name=value,…; help lists them' },
	for: { type: 'string', describe: 'what is to take OUT: azure, aws, gcp, hyperv, esxi, …; help lists them and what they take' },
	compress: { alias: 'c', type: 'boolean', describe: 'store compressed where the format can' },
	backing: { alias: 'B', type: 'string', describe: 'write only what differs from this image' },
	'backing-format': { alias: 'F', type: 'string', describe: 'format of the backing image; by its bytes where left out' },
	'keep-chain': { type: 'boolean', describe: 'write each parent too, beside OUT, and OUT as a delta of it' },
	layer: { type: 'boolean', describe: 'write only what IN holds itself; what it leaves to its parent is zeros' },
	...snapshotOption,
	...sectorSizeOption,
	'sparse-size': { alias: 'S', type: 'string', describe: 'raw: shortest run of zeros left as a hole; 0 writes them' },
	threads: { alias: 'm', type: 'string', describe: 'how many threads work' },
	force: { type: 'boolean', describe: 'replace OUT if it exists' },
	mode: { type: 'string', describe: 'who may read OUT, as chmod takes it: 0640; never more than the umask allows [0600]' },
	cache: {
		alias: 't',
		choices: CACHES,
		default: 'writeback',
		describe:
			'unsafe does not wait until OUT is on the disk: sooner done, and after a power failure OUT may be there and damaged; all others do',
	},
	proof: { type: 'boolean', describe: 'write OUT.vconv.json too: what a guest sees of OUT, as hashes, for vconv verify' },
	verify: {
		choices: ['none', 'fast', 'full'],
		default: 'none',
		describe: 'look at what is written before it is OUT: fast reads its tables, full all of it, and compares it with what was read of IN',
	},
	'verify-with': { choices: ['qemu-img'], describe: 'have this program compare OUT with IN as well, before it is OUT' },
	restart: { type: 'boolean', describe: 'begin anew where an interrupted run has left a part of OUT; without it that is gone on with' },
	'keep-partial': {
		type: 'boolean',
		default: true,
		describe: 'keep what is written when the run is interrupted; --no-keep-partial removes it',
	},
	'skip-space-check': { type: 'boolean', describe: 'begin even if OUT may not fit' },
	spool: { type: 'string', describe: 'with - for IN or OUT: the folder for a temporary file, where a pipe alone will not do' },
	size: { type: 'string', describe: 'with -f raw and - for IN: how large the disk is, which makes a spool needless' },
	p: { type: 'boolean', describe: 'show progress, on no terminal too' },
	progress: { choices: ['bar', 'json', 'none'], describe: 'how to show progress; a bar on a terminal where left out' },
	verbose: { type: 'boolean', describe: 'say how it was done' },
	...sourceCacheOption,
	W: { type: 'boolean', describe: 'accepted, and without effect: writes are out of order anyway, the bytes always the same' },
} as const satisfies Record<string, Options>;

/** `vconv IN OUT`: the disk of an image, its parents folded in, in another format. */
export const convert = command({
	command: 'vconv convert',
	operands: 'IN OUT',
	about: `Write the disk of IN as OUT, in another format. OUT appears only when the whole of it is on disk; IN is never changed.
- is a pipe: as OUT for what can be written front to back; as IN for a streamOptimized VMDK, for a raw disk with --size,
and for one without that becomes a raw image; for everything with --spool.
Parents are folded in, unless --keep-chain or --layer says otherwise.`,
	options,
	examples: [
		['vconv web.vmdk web.qcow2', 'a VMware disk for KVM'],
		['vconv --for azure web.vmdk web.vhd', 'as Azure takes it: fixed, of whole MiB'],
		['vconv -c -O qcow2 -o compression_type=zstd web.vhdx web.img', 'compressed, whatever its name'],
		['vconv -O vmdk -o subformat=streamOptimized web.qcow2 - | ssh backup "cat > web.vmdk"', 'to a pipe'],
		['vconv --keep-chain web-000002.vmdk new/web-000002.qcow2', 'a chain of snapshots, as one of backing files'],
		['vconv -l before-update web.qcow2 old.raw', 'a snapshot'],
	],
	check(args) {
		const [input, output] = operands(args, 'IN', 'OUT');
		wantedOf(args, input, output);
		formatSaid(args, output);
	},
	async run(args, io) {
		if (asksForOptions(args.option)) {
			const name = args['output-format'];
			const format = name ? formatNamed(diskFormats, name) : targetFormat(diskFormats, args.operands.at(-1) ?? '');
			io.stdout.write(optionsHelp(format, isJson(args), io.stdout.columns));
			return 0;
		}
		if (args.for === 'help' || args.for === '?') {
			io.stdout.write(profilesHelp(isJson(args), io.stdout.columns));
			return 0;
		}
		const [input, output] = operands(args, 'IN', 'OUT');
		if (output === PIPE && io.stdout.isTTY) throw new UsageError('an image is not for a terminal', { hint: '| or > behind the command' });
		const said = wantedOf(args, input, output);
		const progress = await reporter(progressStyle(args, io), io);
		const note = noteWriter(args, { stderr: { write: progress.above } });
		const started = performance.now();
		let made: readonly KeptImage[];
		let kept = false;
		try {
			const wanted: ConvertFileOptions = {
				...said,
				onKept() {
					kept = true;
				},
				onProgress: progress.report,
				onNote: note,
				signal: io.signal,
			};
			made = await move(input, output, wanted, args, io);
		} catch (error) {
			progress.end();
			// A run that refuses what an earlier one has left says itself what to do with it.
			const saysSo = error instanceof OutdatedError;
			if (kept && !args.quiet && !saysSo) io.stderr.write(messageLine(keptText(output), isJson(args)));
			throw error;
		} finally {
			progress.end();
		}
		const seconds = (performance.now() - started) / 1000;
		if (isJson(args)) {
			if (output === PIPE) io.stderr.write(`${toJson(resultOf(made))}\n`);
			else io.stdout.write(`${toJson(resultOf(made), 4)}\n`);
		} else if (!args.quiet && (args.verbose || args.p || io.stderr.isTTY))
			io.stderr.write(made.map((image) => summary(image, seconds)).join(''));
		if (args.verbose && !canSeekHoles()) {
			io.stderr.write(messageLine('holes of files cannot be told on this system: all of IN was read', isJson(args)));
		}
		return 0;
	},
});

const keptText = (output: string): string =>
	`what is written of ${output} is kept: the same command goes on with it, and vconv clean removes it`;

type ConvertArguments = Arguments<typeof options>;

/** What the command line asks for. @throws UsageError where it makes no sense, whatever IN is. */
const wantedOf = (args: ConvertArguments, input: string, output: string): ConvertFileOptions => {
	refuseContradictions(args, input, output);
	const format = formatOf(args, output);
	for (const said of [args.format, args['backing-format']]) if (said !== undefined) formatNamed(diskFormats, said);
	return {
		format: format?.id,
		options: writeOptions(args, format),
		profile: args.for,
		compress: args.compress,
		sectorSize: args['sector-size'],
		inputFormat: args.format,
		snapshot: args.snapshot,
		layer: args.layer,
		backing: args.backing,
		backingFormat: args['backing-format'],
		allow: args['allow-external'],
		untrusted: args.untrusted,
		limits: parseLimits(args.limit),
		forceShare: args['force-share'],
		sourceLock: args['source-lock'],
		force: args.force,
		mode: fileMode(args.mode),
		skipSpaceCheck: args['skip-space-check'],
		threads: threadCount(args.threads),
		durable: args.cache !== 'unsafe',
		proof: args.proof,
		verify: args.verify,
		verifyWith: args['verify-with'],
		restart: args.restart,
		keepPartial: args['keep-partial'],
	};
};

/** OUT, and with --keep-chain the images beneath it. */
const move = async (
	input: string,
	output: string,
	wanted: ConvertFileOptions,
	args: ConvertArguments,
	io: Io,
): Promise<readonly KeptImage[]> => {
	if (args['keep-chain']) return convertChain(input, output, wanted);
	const piped = input === PIPE || output === PIPE;
	const made = piped
		? await convertPipe(input, output, { ...wanted, stdin: io.stdin, append: io.append, spool: args.spool, size: rawSize(args) })
		: await convertFile(input, output, wanted);
	return [{ ...made, filename: output }];
};

/** What `--size` says of a raw disk that comes through a pipe. */
const rawSize = (args: ConvertArguments): number | undefined => {
	if (args.size === undefined) return undefined;
	if (args.format !== 'raw') throw new UsageError('--size is for a raw disk: other images say it themselves', { hint: '-f raw' });
	if (args.backing !== undefined) throw new UsageError('a delta is made in two readings, and a pipe has one', { hint: '--spool DIR' });
	const size = parseSize(args.size);
	if (!size) throw new UsageError(`--size ${args.size} is not a size`, { hint: '--size 20G' });
	return size;
};

const refuseContradictions = (args: ConvertArguments, input: string, output: string): void => {
	if (args['backing-format'] && !args.backing) throw new UsageError('-F is the format of a backing image, and there is no -B');
	if (args.spool !== undefined && input !== PIPE && output !== PIPE)
		throw new UsageError('--spool is for pipes, and neither IN nor OUT is -');
	if (args.size !== undefined && input !== PIPE)
		throw new UsageError('--size is for a raw disk from a pipe', { hint: `- for IN, and < ${input}` });
	if (!args['keep-chain']) return;
	if (args.proof || args['verify-with']) {
		throw new UsageError('--proof and --verify-with are for one image, and --keep-chain writes several', { hint: '--verify full' });
	}
	if (args.layer) throw new UsageError('--layer is one image, and --keep-chain all of them', { hint: 'one of the two' });
	if (args.backing !== undefined)
		throw new UsageError('-B says what OUT is a delta of, and so does --keep-chain', { hint: 'one of the two' });
	if (input === PIPE || output === PIPE) throw new UsageError('a chain is several files, and a pipe one', { hint: 'the names of files' });
};

/** The format of OUT; undefined where nothing says one. */
const formatOf = (args: ConvertArguments, output: string): DiskFormat | undefined => {
	const said = args['output-format'] !== undefined || args.for !== undefined;
	return said ? formatSaid(args, output) : formatOfName(diskFormats, output);
};

/** @throws UsageError where nothing says one. */
const formatSaid = ({ 'output-format': asked, for: target }: ConvertArguments, output: string): DiskFormat =>
	targetFormat(diskFormats, path.basename(output), asked, target === undefined ? undefined : profileNamed(target));

/** Nobody runs an image, and whoever made it may read it. */
const fileMode = (said: string | undefined): number | undefined => {
	if (said === undefined) return undefined;
	if (/^0?[46][0246]{2}$/.test(said)) return Number.parseInt(said, 8);
	throw new UsageError(`--mode ${said} is no mode of an image`, { hint: '--mode 0640, of the digits 0, 2, 4 and 6' });
};

/** What `-o` says, and `-S`, which is an option of raw disks under another name. */
const writeOptions = (args: ConvertArguments, format: DiskFormat | undefined): OptionValues => {
	const { 'sparse-size': sparse, for: target } = args;
	const options = format?.writer?.options;
	if (sparse !== undefined && format && options && !('sparse' in options)) {
		throw new UsageError(`-S is for raw disks: ${format.id} leaves out its blocks of zeros, whole`, {
			hint: 'the same without -S, or -O raw',
		});
	}
	const said = { ...parseFormatOptions(args.option), ...(sparse !== undefined && { sparse }) };
	if (format && options) optionValues(options, target === undefined ? said : profileOptions(profileNamed(target), format, said), format.id);
	return said;
};

/** What became of OUT, and with --keep-chain of the images beneath it. */
const resultOf = ([top, ...parents]: readonly KeptImage[]) => ({
	...(top && fieldsOf(top)),
	...(parents.length > 0 && { 'backing-chain': parents.map(fieldsOf) }),
});

const fieldsOf = ({ filename, format, size, data, stored }: KeptImage) => ({
	filename,
	format,
	'virtual-size': size,
	'data-size': data,
	'stored-size': stored,
});

const summary = ({ filename, format, size, data, stored }: KeptImage, seconds: number): string =>
	`vconv: ${plain(filename)} is ${format}, ${humanSize(size)} virtual, ${humanSize(data)} of data in ${humanSize(stored)}, after ${clock(seconds)}\n`;
