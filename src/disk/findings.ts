import type { CheckReport, Finding } from '../core/format.ts';

/** What a check finds: every finding is counted, and the first ones are kept. */
export type Findings = {
	add(finding: Finding): void;
	report(): Pick<CheckReport, 'findings' | 'more' | 'counts'>;
};

/** More than anybody reads, and little memory. */
const KEPT = 1000;

export const collectFindings = (): Findings => {
	const findings: Finding[] = [];
	const counts = { error: 0, leak: 0, note: 0 };
	let more = 0;
	return {
		add(finding) {
			counts[finding.severity] += finding.count ?? 1;
			if (findings.length < KEPT) findings.push(finding);
			else more++;
		},
		report: () => ({ findings, more, counts }),
	};
};
