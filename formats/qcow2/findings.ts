import type { Finding } from '../../src/core/format.ts';

/** What a check finds, in the order it does: so many are kept, the others are only counted. */
export type Findings = {
	add(finding: Finding): void;
	/** All of them; those that were not kept are one for each severity. */
	list(): readonly Finding[];
};

const KEPT = 1000;

export const collectFindings = (): Findings => {
	const kept: Finding[] = [];
	const more = new Map<Finding['severity'], number>();
	return {
		add(finding) {
			if (kept.length < KEPT) kept.push(finding);
			else more.set(finding.severity, (more.get(finding.severity) ?? 0) + (finding.count ?? 1));
		},
		list: () => [...kept, ...[...more].map(([severity, count]) => ({ severity, code: 'more', message: `${count} more of these`, count }))],
	};
};
