import { markup } from './markup.ts';

export type TestCase = {
	readonly name: string;
	/** What it belongs to, as a kind of job. */
	readonly className: string;
	readonly seconds: number;
	/** `failure`: it was done and the result is bad. `error`: it could not be done. Undefined if all is well. */
	readonly problem?: {
		readonly kind: 'failure' | 'error' | 'skipped';
		readonly type: string;
		readonly message: string;
		readonly text: string;
	};
	/** What else there is to say. */
	readonly output?: string | undefined;
};

export type TestSuite = {
	readonly name: string;
	/** Milliseconds since 1970. */
	readonly at: number;
	readonly seconds: number;
	readonly cases: readonly TestCase[];
};

/** JUnit's XML, as Jenkins, GitLab and GitHub's actions read it. */
export const junit = ({ name, at, seconds, cases }: TestSuite): string => {
	const count = (kind: string): number => cases.filter(({ problem }) => problem?.kind === kind).length;
	const totals = `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}" time="${seconds.toFixed(3)}"`;
	const timestamp = new Date(at).toISOString().slice(0, 19);
	return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="vconv" ${totals}>
	<testsuite name="${markup(name)}" ${totals} timestamp="${timestamp}">
${cases.map(printCase).join('')}	</testsuite>
</testsuites>
`;
};

const printCase = ({ name, className, seconds, problem, output }: TestCase): string => {
	const said = [
		problem &&
			`<${problem.kind} type="${markup(problem.type)}" message="${markup(problem.message)}">${markup(problem.text)}</${problem.kind}>`,
		output && `<system-out>${markup(output)}</system-out>`,
	].filter(Boolean);
	const start = `\t\t<testcase name="${markup(name)}" classname="${markup(className)}" time="${seconds.toFixed(3)}"`;
	return said.length === 0 ? `${start}/>\n` : `${start}>\n${said.map((line) => `\t\t\t${line}\n`).join('')}\t\t</testcase>\n`;
};
