import type { Reporter, TestModule } from 'vitest/node';

/** The closing line that CI reads, whatever vitest itself prints. */
export default class Tally implements Reporter {
	onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
		const count = { passed: 0, failed: errors.length, skipped: 0 };
		for (const module of modules) {
			if (module.state() === 'failed' && [...module.children.allTests()].length === 0) count.failed++;
			for (const test of module.children.allTests()) {
				const { state } = test.result();
				if (state !== 'pending') count[state]++;
			}
		}
		process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
	}
}
