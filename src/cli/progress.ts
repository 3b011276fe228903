import type ProgressBar from 'progress';
import { humanSize } from '../bytes/size.ts';
import { clock } from '../bytes/time.ts';
import type { Progress } from '../core/mover.ts';
import type { Io } from './io.ts';
import { toJson } from './render.ts';

/** How progress is shown: a bar on a terminal, a line now and then elsewhere, JSON lines, or not at all. */
export type ProgressStyle = 'bar' | 'lines' | 'json' | 'none';

/** Time between two reports, in ms. */
const INTERVALS = { bar: 100, lines: 10_000, json: 500, none: Number.POSITIVE_INFINITY } as const;

/** The bar's own scale. Its last step would end it before we do. */
const STEPS = 1000;

/** What stands beside the bar at the most, in characters. */
const TEXT_WIDTH = 70;

/** A bar shorter than this says nothing. */
const LEAST_BAR = 4;

export type Reporter = {
	report(progress: Progress): void;
	/** Write a line of text without tearing the bar. */
	above(text: string): void;
	/** Take the bar away. */
	end(): void;
};

/** `-q` silences, `--progress` decides, `-p` forces; otherwise a person at a terminal sees a bar. Who asked for JSON gets no lines of text. */
export const progressStyle = (
	{
		quiet,
		progress,
		p,
		json,
		output,
	}: {
		readonly quiet?: boolean | undefined;
		readonly progress?: string | undefined;
		readonly p?: boolean | undefined;
		readonly json?: boolean | undefined;
		readonly output?: string | undefined;
	},
	{ stderr }: Pick<Io, 'stderr'>,
): ProgressStyle => {
	if (progress === 'json' || progress === 'none') return progress;
	if (quiet || !(progress === 'bar' || p || stderr.isTTY)) return 'none';
	if (stderr.isTTY && process.env['TERM'] !== 'dumb') return 'bar';
	return json || output === 'json' ? 'json' : 'lines';
};

/** Shows how far a conversion is, on standard error. */
export const reporter = async (style: ProgressStyle, { stderr }: Pick<Io, 'stderr'>, now = () => performance.now()): Promise<Reporter> => {
	const Bar = style === 'bar' ? (await import('progress')).default : undefined;
	let bar: ProgressBar | undefined;
	/** When what is counted now was begun: what is read back is counted from nothing again. */
	let begun = now();
	let reported = begun;
	let last: Progress | undefined;

	const show = (progress: Progress): void => {
		const seen = figures(progress, (now() - begun) / 1000);
		if (style === 'json') stderr.write(`${toJson({ progress: { ...progress, ...seen } })}\n`);
		if (style === 'lines') stderr.write(`vconv: ${lineOf(progress, seen)}\n`);
		if (!Bar) return;
		const columns = stderr.columns || 80;
		const width = Math.min(30, columns - TEXT_WIDTH);
		const hasBar = width >= LEAST_BAR;
		bar ??= new Bar(hasBar ? '[:bar] :line' : ':line', {
			total: STEPS,
			width,
			head: '>',
			incomplete: ' ',
			clear: true,
			renderThrottle: 0,
			stream: stderr as unknown as NodeJS.WritableStream,
		});
		bar.curr = Math.min(STEPS - 1, Math.floor((progress.done / (progress.total || 1)) * STEPS));
		bar.render({ line: lineOf(progress, seen).slice(0, columns - 1 - (hasBar ? width + '[] '.length : 0)) });
	};

	return {
		report(progress) {
			if (last && progress.done < last.done) begun = now();
			last = progress;
			if (now() - reported < INTERVALS[style]) return;
			reported = now();
			show(progress);
		},
		above(text) {
			if (bar) bar.interrupt(text.replace(/\n$/, ''));
			else stderr.write(text);
		},
		end() {
			if (style === 'json' && last) show(last);
			last = undefined;
			bar?.terminate();
			bar = undefined;
		},
	};
};

/** Bytes of data a second, and the seconds left if the rest of the disk goes like what this run has done. */
const figures = ({ done, total, data, earlier = { done: 0, data: 0 } }: Progress, seconds: number) => {
	const [now, nowData] = [done - earlier.done, data - earlier.data];
	return {
		rate: seconds > 0 ? Math.round(nowData / seconds) : 0,
		eta: now > 0 ? Math.round((seconds * (total - done)) / now) : undefined,
	};
};

const lineOf = ({ done, total, data }: Progress, { rate, eta }: ReturnType<typeof figures>): string => {
	const percent = total > 0 ? Math.floor((done / total) * 100) : 100;
	const left = eta === undefined ? '' : `, ${clock(eta)} left`;
	return `${percent}%, ${humanSize(data)} of data, ${humanSize(total)} virtual, ${humanSize(rate)}/s${left}`;
};
