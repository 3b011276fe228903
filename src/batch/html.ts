import { humanSize } from '../bytes/size.ts';
import { markup } from '../report/markup.ts';
import { duration, timeline } from './picture.ts';
import type { BatchReport, JobReport } from './report.ts';

/** Everything the page needs is in it, and it may fetch nothing. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

const STYLE = `
:root { color-scheme: light dark; --text: #1d2329; --dim: #5a6570; --page: #fff; --card: #f4f6f8; --line: #d8dee4; --good: #1a7f4b; --bad: #c0312b; --wait: #6b7785; --warn: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ec; --dim: #9aa5b1; --page: #14181c; --card: #1e242a; --line: #343c45; --good: #4cc38a; --bad: #ff7b72; --wait: #8b96a3; --warn: #e3b341; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1100px; padding: 2rem 1.25rem 4rem; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
p { margin: .25rem 0; } .dim, .time { color: var(--dim); }
code, .path { font: .88em ui-monospace, monospace; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem; margin-top: 1.5rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; } .card b { display: block; font-size: 1.45rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.problem { border-left: 4px solid var(--bad); background: var(--card); padding: .6rem 1rem; margin: .6rem 0; border-radius: 0 8px 8px 0; }
.table { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: baseline; } th { color: var(--dim); font-weight: 600; }
td.number, th.number { text-align: right; white-space: nowrap; }
svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; } svg text { fill: var(--text); } svg .time { fill: var(--dim); }
svg .done { fill: var(--good); } svg .failed { fill: var(--bad); } svg .waiting { fill: var(--wait); } svg .pause { stroke: var(--dim); stroke-dasharray: 3 3; }
@media print { :root { color-scheme: light; --text: #000; --dim: #444; --page: #fff; --card: #fff; --line: #bbb; --good: #1a7f4b; --bad: #c0312b; --warn: #8a5a00; } body { padding: 0; max-width: none; font-size: 11px; } tr, .problem, .card { break-inside: avoid; } h2 { break-after: avoid; } svg rect { print-color-adjust: exact; } }
`;

/** A report as one page for people, which needs nothing else. */
export const batchPage = (report: BatchReport): string => {
	const { counts, totals, jobs } = report;
	const failed = jobs.filter(({ state }) => state === 'failed');
	const noted = jobs.filter(({ notes, adopted }) => notes.length > 0 || adopted);
	const picture = timeline(jobs);
	return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${markup(headline(report))}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
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
${noted.length > 0 ? `<h2>Worth knowing</h2>\n${noted.map(notes).join('\n')}` : ''}
</body>
</html>
`;
};

const headline = ({ counts, interrupted, jobs }: BatchReport): string => {
	if (counts.failed > 0) return `${counts.failed} of ${jobs.length} jobs failed`;
	if (counts.waiting > 0) return `${counts.done} of ${jobs.length} jobs done${interrupted ? ', then interrupted' : ''}`;
	return jobs.length === 1 ? 'The job is done' : `All ${jobs.length} jobs are done`;
};

const moment = (time: number): string => `<time>${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC</time>`;

const card = (value: string, label: string, tone: string): string =>
	`<div class="card"><b${tone && ` class="${tone}"`}>${markup(value)}</b><span class="dim">${label}</span></div>`;

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
