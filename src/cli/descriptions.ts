import type { ReportEntry } from '../machine/report.ts';
import { plain } from './render.ts';

const SEVERITIES = ['error', 'warning', 'info'] as const;

/** How many entries of each severity there are. */
export const countReport = (report: readonly ReportEntry[]): Readonly<Record<ReportEntry['severity'], number>> => {
	const count = (severity: ReportEntry['severity']) => report.filter((entry) => entry.severity === severity).length;
	return { error: count('error'), warning: count('warning'), info: count('info') };
};

/** A report for people, the worst first. @param quiet leaves out what is merely worth knowing. */
export const reportText = (report: readonly ReportEntry[], quiet = false): string =>
	report
		.filter(({ severity }) => !quiet || severity !== 'info')
		.toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))
		.map(({ severity, subject, message, remedy, code }) => {
			const hint = remedy ? ` (${plain(remedy)})` : '';
			return `${severity.padEnd(8)}${plain(subject)}: ${plain(message)}${hint} [${code}]\n`;
		})
		.join('');
