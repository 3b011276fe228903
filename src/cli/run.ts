import fs from 'node:fs';
import { AccessError, UsageError, VconvError } from '../errors.ts';
import { startEarly } from '../node/threads.ts';
import { VERSION } from '../node/version.ts';
import type { Command } from './command.ts';
import { Interrupted, type Io, processIo } from './io.ts';
import { errorJson, errorText, plain, toJson } from './render.ts';

type Entry = {
	readonly operands: string;
	readonly about: string;
	/** Loaded when it is needed: `vconv --version` answers before yargs is read. */
	load(): Promise<Command>;
	/** It works with threads where there is much to read. */
	readonly threads?: true;
	/** The exit code of any failure, where the command keeps qemu-img's codes instead of the error's own. */
	readonly failure?: number;
};

const COMMANDS: Readonly<Record<string, Entry>> = {
	convert: {
		operands: 'IN OUT',
		about: 'write the disk of IN as OUT, in another format',
		threads: true,
		load: async () => (await import('./commands/convert.ts')).convert,
	},
	info: {
		operands: 'IMAGE',
		about: 'what an image is, and what it names',
		load: async () => (await import('./commands/info.ts')).info,
	},
	map: {
		operands: 'IMAGE',
		about: 'where each range of the disk is stored',
		load: async () => (await import('./commands/map.ts')).map,
	},
	inspect: {
		operands: 'IMAGE… | VM',
		about: "what a machine's disks hold: volumes, system, drivers",
		load: async () => (await import('./commands/inspect.ts')).inspect,
	},
	chain: {
		operands: 'DIR',
		about: 'which images of a folder are deltas of which',
		load: async () => (await import('./commands/chain.ts')).chain,
	},
	compare: {
		operands: 'A B',
		about: 'whether two images show a guest the same bytes',
		load: async () => (await import('./commands/compare.ts')).compare,
		failure: 2,
	},
	hash: {
		operands: 'IMAGE',
		about: 'one number for what a guest sees, the same in any format',
		threads: true,
		load: async () => (await import('./commands/hash.ts')).hash,
	},
	verify: {
		operands: 'IMAGE PROOF',
		about: 'whether an image is what its proof says',
		threads: true,
		load: async () => (await import('./commands/verify.ts')).verify,
	},
	check: {
		operands: 'IMAGE',
		about: 'whether an image contradicts itself, or wastes space',
		load: async () => (await import('./commands/check.ts')).check,
		failure: 1,
	},
	measure: {
		operands: 'IMAGE',
		about: 'how much space an image of it would take',
		load: async () => (await import('./commands/measure.ts')).measure,
	},
	clean: {
		operands: 'DIR',
		about: 'remove what interrupted conversions have left',
		load: async () => (await import('./commands/clean.ts')).clean,
	},
	config: {
		operands: 'IN OUT',
		about: "a machine's description: a VMX as a libvirt domain, or back",
		load: async () => (await import('./commands/config.ts')).config,
	},
	migrate: {
		operands: 'VM DIR',
		about: 'a whole machine for another hypervisor: description and disks',
		load: async () => (await import('./commands/migrate.ts')).migrate,
	},
	validate: {
		operands: 'VM --to TARGET',
		about: 'what stands against a move, before anything is moved',
		load: async () => (await import('./commands/validate.ts')).validate,
	},
	batch: {
		operands: 'PLAN',
		about: 'many jobs, that can be killed and go on, with one report',
		load: async () => (await import('./commands/batch.ts')).batch,
	},
};

const help = (): string => {
	const lines = Object.entries(COMMANDS).map(([name, { operands, about }]) => `  vconv ${`${name} ${operands}`.padEnd(24)}${about}`);
	return `vconv moves virtual machines that are off from one hypervisor to another, and never silently wrong.

  vconv ${'IN OUT'.padEnd(24)}the same as convert: the format of OUT by its extension, that of IN by its bytes
${lines.join('\n')}

Examples:
  vconv web.vmdk web.qcow2                     a VMware disk for KVM
  vconv -c web.raw web.qcow2                   the same from a raw disk, compressed
  vconv -O vmdk -o subformat=streamOptimized web.qcow2 web.vmdk
  vconv convert -O qcow2 -o help               the options of a format
  vconv info --output=json --backing-chain web.qcow2

vconv COMMAND --help has the options of each; letters mean what they mean to qemu-img.
Exit codes: 0 done, 1 a bug in vconv, 2 usage, 3 unrecognised or unsupported, 4 corrupt, 5 access, 6 mismatch,
7 something stands against it, 8 jobs of a batch failed, 75 busy, 129, 130 and 143 interrupted;
check and compare keep qemu-img's.
`;
};

/** Run a command line. Gives the exit code; nothing is thrown. */
export const run = async (argv: readonly string[], io: Io = processIo()): Promise<number> => {
	const [first, ...rest] = argv;
	let failure: number | undefined;
	try {
		if (first === '--version' || first === '-V') {
			io.stdout.write(`vconv ${VERSION}\n`);
			return 0;
		}
		if (first === undefined || first === '--help' || first === '-h' || (first === 'help' && rest.length === 0)) {
			(first === undefined ? io.stderr : io.stdout).write(help());
			return first === undefined ? 2 : 0;
		}
		if (first === 'help') return await run([...rest, '--help'], io);
		refuseNowhere();
		refuseLost(argv);
		const [name = '', ...words] = commandFirst(argv);
		if (!isCommand(name)) refuseTypo(first);
		const { load, threads, failure: code } = COMMANDS[isCommand(name) ? name : 'convert'] as Entry;
		failure = code;
		if (threads && anyLarge(argv)) startEarly();
		return await (await load())(isCommand(name) ? words : argv, io);
	} catch (error) {
		return report(error, failure, wantsJson(argv), io);
	}
};

const isCommand = (word: string): boolean => Object.hasOwn(COMMANDS, word);

/**
 * Options before a command are its own, with their values: `vconv -f vmdk info IMAGE`. A file that is called like a command may be the value of an
 * option.
 */
const commandFirst = (argv: readonly string[]): readonly string[] => {
	const isOption = (word = ''): boolean => /^-./.test(word) && word !== '--';
	const at = argv.findIndex((word, i) => isCommand(word) || !(isOption(word) || isOption(argv[i - 1])));
	const name = argv[at];
	if (name === undefined || !isCommand(name) || (at > 0 && fs.existsSync(name))) return argv;
	return [name, ...argv.slice(0, at), ...argv.slice(at + 1)];
};

/** A folder that was removed has no name: whatever asks for it would fail, though all other names were whole. */
const refuseNowhere = (): void => {
	try {
		process.cwd();
	} catch (cause) {
		throw new AccessError('the folder where you are is gone', { hint: 'cd to another folder', cause });
	}
};

/** Node hands over what is not UTF-8 with this character in the place of each wrong byte: another name, whose file would be another. */
const refuseLost = (argv: readonly string[]): void => {
	const lost = argv.find((word) => word.includes('\ufffd'));
	if (lost === undefined) return;
	throw new UsageError(`'${lost}' is not UTF-8, or has the character that stands for what is not`, {
		hint: 'mv to a name in UTF-8; ls --quoting-style=c shows what it is now',
	});
};

/** In bytes on the disk: a smaller file is half done before a thread is there. */
const LARGE = 32 * 1024 * 1024;

/** Whether a word is the name of a large file, and none says how many threads there should be. */
const anyLarge = (words: readonly string[]): boolean =>
	!words.some((word) => /^(-m|--threads)/.test(word)) &&
	words.some((word) => {
		try {
			const { blocks, size } = fs.statSync(word);
			return (process.platform === 'win32' ? size : blocks * 512) >= LARGE;
		} catch {
			return false;
		}
	});

/** A bare word that is neither a command nor a file was meant as a command. */
const refuseTypo = (word: string): void => {
	if (/^[a-z]+$/.test(word) && !fs.existsSync(word)) {
		throw new UsageError(`'${word}' is neither a command nor a file here`, {
			hint: `one of ${Object.keys(COMMANDS).join(', ')}`,
		});
	}
};

/** Known before the command line is understood, so that its mistakes are JSON too. */
const wantsJson = (argv: readonly string[]): boolean =>
	argv.some((word, index) => /^--(json|json=true|output=json)$/.test(word) || (word === '--output' && argv[index + 1] === 'json'));

/** Say what went wrong; gives the exit code. */
const report = (error: unknown, failure: number | undefined, json: boolean, { stderr }: Io): number => {
	if (error instanceof Interrupted) {
		const { message, exitCode } = error;
		stderr.write(json ? `${toJson({ error: { code: 'INTERRUPTED', message, exitCode } })}\n` : `vconv: ${message}\n`);
		return exitCode;
	}
	const code = failure ?? (error instanceof VconvError ? error.exitCode : 1);
	if (json) stderr.write(errorJson(error, code));
	else if (error instanceof VconvError) stderr.write(errorText(error));
	else stderr.write(bugText(error));
	return code;
};

/** The one place where a stack trace is shown. */
const bugText = (error: unknown): string => {
	const stack = error instanceof Error ? (error.stack ?? String(error)) : String(error);
	const lines = stack.split('\n').map((line) => `  ${plain(line.trim())}`);
	return `vconv: this is a bug in vconv ${VERSION}, and not your fault\n${lines.join('\n')}\n  try reporting it, with the command line and what is above\n`;
};
