import { hex } from '../bytes/size.ts';
import { type MergedConcern, mergeTargets } from '../validate/merge.ts';
import { type Category, type Evidence, inWords } from '../validate/rule.ts';
import { countConcerns, type ValidationReport, type Verdict } from '../validate/verdict.ts';
import { plain } from './render.ts';

const HEADINGS: readonly (readonly [category: Category, heading: string])[] = [
	['Critical', 'Critical: the move fails, or the machine does not run after it'],
	['Warning', 'Warnings: something is lost or works in another way'],
	['Information', 'Information'],
];

const LETTERS = { Critical: 'C', Warning: 'W', Information: 'i' } as const satisfies Record<Category, string>;

/** Pieces of evidence of one concern that a person would read. */
const SHOWN = 4;

/** What was found, for people: machine by machine, the most important first. @param quiet leaves out what is for information. */
export const validationText = ({ verdicts, failures }: ValidationReport, quiet: boolean): string => {
	const subjects = [...new Set(verdicts.map(({ subject }) => subject))];
	const blocks = subjects.map((subject) =>
		machineText(
			verdicts.filter((verdict) => verdict.subject === subject),
			quiet,
		),
	);
	const failed = failures.map(({ subject, problem: { message, hint } }) => {
		return `${plain(subject)}: could not be looked at: ${plain(message)}${hint === undefined ? '' : ` (try ${plain(hint)})`}\n`;
	});
	return [...blocks, ...failed].join('\n');
};

const machineText = (verdicts: readonly Verdict[], quiet: boolean): string => {
	const concerns = mergeTargets(verdicts).filter(({ category }) => !quiet || category !== 'Information');
	const groups = HEADINGS.flatMap(([category, heading]) => {
		const group = concerns.filter((concern) => concern.category === category);
		return group.length === 0 ? [] : [`${heading}\n${group.map((concern) => concernText(concern, verdicts.length)).join('')}`];
	});
	const table = verdicts.length > 1 ? [tableText(concerns, verdicts)] : [];
	return [...groups, ...table, verdicts.map(verdictText).join('')].join('\n');
};

const concernText = ({ id, category, label, assessment, remedy, targets, evidence }: MergedConcern, count: number): string => {
	const only = targets.length < count ? ` (${targets.join(', ')})` : '';
	const more = evidence.length > SHOWN ? [`    and ${evidence.length - SHOWN} more\n`] : [];
	const seen = [...evidence.slice(0, SHOWN).map((each) => `    ${evidenceText(each)}\n`), ...more];
	// What is merely good to know has its meaning in --list and in the other forms.
	const advice = category === 'Information' ? [] : [`    ${assessment}\n`, `    -> ${remedy}\n`];
	return [`  ${plain(label)} [${id}]${only}\n`, ...seen, ...advice.map(plainLine)].join('');
};

/** Rules of one's own have texts of their own. */
const plainLine = (line: string): string => `${plain(line.trimEnd())}\n`;

const evidenceText = ({ file, key, offset, ...seen }: Evidence): string => {
	const what = inWords(seen);
	const place = [file, key, offset === undefined ? undefined : hex(offset)].filter((part) => part !== undefined).join(', ');
	return plain(place === '' ? what : `${what} (${place})`);
};

/** Which concern is of which target. */
const tableText = (concerns: readonly MergedConcern[], verdicts: readonly Verdict[]): string => {
	const targets = verdicts.map(({ target }) => target);
	const labels = [...new Map(concerns.map(({ id, label }) => [id, plain(label)]))];
	const width = Math.max(0, ...labels.map(([, label]) => label.length));
	const cell = (text: string, target: string): string => `  ${text.padEnd(target.length)}`;
	const rows = labels.map(([id, label]) => {
		const marks = targets.map((target) => {
			const found = concerns.find((concern) => concern.id === id && concern.targets.includes(target));
			return cell(found ? LETTERS[found.category] : '-', target);
		});
		return `${label.padEnd(width)}${marks.join('')}`.trimEnd();
	});
	const verdict = verdicts.map(({ blocking, target }) => cell(blocking ? 'no' : 'yes', target)).join('');
	const head = `${''.padEnd(width)}${targets.map((target) => cell(target, target)).join('')}`;
	return [head, ...rows, `${'nothing blocks it'.padEnd(width)}${verdict}`.trimEnd(), ''].join('\n');
};

const verdictText = ({ subject, target, concerns, accepted, blocking }: Verdict): string => {
	const { Critical, Warning, Information } = countConcerns(concerns);
	const known = accepted.length > 0 ? `, ${accepted.length} accepted` : '';
	const counts = `${Critical} critical, ${Warning === 1 ? '1 warning' : `${Warning} warnings`}, ${Information} for information${known}`;
	return `${plain(subject)} to ${target}: ${blocking ? 'blocked' : 'nothing blocks it'}: ${counts}\n`;
};
