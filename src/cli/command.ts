import yargs, { type InferredOptionTypes, type Options } from 'yargs';
import { UsageError } from '../errors.ts';
import type { Io } from './io.ts';

/** A command of vconv, ready to run on the words after its name. Gives the exit code. */
export type Command = (argv: readonly string[], io: Io) => Promise<number>;

/** A command that also says, without doing anything, whether its words make sense. */
type CheckedCommand = Command & {
	/** @throws UsageError for what no run would get past, and for what does no work that a job could be. */
	check(argv: readonly string[]): void;
};

type OptionSpecs = Readonly<Record<string, Options>>;

/** What was said on a command line: the options by their long names, and the rest. */
export type Arguments<O extends OptionSpecs> = InferredOptionTypes<O> & {
	readonly operands: readonly string[];
	/** The first words of the usage line, for hints. */
	readonly command: string;
};

type Spec<O extends OptionSpecs> = {
	/** As `vconv info`. */
	readonly command: string;
	/** The operands, as `IMAGE`. */
	readonly operands: string;
	readonly about: string;
	readonly options: O;
	/** Pairs of a command line and what it does. */
	readonly examples: readonly (readonly [string, string])[];
	/** What can be said against the words alone, as those of a job. @throws UsageError. */
	check?(args: Arguments<O>): void;
	run(args: Arguments<O>, io: Io): Promise<number>;
};

/** A command from the description of its command line. The only place that knows yargs. */
export const command = <const O extends OptionSpecs>(spec: Spec<O>): CheckedCommand => {
	const specs = Object.entries<Options>(spec.options).map(([name, option]) => {
		const valued = option.type === 'boolean' ? option : { ...option, requiresArg: true };
		return [name, valued] as const;
	});
	const parse = (argv: readonly string[], columns = 100) => {
		refuseOddSwitches(argv, specs);
		const parser = yargs(spellOut(argv, specs))
			.scriptName('vconv')
			.help(false)
			.version(false)
			// Its lines are those of the source: the width of the terminal makes others.
			.usage(`${spec.command} [options] ${spec.operands}\n\n${spec.about.replaceAll('\n', ' ')}`)
			.options(Object.fromEntries(specs))
			.option('help', { alias: 'h', type: 'boolean', describe: 'show this' })
			.example(spec.examples.map((pair) => [...pair] as [string, string]))
			.parserConfiguration({
				'parse-positional-numbers': false,
				'dot-notation': false,
				'greedy-arrays': false,
				'camel-case-expansion': false,
			})
			.detectLocale(false)
			.wrap(Math.min(columns, 120))
			.strictOptions()
			.exitProcess(false)
			.fail((message) => {
				throw new UsageError(...explained(message, spec.command));
			});
		const { _, $0, help, ...args } = parser.parseSync();
		if (help) return { parser };
		for (const [name, option] of specs) {
			// `--no-` turns a switch off, and nothing else.
			if (option.type !== 'boolean' && [args[name]].flat().includes(false)) {
				throw new UsageError(`there is no option --no-${name}`, { hint: `${spec.command} --help` });
			}
			if (!option.array && Array.isArray(args[name])) throw new UsageError(`--${name} is given twice`);
		}
		return { parser, args: { ...args, operands: _.map(String), command: spec.command } as Arguments<O> };
	};
	const run: Command = async (argv, io) => {
		const { parser, args } = parse(argv, io.stdout.columns);
		if (args) return spec.run(args, io);
		io.stdout.write(`${await parser.getHelp()}\n`);
		return 0;
	};
	const check = (argv: readonly string[]): void => {
		const { args } = parse(argv);
		if (!args) throw new UsageError('--help does nothing but show help');
		spec.check?.(args);
	};
	return Object.assign(run, { check });
};

/** `-Oqcow2` and `-pO qcow2` as `-O qcow2` and `-p -O qcow2`: getopt reads them so, yargs would see six letters. */
const spellOut = (argv: readonly string[], specs: readonly (readonly [string, Options])[]): string[] => {
	const valued = new Set(specs.filter(([, option]) => option.type !== 'boolean').flatMap(([, { alias = [] }]) => alias));
	const end = argv.indexOf('--');
	return argv.flatMap((word, index) => {
		if ((end >= 0 && index >= end) || !/^-[a-z]./i.test(word)) return word;
		const words: string[] = [];
		for (let at = 1; at < word.length; at++) {
			words.push(`-${word[at]}`);
			if (!valued.has(word[at] as string)) continue;
			if (at + 1 < word.length) words.push(word.slice(at + 1).replace(/^=/, ''));
			break;
		}
		return words;
	});
};

/** yargs takes `--dry-run=yes` as `--dry-run=false`: all but `true` turns a switch off, without a word. */
const refuseOddSwitches = (argv: readonly string[], specs: readonly (readonly [string, Options])[]): void => {
	const switches = specs.filter(([, option]) => option.type === 'boolean').flatMap(([name, { alias = [] }]) => [name, ...[alias].flat()]);
	const end = argv.indexOf('--');
	for (const word of end < 0 ? argv : argv.slice(0, end)) {
		const [, option = '', value] = /^--([^=]+)=(.*)$/s.exec(word) ?? [];
		if (value === undefined || value === 'true' || value === 'false') continue;
		const name = option.replace(/^no-/, '');
		if (name !== 'help' && !switches.includes(name)) continue;
		throw new UsageError(`--${option} is a switch, and '${value}' is neither true nor false`, { hint: `--${option} alone, or not at all` });
	}
};

/** What yargs says of a command line, in our words. */
const explained = (message: string, name: string): [string, { hint: string }] => {
	const help = `${name} --help`;
	const choice = /Argument: (\S+), Given: (.*), Choices: (.*)/.exec(message);
	if (choice)
		return [`--${choice[1]} ${choice[2]?.replaceAll('"', '')} is not possible`, { hint: `one of ${choice[3]?.replaceAll('"', '')}` }];
	const unknown = /^Unknown arguments?: ([^,]+)/.exec(message)?.[1];
	if (unknown) return [`there is no option ${unknown.length > 1 ? '--' : '-'}${unknown}`, { hint: help }];
	const bare = /^Not enough arguments following: (\S+)/.exec(message)?.[1];
	if (bare) return [`${bare.length > 1 ? '--' : '-'}${bare} needs a value`, { hint: help }];
	return [message.replaceAll(/\s+/g, ' '), { hint: help }];
};

/** Exactly the operands that a command takes, by the names its usage gives them. @throws UsageError for fewer or more. */
export const operands = <const N extends readonly string[]>(
	{ operands: given, command: name }: Pick<Arguments<OptionSpecs>, 'operands' | 'command'>,
	...names: N
): { readonly [K in keyof N]: string } => {
	const missing = names[given.length];
	if (missing) throw new UsageError(`${missing} is missing`, { hint: `${name} --help` });
	if (given.length > names.length) {
		throw new UsageError(`'${given[names.length]}' is one too many: ${name} takes ${names.join(' and ')}`, { hint: `${name} --help` });
	}
	return given as { readonly [K in keyof N]: string };
};
