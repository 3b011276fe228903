import { expect, test } from 'vitest';
import { collectFindings } from '../../src/disk/findings.ts';

test('every finding is counted by what it stands for, and the first ones are kept', () => {
	const findings = collectFindings();
	findings.add({ severity: 'note', code: 'odd', message: 'odd' });
	findings.add({ severity: 'leak', code: 'unused', message: '7 clusters are unused', count: 7 });
	for (let i = 0; i < 5000; i++) findings.add({ severity: 'error', code: 'wrong', message: `entry ${i}`, offset: i });
	const report = findings.report();
	expect(report.counts).toEqual({ error: 5000, leak: 7, note: 1 });
	expect(report.findings.length + report.more).toBe(5002);
	expect(report.findings.slice(0, 3).map(({ code }) => code)).toEqual(['odd', 'unused', 'wrong']);
	expect(report.findings.length).toBeLessThanOrEqual(1000);
});
