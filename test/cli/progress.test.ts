import { expect, test, vi } from 'vitest';
import { type ProgressStyle, progressStyle, reporter } from '../../src/cli/progress.ts';
import type { Progress } from '../../src/core/mover.ts';

const GiB = 2 ** 30;

test.for([
	[{}, true, 'bar'],
	[{}, false, 'none'],
	[{ p: true }, false, 'lines'],
	[{ p: true, quiet: true }, true, 'none'],
	[{ progress: 'json', quiet: true }, false, 'json'],
	[{ progress: 'none', p: true }, true, 'none'],
	[{ progress: 'bar' }, false, 'lines'],
	[{ p: true, json: true }, false, 'json'],
	[{ p: true, output: 'json' }, false, 'json'],
	[{ json: true }, false, 'none'],
] as const)('%j on a terminal (%s) shows %s', ([args, isTTY, style]) => {
	expect(progressStyle(args, { stderr: { write() {}, isTTY } })).toBe(style);
});

/** What is written when a disk of 8 GiB is a quarter done after 20 s, and three quarters after 40 s. */
const shown = async (style: ProgressStyle, columns = 120): Promise<string> => {
	let said = '';
	let time = 0;
	const stderr = { isTTY: true, columns, write: (text: string) => (said += text), clearLine() {}, cursorTo: () => (said += '\r') };
	const { report, above, end } = await reporter(style, { stderr }, () => time);
	report({ stage: 'copy', done: 0, total: 8 * GiB, data: 0 });
	time = 20_000;
	report({ stage: 'copy', done: 2 * GiB, total: 8 * GiB, data: GiB });
	above('a note\n');
	time = 40_000;
	report({ stage: 'copy', done: 6 * GiB, total: 8 * GiB, data: 2 * GiB });
	end();
	end();
	return said;
};

test('a bar has the rate, the time left, and the data of the virtual size', async () => {
	expect(await shown('bar')).toContain('[=======>                      ] 25%, 1 GiB of data, 8 GiB virtual, 51.2 MiB/s, 1:00 left');
});

test('a terminal too narrow for a bar has the text alone, cut to one line', async () => {
	for (const columns of [20, 40, 70, 79, 120]) {
		const lines = (await shown('bar', columns)).split(/[\n\r]/);
		expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(columns);
	}
	expect(await shown('bar', 40)).toContain('25%, 1 GiB of data, 8 GiB virtual, 51.2');
});

test('a terminal that can only print has lines', () => {
	vi.stubEnv('TERM', 'dumb');
	expect(progressStyle({}, { stderr: { write() {}, isTTY: true } })).toBe('lines');
	vi.unstubAllEnvs();
});

test('where no terminal is, a line comes every ten seconds', async () => {
	expect(await shown('lines')).toBe(
		'vconv: 25%, 1 GiB of data, 8 GiB virtual, 51.2 MiB/s, 1:00 left\na note\nvconv: 75%, 2 GiB of data, 8 GiB virtual, 51.2 MiB/s, 0:13 left\n',
	);
});

test('JSON lines end with the last figures', async () => {
	const lines = (await shown('json')).split('\n').filter((line) => line.startsWith('{'));
	expect(lines.map((line) => JSON.parse(line).progress.done)).toEqual([2 * GiB, 6 * GiB, 6 * GiB]);
});

test('silence is silent, but for notes', async () => {
	expect(await shown('none')).toBe('a note\n');
});

/** The JSON lines of these reports, each after so many seconds. */
const figures = async (...reports: readonly (readonly [seconds: number, progress: Progress])[]) => {
	let said = '';
	let time = 0;
	const { report } = await reporter('json', { stderr: { write: (text: string) => (said += text) } }, () => time);
	for (const [seconds, progress] of reports) {
		time = seconds * 1000;
		report(progress);
	}
	return said
		.split('\n')
		.filter(Boolean)
		.map((line) => JSON.parse(line).progress as { rate: number; eta: number });
};

test('what an interrupted run had done makes this one no faster', async () => {
	const earlier = { done: 6 * GiB, data: 5 * GiB };
	const [seen] = await figures([10, { stage: 'copy', done: 7 * GiB, total: 9 * GiB, data: 5.5 * GiB, earlier }]);
	expect(seen).toMatchObject({ rate: Math.round(0.05 * GiB), eta: 20 });
});

test('what is read back has a rate and a time left of its own', async () => {
	const [, , verified] = await figures(
		[100, { stage: 'copy', done: 8 * GiB, total: 8 * GiB, data: 8 * GiB }],
		[101, { stage: 'verify', done: 0, total: 8 * GiB, data: 0 }],
		[105, { stage: 'verify', done: 2 * GiB, total: 8 * GiB, data: GiB }],
	);
	expect(verified).toMatchObject({ rate: 0.25 * GiB, eta: 12 });
});
