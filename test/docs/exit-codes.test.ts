import fs from 'node:fs';
import { expect, test } from 'vitest';
import { vconv } from '../helpers/cli.ts';

/** The exit codes of the first column of a page's table. */
const told = (page: string): readonly number[] =>
	[...fs.readFileSync(page, 'utf8').matchAll(/^\| (\d+(?:, \d+)*) \|/gm)].flatMap(([, codes = '']) => codes.split(', ').map(Number));

test('the pages and the help have the same exit codes', async () => {
	const codes = told('docs/errors.md');
	expect([...new Set(codes)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 75, 129, 130, 143]);
	const { stdout } = await vconv('--help');
	const help = stdout.slice(stdout.indexOf('Exit codes:')).match(/\d+/g)?.map(Number);
	expect(help).toEqual([...new Set(codes)]);
	expect(told('docs/scripting.md')).toEqual([...new Set(codes)]);
});
