import { UnsupportedError } from '../errors.ts';
import type { ReportEntry } from '../machine/report.ts';
import { openFile } from '../node/file.ts';
import { plain } from './render.ts';

/** No description is larger, in bytes. */
const MOST = 8 << 20;

/** A machine's description from a file. @throws UnsupportedError for a file that is too large. */
export const readDescription = async (name: string): Promise<Uint8Array> => {
	const source = await openFile(name);
	try {
		if (source.size > MOST) {
			const message = `it has ${source.size} bytes, and no description of a machine has over ${MOST}`;
			throw new UnsupportedError(message, { path: name, hint: 'vconv convert, if it is a disk' });
		}
		return await source.read(0, source.size);
	} finally {
		await source.close();
	}
};

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
