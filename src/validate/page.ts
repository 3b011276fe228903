import { markup } from '../report/markup.ts';
import { card, htmlPage, moment } from '../report/page.ts';
import { type MergedConcern, mergeTargets } from './merge.ts';
import { type Category, type Evidence, inWords } from './rule.ts';
import { targets } from './targets.ts';
import { countConcerns, type ValidationReport, type Verdict } from './verdict.ts';

const TONES = { Critical: 'bad', Warning: 'warn', Information: 'dim' } as const satisfies Record<Category, string>;

/** Evidence of one concern beyond this is counted. */
const SHOWN = 10;

/** A report as one page for people, which needs nothing else. */
export const validationPage = (report: ValidationReport): string => {
	const { verdicts, failures } = report;
	const subjects = [...new Set(verdicts.map(({ subject }) => subject))];
	const counts = countConcerns(verdicts.flatMap(({ concerns }) => concerns));
	return htmlPage(
		headline(report),
		`<header>
<h1>${markup(headline(report))}</h1>
<p class="dim">${moment(report.at)} · vconv ${markup(report.vconv)}</p>
</header>
<div class="cards">
${card(String(counts.Critical), 'critical', counts.Critical > 0 ? 'bad' : 'good')}
${card(String(counts.Warning), 'warnings', counts.Warning > 0 ? 'warn' : '')}
${card(String(counts.Information), 'for information', '')}
${card(String(subjects.length), subjects.length === 1 ? 'machine' : 'machines', '')}
</div>
${failures.length > 0 ? `<h2>What could not be looked at</h2>\n${failures.map(failure).join('\n')}` : ''}
<h2>Verdicts</h2>
<div class="table"><table>
<thead><tr><th>Machine</th><th>Target</th><th>Verdict</th><th class="number">Critical</th><th class="number">Warnings</th><th class="number">Information</th><th class="number">Accepted</th></tr></thead>
<tbody>
${verdicts.map(row).join('\n')}
</tbody>
</table></div>
${subjects.map((subject) => machine(subject, verdicts)).join('\n')}`,
	);
};

const headline = ({ verdicts, failures }: ValidationReport): string => {
	const blocked = verdicts.filter(({ blocking }) => blocking).length;
	if (failures.length > 0 && verdicts.length === 0) return 'Nothing could be looked at';
	if (blocked === 0) return verdicts.length === 1 ? 'Nothing blocks the move' : 'Nothing blocks the moves';
	return verdicts.length === 1 ? 'The move is blocked' : `${blocked} of ${verdicts.length} moves are blocked`;
};

const targetName = (id: string): string => targets.find((target) => target.id === id)?.name ?? id;

const failure = ({ subject, problem }: ValidationReport['failures'][number]): string =>
	`<section class="problem"><b class="path">${markup(subject)}</b><p>${markup(problem.message)}</p>${problem.hint === undefined ? '' : `<p>Try ${markup(problem.hint)}</p>`}</section>`;

const row = ({ subject, target, blocking, concerns, accepted }: Verdict): string => {
	const counts = countConcerns(concerns);
	const numbers = [counts.Critical, counts.Warning, counts.Information, accepted.length];
	return `<tr><td class="path">${markup(subject)}</td><td>${markup(targetName(target))}</td><td class="${blocking ? 'bad' : 'good'}">${blocking ? 'blocked' : 'nothing blocks it'}</td>${numbers.map((count) => `<td class="number">${count}</td>`).join('')}</tr>`;
};

const machine = (subject: string, verdicts: readonly Verdict[]): string => {
	const own = verdicts.filter((verdict) => verdict.subject === subject);
	const concerns = mergeTargets(own);
	if (concerns.length === 0) return '';
	return `<h2><span class="path">${markup(subject)}</span></h2>\n${concerns.map((concern) => section(concern, own.length)).join('\n')}`;
};

const section = ({ id, category, label, assessment, remedy, targets: about, evidence }: MergedConcern, count: number): string => {
	const only = about.length < count ? ` <span class="dim">${markup(about.map(targetName).join(', '))}</span>` : '';
	const more = evidence.length > SHOWN ? `<li>and ${evidence.length - SHOWN} more</li>` : '';
	return `<section class="concern"><p><b class="${TONES[category]}">${category}</b> <b>${markup(label)}</b>${only}</p>
<ul>${evidence.slice(0, SHOWN).map(seen).join('')}${more}</ul>
<p>${markup(assessment)}</p><p>${markup(remedy)} <code class="dim">${markup(id)}</code></p></section>`;
};

const seen = ({ file, key, offset, ...about }: Evidence): string => {
	const place = [file, key, offset === undefined ? undefined : `offset ${offset}`].filter((part) => part !== undefined).join(', ');
	return `<li>${markup(inWords(about))}${place === '' ? '' : ` <span class="path dim">${markup(place)}</span>`}</li>`;
};
