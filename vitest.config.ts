import { defineConfig } from 'vitest/config';

export default defineConfig({
	test: {
		include: ['test/**/*.test.ts'],
		globalSetup: ['test/helpers/build.ts'],
		reporters: ['default', './test/helpers/tally.ts'],
		// Much of the time is another program's.
		maxWorkers: '100%',
		testTimeout: 60_000,
		hookTimeout: 300_000,
	},
});
