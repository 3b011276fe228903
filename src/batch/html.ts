import { humanSize } from '../bytes/size.ts';
import { markup } from '../report/markup.ts';
import { card, htmlPage, moment } from '../report/page.ts';
import { duration, timeline } from './picture.ts';
import type { BatchReport, JobReport } from './report.ts';

/** A report as one page for people, which needs nothing else. */
export const batchPage = (report: BatchReport): string => {
	const { counts, totals, jobs } = report;
	const failed = jobs.filter(({ state }) => state === 'failed');
	const noted = jobs.filter(({ notes, adopted }) => notes.length > 0 || adopted);
	const picture = timeline(jobs);
	return htmlPage(
		headline(report),
		`<header>
<h1>${markup(headline(report))}</h1>
<p class="dim"><span class="path">${markup(report.plan)}</span> · ${moment(report.started)} to ${moment(report.ended)} · vconv ${markup(report.vconv)}</p>
</header>
<div class="cards">
${card(String(counts.done), 'done', counts.done > 0 ? 'good' : '')}
${card(String(counts.failed), 'failed', counts.failed > 0 ? 'bad' : '')}
${card(String(counts.waiting), 'not done yet', counts.waiting > 0 ? 'warn' : '')}
${card(humanSize(totals.before), 'before, on disk', '')}
${card(humanSize(totals.after), 'after, on disk', '')}
${card(humanSize(totals.virtual), 'as guests see it', '')}
</div>
${failed.length > 0 ? `<h2>What failed, and what to do</h2>\n${failed.map(problem).join('\n')}` : ''}
${picture === '' ? '' : `<h2>When it ran</h2>\n${picture}`}
<h2>Jobs</h2>
<div class="table"><table>
<thead><tr><th>Job</th><th>Kind</th><th>State</th><th>Result</th><th class="number">Guest sees</th><th class="number">Before</th><th class="number">After</th><th class="number">Time</th></tr></thead>
<tbody>
${jobs.map(row).join('\n')}
</tbody>
</table></div>
${noted.length > 0 ? `<h2>Worth knowing</h2>\n${noted.map(notes).join('\n')}` : ''}`,
	);
};

const headline = ({ counts, interrupted, jobs }: BatchReport): string => {
	if (counts.failed > 0) return `${counts.failed} of ${jobs.length} jobs failed`;
	if (counts.waiting > 0) return `${counts.done} of ${jobs.length} jobs done${interrupted ? ', then interrupted' : ''}`;
	return jobs.length === 1 ? 'The job is done' : `All ${jobs.length} jobs are done`;
};

const problem = ({ name, error, log }: JobReport): string => {
	const { message = '', path, hint, exitCode = 1 } = error ?? {};
	return `<section class="problem"><b>${markup(name)}</b>
<p>${markup(message)} <span class="dim">(exit ${exitCode})</span></p>
${path === undefined ? '' : `<p class="dim">at <span class="path">${markup(path)}</span></p>`}
${hint === undefined ? '' : `<p>Try ${markup(hint)}</p>`}
<p class="dim">Log: <span class="path">${markup(log)}</span></p></section>`;
};

const STATES = { done: ['done', 'good'], failed: ['failed', 'bad'], waiting: ['not done yet', 'warn'] } as const;

const row = ({ name, kind, state, earlier, to, sizes, started, ended }: JobReport): string => {
	const [label, tone] = STATES[state];
	const size = (bytes: number | undefined): string => `<td class="number">${bytes === undefined ? '' : humanSize(bytes)}</td>`;
	const time = started === undefined || ended === undefined ? '' : duration((ended - started) / 1000);
	return `<tr><td class="path">${markup(name)}</td><td>${markup(kind)}</td><td class="${tone}">${label}${earlier ? ' before' : ''}</td><td class="path">${markup(to ?? '')}</td>${size(sizes.virtual)}${size(sizes.before)}${size(sizes.after)}<td class="number">${time}</td></tr>`;
};

const notes = ({ name, notes: said, adopted }: JobReport): string => {
	const compared = 'its target was finished by a run that was killed before it could say so; it has been compared with its source since';
	const all = adopted ? [...said, compared] : said;
	return `<p><b>${markup(name)}</b></p>\n<ul>${all.map((note) => `<li>${markup(note)}</li>`).join('')}</ul>`;
};
