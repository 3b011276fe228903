import os from 'node:os';
import path from 'node:path';
import type { Options } from 'yargs';
import { batchPage } from '../../batch/html.ts';
import { jobKinds, type Value } from '../../batch/kinds.ts';
import { type Defaults, splitOptions } from '../../batch/plan.ts';
import { type BatchReport, batchJunit, batchReport } from '../../batch/report.ts';
import { humanSize } from '../../bytes/size.ts';
import { clock } from '../../bytes/time.ts';
import { UsageError, VconvError } from '../../errors.ts';
import { refuseReplacing } from '../../node/batch/conflicts.ts';
import { type Estimates, estimate, refuseReadOnly } from '../../node/batch/estimate.ts';
import { openState, REPORTS, readRecords, refuseState, type StateFolder } from '../../node/batch/folder.ts';
import { type Loaded, loadJobs } from '../../node/batch/load.ts';
import { type JobState, jobStates, runJobs } from '../../node/batch/run.ts';
import { VERSION } from '../../node/version.ts';
import { type Arguments, type Command, command } from '../command.ts';
import type { Io } from '../io.ts';
import { progressStyle } from '../progress.ts';
import { errorJson, errorText, messageLine, noteJson, noteText, plain, toJson } from '../render.ts';
import { batchInit } from './batch-init.ts';
import { batchView } from './batch-view.ts';
import { convert } from './convert.ts';
import { migrate } from './migrate.ts';
import { validate } from './validate.ts';

const options = {
	to: { type: 'string', describe: 'template of targets, for jobs that say none: out/{name}.qcow2' },
	kind: { choices: Object.keys(jobKinds), describe: 'kind of jobs that say none; convert where left out' },
	target: { type: 'string', describe: 'migrate, validate: what is to take the machines' },
	'output-format': { alias: 'O', type: 'string', describe: 'convert: format of the targets; by their extension where left out' },
	option: { alias: 'o', type: 'string', array: true, describe: 'convert: options of that format: name=value,…' },
	for: { type: 'string', describe: 'convert: what is to take the targets: azure, aws, …' },
	compress: { alias: 'c', type: 'boolean', describe: 'convert: store compressed where the format can' },
	jobs: { alias: 'j', type: 'string', describe: 'jobs at once; half of the processors, and at least 2, where left out' },
	'per-device': { type: 'string', describe: 'of them, jobs that read from one file system; 2 where left out' },
	state: { type: 'string', describe: 'folder of the journal, logs and reports; beside PLAN, as NAME.batch, where left out' },
	'retry-failed': { type: 'boolean', describe: 'try again what failed before, though its source is as it was' },
	'fail-fast': { type: 'boolean', describe: 'begin nothing more after the first failure' },
	'keep-going': { type: 'boolean', describe: 'accepted, and without effect: one failure does not stop the others anyway' },
	'dry-run': { type: 'boolean', describe: 'say what would be done, with sizes and times, and do nothing' },
	progress: { choices: ['bar', 'json', 'none'], describe: 'how to show progress; drawn on a terminal, elsewhere a line for each job' },
	quiet: { alias: 'q', type: 'boolean', describe: 'say nothing but errors' },
	json: { type: 'boolean', describe: 'print the report as JSON; errors as JSON lines' },
} as const satisfies Record<string, Options>;

/** Some of the jobs failed, or were not tried: the report says which. With --dry-run, some would. */
const SOME_FAILED = 8;

/** The plan has mistakes: the code of a `UsageError`, of which there may be many here. */
const USAGE = 2;

/** Nobody reads more at once. */
const MOST_MISTAKES = 20;

/** Of what reads from one file system, so many at once keep a disk busy and do not make it seek too much. */
const PER_DEVICE = '2';

const run = command({
	command: 'vconv batch',
	operands: 'PLAN',
	about: `Do many jobs, several at a time: those of a plan in YAML, JSON or CSV; or convert images, all of a folder, or what a pattern finds.
Run it again, after whatever stopped it: what is finished stays so, and the rest goes on. Reports are in the state folder at the end.
Exits 0 if all is done, 8 if some jobs failed, or would with --dry-run, 75 if another batch is at work in the same folder. vconv batch init writes an example of a plan.`,
	options,
	examples: [
		['vconv batch init wave-1.yaml', 'a commented plan to start from'],
		['vconv batch wave-1.yaml --dry-run', 'what it would do, and how long it would take'],
		['vconv batch wave-1.yaml', 'do it, or go on with it'],
		["vconv batch 'disks/*.vmdk' --to 'out/{name}.qcow2' -j 4", 'without a plan'],
	],
	async run(args, io) {
		if (args.operands.length === 0) throw new UsageError('PLAN is missing', { hint: 'vconv batch --help' });
		const loaded = loadJobs(args.operands, defaultsOf(args), check, args.state);
		if (!args.quiet) for (const note of loaded.notes) io.stderr.write(args.json ? noteJson(note) : noteText(note));
		if (loaded.mistakes.length > 0) {
			for (const mistake of loaded.mistakes.slice(0, MOST_MISTAKES)) io.stderr.write(args.json ? errorJson(mistake) : errorText(mistake));
			const more = loaded.mistakes.length - MOST_MISTAKES;
			if (more > 0) io.stderr.write(messageLine(`and ${more} mistakes more`, args.json ?? false));
			return USAGE;
		}
		const limits = limitsOf(args);
		const { state } = loaded;
		refuseState(state, [...args.operands, ...loaded.jobs.flatMap(({ from, to }) => (to === undefined ? [from] : [from, to]))]);
		if (args['dry-run']) return dryRun(loaded, state, limits.jobs, args, io);
		const folder = await openState(state);
		try {
			return await perform(loaded, folder, limits, args, io);
		} finally {
			folder.close();
		}
	},
});

/** `vconv batch`: many jobs, resumable, with one report. */
export const batch: Command = (argv, io) => (argv[0] === 'init' ? batchInit(argv.slice(1), io) : run(argv, io));

type BatchArguments = Arguments<typeof options>;

const perform = async (
	loaded: Loaded,
	folder: StateFolder,
	limits: ReturnType<typeof limitsOf>,
	args: BatchArguments,
	io: Io,
): Promise<number> => {
	const say = (message: string): unknown => io.stderr.write(messageLine(message, args.json ?? false));
	if (folder.damaged > 0) say(`${folder.damaged} lines of the journal are damaged; what they said is looked at again`);
	const started = Date.now();
	const states = jobStates(loaded.jobs, folder, args['retry-failed'] ?? false);
	await refuseReplacing(states, loaded.place, io.signal);
	const style = progressStyle(args, io);
	const told = args.json ? 'events' : 'plain';
	const view = batchView(states, style === 'none' && !args.quiet && args.progress !== 'none' ? told : style, io);
	try {
		await runJobs(states, folder, { ...limits, failFast: args['fail-fast'] ?? false, signal: io.signal, onChange: view.changed });
	} finally {
		view.end();
	}
	const standings = states.map((state) => ({ ...state, log: folder.log(state.job.id) }));
	const interrupted = io.signal.aborted || states.some(({ status }) => status === 'waiting');
	const report = batchReport(standings, { vconv: VERSION, plan: loaded.name, started, ended: Date.now(), interrupted });
	folder.write(REPORTS.json, `${toJson(report, 2)}\n`);
	folder.write(REPORTS.junit, batchJunit(report));
	const page = folder.write(REPORTS.page, batchPage(report));
	if (args.json) io.stdout.write(`${toJson(report, 4)}\n`);
	if (!args.quiet) say(`${countsText(report)}; ${page}`);
	const untried = states.filter(({ earlier, status }) => earlier && status === 'failed').length;
	if (!args.quiet && untried > 0)
		say(`${untried} failed before and ${untried === 1 ? 'was' : 'were'} not tried again: --retry-failed tries`);
	io.signal.throwIfAborted();
	return report.counts.done === report.jobs.length ? 0 : SOME_FAILED;
};

const countsText = ({ counts, totals, jobs }: BatchReport): string => {
	const noted = jobs.filter(({ state, notes }) => state === 'done' && notes.length > 0).length;
	const said = [
		`${counts.done} done${noted > 0 ? ` (${noted} with notes)` : ''}`,
		counts.failed > 0 && `${counts.failed} failed`,
		counts.waiting > 0 && `${counts.waiting} not done yet`,
	];
	return `${said.filter(Boolean).join(', ')}; ${humanSize(totals.before)} became ${humanSize(totals.after)}`;
};

/** What the command of a job has against its words. */
const check = ([name = '', ...words]: readonly string[]): VconvError | undefined => {
	try {
		COMMANDS[name]?.check(words);
		return undefined;
	} catch (error) {
		if (error instanceof VconvError) return error;
		throw error;
	}
};

const COMMANDS: Readonly<Record<string, typeof convert>> = { convert, migrate, validate };

/** What the command line says for jobs that do not say otherwise. */
const defaultsOf = (args: BatchArguments): Defaults => {
	const values = new Map<string, Value>();
	const set = (name: string, value: Value | undefined): void => void (value !== undefined && values.set(name, value));
	set('format', args['output-format']);
	set('options', args.option?.flatMap(splitOptions));
	set('for', args.for);
	set('compress', args.compress);
	set('target', args.target);
	return { kind: args.kind, to: args.to, values };
};

const limitsOf = (args: BatchArguments) => {
	const processors = os.availableParallelism();
	const jobs = countOf('jobs', args.jobs ?? String(Math.max(2, Math.floor(processors / 2))));
	return { jobs, perDevice: countOf('per-device', args['per-device'] ?? PER_DEVICE), threads: Math.max(1, Math.floor(processors / jobs)) };
};

const countOf = (name: string, said: string): number => {
	if (/^[1-9]\d{0,2}$/.test(said)) return Number(said);
	throw new UsageError(`--${name} ${said} is not a number of jobs`, { hint: `--${name} with 1 to 999` });
};

const dryRun = async (loaded: Loaded, folder: string, atOnce: number, args: BatchArguments, io: Io): Promise<number> => {
	refuseReadOnly(folder);
	const records = readRecords(folder);
	const states = jobStates(loaded.jobs, { records }, args['retry-failed'] ?? false);
	await refuseReplacing(states, loaded.place, io.signal);
	const estimates = await estimate(states, records, atOnce, io.signal);
	io.stdout.write(args.json ? `${toJson(estimatesJson(states, estimates), 4)}\n` : estimatesText(states, estimates, atOnce));
	const isShort = estimates.space.some(({ needed, free }) => free !== undefined && needed > free);
	const fails = isShort || estimates.jobs.some(({ failure }) => failure) || states.some(({ status }) => status === 'failed');
	return fails ? SOME_FAILED : 0;
};

const estimatesJson = (states: readonly JobState[], { jobs, rate, measured, seconds, space }: Estimates) => ({
	done: states.filter(({ status }) => status === 'done').length,
	failed: states.filter(({ status }) => status === 'failed').length,
	jobs: jobs.map(({ state: { job, doing }, before, virtual, needed, seconds: each, failure }) => ({
		id: job.id,
		name: job.name,
		kind: job.kind,
		from: job.from,
		to: job.to,
		doing,
		'virtual-size': virtual,
		'source-size': before,
		'target-size': needed,
		seconds: Math.round(each),
		error: failure && { code: failure.code, message: failure.message, path: failure.path, hint: failure.hint },
	})),
	rate,
	measured,
	seconds: Math.round(seconds),
	space,
});

const estimatesText = (states: readonly JobState[], { jobs, rate, measured, seconds, space }: Estimates, atOnce: number): string => {
	const width = jobs.reduce((longest, { state }) => Math.min(40, Math.max(longest, state.job.name.length)), 0);
	const lines = jobs.map(({ state: { job }, before, virtual, needed, seconds: each, failure }) => {
		const to = job.to === undefined ? '' : ` -> ${plain(path.relative('', job.to) || job.to)}`;
		const sizes = [
			virtual !== undefined && `${humanSize(virtual)} virtual`,
			`${humanSize(before)} to read`,
			needed > 0 && `up to ${humanSize(needed)} to write`,
		];
		const said = failure ? `will fail: ${plain(failure.message)}` : `${sizes.filter(Boolean).join(', ')}, about ${clock(each)}`;
		return `${job.kind} ${plain(job.name).padEnd(width)}${to}: ${said}\n`;
	});
	const settled = (status: JobState['status']): number => states.filter((state) => state.status === status).length;
	const spaces = space.map(({ folder, needed, free }) => {
		const room = free === undefined ? '' : `, of ${humanSize(free)} free${needed > free ? ': NOT ENOUGH' : ''}`;
		return `space at ${plain(folder)}: up to ${humanSize(needed)}${room}\n`;
	});
	const basis = `${humanSize(rate)}/s for each${measured ? ', as measured before' : ', which is a guess'}`;
	const summary = `${jobs.length} to do, ${settled('done')} done and ${settled('failed')} failed before; about ${clock(seconds)} with ${atOnce} at once, at ${basis}\n`;
	return [...lines, ...spaces, summary].join('');
};
