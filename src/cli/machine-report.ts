import type { ReportEntry } from '../machine/report.ts';
import { VERSION } from '../node/version.ts';
import { type SarifResult, sarif } from '../report/sarif.ts';
import { countReport, reportText } from './descriptions.ts';
import { toJson } from './render.ts';

/** Forms of the report of a translation. */
export const REPORT_FORMS = ['text', 'json', 'sarif'] as const;

export type ReportForm = (typeof REPORT_FORMS)[number];

type About = {
	readonly input: string;
	readonly output: string;
	/** The format of the output. */
	readonly format: string;
	readonly intent: string;
	readonly profile?: string | undefined;
};

/** A report in one of its forms. @param quiet only what is more than worth knowing, in text. */
export const printReport = (form: ReportForm, report: readonly ReportEntry[], about: About, quiet: boolean): string => {
	if (form === 'json') return asJson(report, about);
	return form === 'sarif'
		? sarif(
				report.map((entry) => asResult(entry, about.input)),
				VERSION,
			)
		: reportText(report, quiet);
};

const asJson = (report: readonly ReportEntry[], about: About): string =>
	`${toJson({ ...about, counts: countReport(report), report }, 4)}\n`;

const asResult = ({ code, severity, message, subject, remedy }: ReportEntry, path: string): SarifResult => ({
	id: code,
	level: severity === 'info' ? 'note' : severity,
	message,
	path,
	subject,
	help: remedy,
});
