import { defineConfig } from 'vitest/config';

export default defineConfig({
	test: {
		include: ['test/**/*.test.ts'],
		globalSetup: ['test/helpers/build.ts'],
		reporters: ['default', './test/helpers/tally.ts'],
		testTimeout: 60_000,
		hookTimeout: 300_000,
	},
});
