import { hex } from '../bytes/size.ts';
import { BlockedError } from '../errors.ts';
import { junit, type TestCase } from '../report/junit.ts';
import { type SarifResult, sarif } from '../report/sarif.ts';
import { validationPage } from '../validate/page.ts';
import { type Category, type Concern, type Evidence, inWords, type Rule } from '../validate/rule.ts';
import { countConcerns, type ValidationReport, type Verdict } from '../validate/verdict.ts';
import { plain, toJson } from './render.ts';
import { validationText } from './validation-text.ts';

/** Forms of what `vconv validate` finds. */
export const VALIDATION_FORMS = ['human', 'json', 'sarif', 'junit', 'html'] as const;

export type ValidationForm = (typeof VALIDATION_FORMS)[number];

/** A report in one of its forms. @param quiet for people: nothing that is for information. */
export const printValidation = (form: ValidationForm, report: ValidationReport, quiet: boolean): string => {
	if (form === 'json') return `${toJson(report, 4)}\n`;
	if (form === 'sarif') return sarif(sarifResults(report), report.vconv);
	if (form === 'html') return validationPage(report);
	return form === 'junit' ? asJunit(report) : validationText(report, quiet);
};

const LEVELS = { Critical: 'error', Warning: 'warning', Information: 'note' } as const satisfies Record<Category, SarifResult['level']>;

const sarifResults = ({ verdicts, failures }: ValidationReport): SarifResult[] => [
	...verdicts.flatMap((verdict) => [
		...verdict.concerns.flatMap((concern) => resultsOf(verdict, concern, false)),
		...verdict.accepted.flatMap((concern) => resultsOf(verdict, concern, true)),
	]),
	...failures.map(unreadResult),
];

/** Hosts and editors show results alone, so that what could not be looked at is one, of no rule that can be accepted. */
const unreadResult = ({ subject, problem }: ValidationReport['failures'][number]): SarifResult => ({
	id: 'vconv.unread',
	level: 'error',
	message: `could not be looked at: ${plain(inWords({ what: problem.message, hint: problem.hint }))}`,
	path: problem.path ?? subject,
	subject: problem.field,
	offset: problem.offset,
	help: 'See what is wrong with the file; nothing is known of the machine.',
	about: ['Machine that could not be looked at', 'Its description, or the file that was named, cannot be read.'],
});

const resultsOf = ({ subject, target }: Verdict, concern: Concern, accepted: boolean): SarifResult[] => {
	const { id, category, label, assessment, remedy, evidence } = concern;
	return evidence.map((seen) => ({
		id,
		level: LEVELS[category],
		message: `${label} (${target}): ${plain(inWords(seen))}`,
		path: seen.file ?? subject,
		subject: seen.key,
		offset: seen.offset,
		help: remedy,
		about: [label, assessment],
		accepted,
	}));
};

const asJunit = ({ verdicts, failures, at, seconds }: ValidationReport): string =>
	junit({
		name: 'vconv validate',
		at,
		seconds,
		cases: [
			...verdicts.flatMap(casesOf),
			...failures.map(
				({ subject, problem }): TestCase => ({
					name: subject,
					className: 'vconv validate',
					seconds: 0,
					problem: { kind: 'error', type: problem.kind, message: problem.message, text: problem.hint ?? '' },
				}),
			),
		],
	});

/** A case for each concern, and one for the verdict. */
const casesOf = ({ subject, target, concerns, accepted, blocking }: Verdict): TestCase[] => {
	const className = `${subject} to ${target}`;
	const { Critical, Warning, Information } = countConcerns(concerns);
	const counts = `${Critical} critical, ${Warning === 1 ? '1 warning' : `${Warning} warnings`}, ${Information} for information`;
	const verdict = blocking ? ({ kind: 'failure', type: 'blocked', message: 'the move is blocked', text: counts } as const) : undefined;
	return [
		{ name: 'verdict', className, seconds: 0, output: counts, ...(verdict && { problem: verdict }) },
		...concerns.map((concern): TestCase => {
			const text = [...concern.evidence.map(evidenceLine), concern.assessment, concern.remedy].join('\n');
			const problem = { kind: 'failure', type: concern.id, message: concern.label, text } as const;
			const base = { name: concern.id, className, seconds: 0 };
			return concern.category === 'Critical' ? { ...base, problem } : { ...base, output: `${concern.category}: ${concern.label}\n${text}` };
		}),
		...accepted.map((concern): TestCase => {
			const problem = { kind: 'skipped', type: concern.id, message: 'accepted', text: concern.label } as const;
			return { name: concern.id, className, seconds: 0, problem };
		}),
	];
};

const evidenceLine = ({ file, key, offset, ...seen }: Evidence): string =>
	[inWords(seen), file, key, offset === undefined ? undefined : hex(offset)].filter((part) => part !== undefined).join(', ');

/** All rules, for people, or as JSON. */
export const rulesText = (all: readonly Rule[], categories: ReadonlyMap<string, Category | 'off'>, form: ValidationForm): string => {
	const shown = all.map(({ find: _, ...rule }) => ({ ...rule, category: categories.get(rule.id) ?? rule.category }));
	if (form === 'json') return `${toJson(shown, 4)}\n`;
	const width = Math.max(...shown.map(({ id }) => id.length));
	return shown
		.map(({ id, category, label, targets }) => {
			const only = targets ? ` (${targets.join(', ')})` : '';
			return `${id.padEnd(width)}  ${category.padEnd(11)}  ${label}${only}\n`;
		})
		.join('');
};

/** What a program that runs vconv is told of moves that are blocked. */
export const blockedError = ({ verdicts }: ValidationReport): BlockedError => {
	const blocked = verdicts.filter(({ blocking }) => blocking);
	const labels = [
		...new Set(
			blocked.flatMap(({ concerns }) => concerns.filter(({ category }) => category === concerns[0]?.category).map(({ label }) => label)),
		),
	];
	return new BlockedError(labels.slice(0, 3).join('; '), { path: blocked[0]?.subject, hint: 'vconv validate, which says what to do' });
};
