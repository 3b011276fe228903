import { clock } from '../bytes/time.ts';
import { markup } from '../report/markup.ts';
import type { JobReport } from './report.ts';

type Span = { readonly start: number; readonly end: number };

/** Pauses longer than this are cut out of the picture, in ms: a batch may be taken up again after a weekend. */
const LONGEST_PAUSE = 60_000;

/** More bars than this nobody reads: the longest are shown. */
const MAX_BARS = 200;

/** In units of the picture, whose width is 1000. */
const LABEL = 240;
const WIDTH = 1000 - LABEL - 70;
const ROW = 18;

/** When each job ran, as SVG; empty if none has. */
export const timeline = (jobs: readonly JobReport[]): string => {
	const ran = jobs.flatMap((job) =>
		job.started === undefined || job.ended === undefined ? [] : [{ job, start: job.started, end: job.ended }],
	);
	const shown = ran
		.toSorted((a, b) => b.end - b.start - (a.end - a.start))
		.slice(0, MAX_BARS)
		.toSorted((a, b) => a.start - b.start);
	if (shown.length === 0) return '';
	const { place, pauses, length } = withoutPauses(shown);
	const x = (time: number): number => LABEL + (place(time) / (length || 1)) * WIDTH;
	const height = shown.length * ROW;
	const bars = shown.map(({ job, start, end }, index) => {
		const seconds = (end - start) / 1000;
		const y = index * ROW;
		const width = Math.max(1.5, x(end) - x(start));
		const title = `${job.name}: ${duration(seconds)}, ${new Date(start)
			.toISOString()
			.replace(/\.\d+Z/, ' UTC')
			.replace('T', ' ')}`;
		const label = job.name.length > 38 ? `…${job.name.slice(-37)}` : job.name;
		return `<g><title>${markup(title)}</title><text x="${LABEL - 8}" y="${y + 13}" text-anchor="end">${markup(label)}</text>
<rect class="${job.state}" x="${x(start).toFixed(1)}" y="${y + 3}" width="${width.toFixed(1)}" height="${ROW - 6}" rx="2"/>
<text class="time" x="${(x(start) + width + 5).toFixed(1)}" y="${y + 13}">${duration(seconds)}${job.state === 'failed' ? ', failed' : ''}</text></g>`;
	});
	const gaps = pauses.map(
		(time) =>
			`<line class="pause" x1="${x(time).toFixed(1)}" x2="${x(time).toFixed(1)}" y1="0" y2="${height}"><title>a pause</title></line>`,
	);
	const label = `When each of ${shown.length} jobs ran, over ${duration(length / 1000)}`;
	return `<svg viewBox="0 0 1000 ${height + 4}" role="img" aria-label="${label}">\n${[...gaps, ...bars].join('\n')}\n</svg>`;
};

/** Time with the long pauses between jobs cut out: where a moment comes to lie, in ms from the start, and where the cuts are. */
const withoutPauses = (spans: readonly Span[]) => {
	const cuts: Span[] = [];
	let busyUntil = Number.POSITIVE_INFINITY;
	for (const { start, end } of spans.toSorted((a, b) => a.start - b.start)) {
		if (start - busyUntil > LONGEST_PAUSE) cuts.push({ start: busyUntil, end: start });
		busyUntil = busyUntil === Number.POSITIVE_INFINITY ? end : Math.max(busyUntil, end);
	}
	const first = Math.min(...spans.map(({ start }) => start));
	const last = Math.max(...spans.map(({ end }) => end));
	const place = (time: number): number =>
		time - first - cuts.reduce((sum, cut) => sum + Math.max(0, Math.min(time, cut.end) - cut.start), 0);
	return { place, pauses: cuts.map(({ start }) => start), length: place(last) };
};

/** A length of time, to a tenth of a second where it is short: `3.2 s`, `12:30`, `1:05:00`. */
export const duration = (seconds: number): string => {
	if (seconds >= 60) return clock(seconds);
	return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
};
