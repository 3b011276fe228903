import fs from 'node:fs';
import { expect, test } from 'vitest';
import { readCustomRules } from '../../src/validate/custom.ts';
import { rules } from '../../src/validate/rules/index.ts';
import { withTables } from './validation-page.ts';

const PAGE = 'docs/validation.md';

test('the tables of rules and targets are what the code gives', () => {
	const page = fs.readFileSync(PAGE, 'utf8');
	const current = withTables(page);
	if (process.env['VCONV_WRITE_DOCS']) fs.writeFileSync(PAGE, current);
	else expect(page === current, 'VCONV_WRITE_DOCS=1 npx vitest run test/docs/validation.test.ts').toBe(true);
});

test('the file of rules on the page is one', () => {
	const [, example = ''] = /```yaml\n([^`]*)```/.exec(fs.readFileSync(PAGE, 'utf8')) ?? [];
	const { rules: own, categories } = readCustomRules(example, PAGE, rules);
	expect(own.length).toBeGreaterThan(0);
	expect(categories.size).toBeGreaterThan(0);
});
