import { humanSize } from '../../bytes/size.ts';
import { clock } from '../../bytes/time.ts';
import type { JobState } from '../../node/batch/run.ts';
import type { Io } from '../io.ts';
import type { ProgressStyle } from '../progress.ts';
import { plain, toJson } from '../render.ts';

/** Time between two pictures on a terminal, and between two lines of JSON, in ms. */
const INTERVALS = { bar: 200, json: 500 } as const;

/** Bars are of this many characters. */
const BAR = 16;

export type BatchView = {
	/** Something about a job has changed. */
	changed(state: JobState): void;
	/** Leave the terminal as it was found. */
	end(): void;
};

/**
 * Shows a batch on standard error: on a terminal a line for each running job and one for all, drawn again and again; as JSON a line for each
 * change and totals now and then, or `events` alone; elsewhere a line for each job that ends.
 */
export const batchView = (
	states: readonly JobState[],
	style: ProgressStyle | 'plain' | 'events',
	{ stderr }: Pick<Io, 'stderr'>,
): BatchView => {
	const began = Date.now();
	const earlier = fractionDone(states).done;
	const seen = new Map<JobState, JobState['status']>();
	let drawn = 0;

	const totals = () => {
		const { done, total } = fractionDone(states);
		const seconds = (Date.now() - began) / 1000;
		const rate = seconds > 0 ? (done - earlier) / seconds : 0;
		return {
			done: states.filter(({ status }) => status === 'done').length,
			failed: states.filter(({ status }) => status === 'failed').length,
			running: states.filter(({ status }) => status === 'running').length,
			jobs: states.length,
			bytes: Math.round(done),
			of: total,
			rate: Math.round(rate),
			eta: rate > 0 ? Math.round((total - done) / rate) : undefined,
		};
	};

	const erase = (): void => {
		if (drawn > 0) stderr.write(`\u001b[${drawn}A\u001b[J`);
		drawn = 0;
	};
	const draw = (): void => {
		erase();
		const width = (stderr.columns || 80) - 1;
		const running = states.filter(({ status }) => status === 'running').map((state) => runningLine(state, width));
		const lines = [...running, totalLine(totals())].map((line) => line.slice(0, width));
		stderr.write(lines.map((line) => `${line}\n`).join(''));
		drawn = lines.length;
	};
	const tick = style === 'bar' ? draw : () => stderr.write(`${toJson({ progress: totals() })}\n`);
	const timer = style === 'bar' || style === 'json' ? setInterval(tick, INTERVALS[style]) : undefined;

	return {
		changed(state) {
			if (seen.get(state) === state.status) return;
			seen.set(state, state.status);
			if (style === 'json' || style === 'events') return void stderr.write(`${toJson({ job: jobEvent(state) })}\n`);
			if (style === 'none' || (state.status !== 'done' && state.status !== 'failed')) return;
			if (style === 'bar') erase();
			const { done, failed, jobs } = totals();
			stderr.write(`${endedLine(state)} (${done + failed} of ${jobs})\n`);
			if (style === 'bar') draw();
		},
		end() {
			clearInterval(timer);
			if (style === 'json') tick();
			erase();
		},
	};
};

/** Bytes of sources that are dealt with; those that are of no size count as one. */
const fractionDone = (states: readonly JobState[]): { readonly done: number; readonly total: number } => {
	let [done, total] = [0, 0];
	for (const { status, size, progress } of states) {
		const weight = Math.max(1, size);
		total += weight;
		if (status === 'done' || status === 'failed') done += weight;
		else if (progress) done += weight * Math.min(1, progress.done / (progress.total || 1));
	}
	return { done, total };
};

const runningLine = ({ job, progress, doing, startedAt = 0 }: JobState, width: number): string => {
	const name = plain(job.name);
	const room = Math.max(12, width - BAR - 44);
	const label = name.length > room ? `…${name.slice(1 - room)}` : name.padEnd(room);
	if (!progress) return `  ${label} ${doing === 'compare' ? 'comparing' : 'starting'}, ${clock((Date.now() - startedAt) / 1000)}`;
	const part = Math.min(1, progress.done / (progress.total || 1));
	const bar = '='.repeat(Math.round(part * BAR)).padEnd(BAR);
	const eta = progress.eta === undefined ? '' : `, ${clock(progress.eta)} left`;
	return `  ${label} [${bar}] ${String(Math.floor(part * 100)).padStart(3)}% ${humanSize(progress.rate)}/s${eta}`;
};

type Totals = {
	done: number;
	failed: number;
	running: number;
	jobs: number;
	bytes: number;
	of: number;
	rate: number;
	eta: number | undefined;
};

const totalLine = ({ done, failed, running, jobs, bytes, of, rate, eta }: Totals): string => {
	const bad = failed > 0 ? `, ${failed} failed` : '';
	const left = eta === undefined ? '' : `, ${clock(eta)} left`;
	return `vconv: ${done} of ${jobs} done${bad}, ${running} running; ${humanSize(bytes)} of ${humanSize(of)}, ${humanSize(rate)}/s${left}`;
};

const endedLine = ({ job, status, record }: JobState): string => {
	if (!record || record.state === 'started') return `vconv: ${status} ${plain(job.name)}`;
	const took = clock((record.at - record.started) / 1000);
	if (status === 'failed') return `vconv: FAILED ${plain(job.name)}, after ${took}: ${plain(record.error?.message ?? '')}`;
	const { before, after } = record.sizes;
	const sizes = after === undefined ? '' : `, ${humanSize(before ?? 0)} to ${humanSize(after)}`;
	return `vconv: done ${plain(job.name)}${sizes}, after ${took}`;
};

const jobEvent = ({ job, status, record }: JobState) => ({
	id: job.id,
	name: job.name,
	kind: job.kind,
	to: job.to,
	state: status,
	...(record && record.state !== 'started' && status !== 'running' && { sizes: record.sizes, error: record.error }),
});
