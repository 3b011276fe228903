import type { Options } from 'yargs';
import { diskFormats } from '../../formats/index.ts';
import { parseLimits } from '../convert/limits.ts';
import { flatten, type OpenOptions, openChain } from '../convert/open.ts';
import type { Disk } from '../core/disk.ts';
import { limitNames, limitsOf } from '../core/limits.ts';
import type { Note } from '../core/note.ts';
import type { Source } from '../core/source.ts';
import { UsageError } from '../errors.ts';
import { openFile } from '../node/file.ts';
import { gate, type PathRule, siblings } from '../node/gate.ts';
import { heldOrClosed } from '../node/inuse.ts';
import type { Arguments } from './command.ts';
import type { Io } from './io.ts';
import { noteJson, noteText } from './render.ts';

/** The options of every command that opens an image. */
export const inputOptions = {
	format: { alias: 'f', type: 'string', describe: 'format of the image; by its bytes where left out' },
	'force-share': {
		alias: 'U',
		type: 'boolean',
		describe: 'read an image though a machine may be writing to it',
	},
	'allow-external': { type: 'string', array: true, describe: 'open what the image names in this folder too (repeatable)' },
	untrusted: { type: 'boolean', describe: 'open nothing that the image names, and halve the limits' },
	limit: {
		type: 'string',
		array: true,
		describe: `accept more, or less, than usual: NAME=VALUE (repeatable), of ${limitNames.join(', ')}`,
	},
	quiet: { alias: 'q', type: 'boolean', describe: 'say nothing but results and errors' },
	output: { choices: ['human', 'json'], default: 'human', describe: 'form of the result' },
	json: { type: 'boolean', describe: 'the same as --output=json; errors and notes as JSON lines' },
} as const satisfies Record<string, Options>;

/** qemu-img's caches, with those words of it that mean no more here than another has said. */
export const CACHES = ['writeback', 'none', 'writethrough', 'directsync', 'unsafe'] as const;

export const sourceCacheOption = {
	'source-cache': { alias: 'T', choices: CACHES, describe: 'accepted, and without effect: what is read, and how, is the same for each' },
} as const satisfies Record<string, Options>;

export const snapshotOption = {
	snapshot: { alias: 'l', type: 'string', describe: 'an internal snapshot, by id or name, instead of the present state' },
} as const satisfies Record<string, Options>;

export const pathMapOption = {
	'path-map': { type: 'string', array: true, describe: "where disks are that the description names otherwise: '[store1]=/mnt/store1'" },
} as const satisfies Record<string, Options>;

/** What `--path-map` says. @throws UsageError. */
export const pathRules = (said: readonly string[] = []): readonly PathRule[] =>
	said.map((rule) => {
		const [, from, to] = /^([^=]+)=(.+)$/.exec(rule) ?? [];
		if (from !== undefined && to !== undefined) return { from, to };
		throw new UsageError(`--path-map '${rule}' does not say which path is where`, { hint: "--path-map '[store1]=/mnt/store1'" });
	});

export type InputArguments = Pick<Arguments<typeof inputOptions>, keyof typeof inputOptions> & { readonly snapshot?: string | undefined };

export const isJson = ({ json, output }: Pick<InputArguments, 'json' | 'output'>): boolean => json === true || output === 'json';

/** Where notes go: to standard error, unless they are not wanted. */
export const noteWriter =
	(args: Pick<InputArguments, 'json' | 'output' | 'quiet'>, { stderr }: { readonly stderr: Pick<Io['stderr'], 'write'> }) =>
	(note: Note): void => {
		if (!args.quiet) stderr.write(isJson(args) ? noteJson(note) : noteText(note));
	};

/** How this command line wants images opened. `opened` hears of every further file, and which one names it. */
export const openOptions = (args: InputArguments, io: Io, opened?: (file: Source, namedBy: Source) => void): OpenOptions => {
	const { untrusted } = args;
	const limits = limitsOf({ limits: parseLimits(args.limit), untrusted });
	const permissions = { allow: args['allow-external'], untrusted, limits };
	const follow = gate(permissions);
	const write = noteWriter(args, io);
	return {
		formats: diskFormats,
		format: args.format,
		snapshot: args.snapshot,
		async gate(source, reference) {
			const found = await held(await follow(source, reference), args, io);
			opened?.(found, source);
			return found;
		},
		siblings: siblings(
			diskFormats.flatMap(({ extensions }) => extensions),
			permissions,
		),
		// What is not taken over matters to a conversion alone.
		note: (note) => {
			if (note.kind !== 'dropped') write(note);
		},
		limits,
		signal: io.signal,
	};
};

/** The file of this name that the user wants read. @throws AccessError, also for one that a running machine writes to, without --force-share. */
export const openInput = async (name: string, args: InputArguments, io: Io): Promise<Source> => held(await openFile(name), args, io);

const held = (source: Source, args: InputArguments, io: Io): Promise<Source> =>
	heldOrClosed(source, { forceShare: args['force-share'] }, noteWriter(args, io));

/** What the guest sees of the image of this name, its parents folded in. */
export const openDisk = async (name: string, args: InputArguments, io: Io): Promise<Disk> => {
	const options = openOptions(args, io);
	return flatten(await openChain(await openInput(name, args, io), options));
};
