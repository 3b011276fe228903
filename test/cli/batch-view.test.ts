import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { redact } from '../../src/bytes/redact.ts';
import { batchView } from '../../src/cli/commands/batch-view.ts';
import type { JobState } from '../../src/node/batch/run.ts';
import { effort } from '../helpers/effort.ts';

const job = (name: string, more: Partial<JobState> = {}): JobState => ({
	job: {
		...{ line: 1, column: 1, field: 'jobs[1]' },
		...{ id: name, kind: 'convert', name, from: `/in/${name}`, to: `/out/${name}`, argv: [], values: new Map() },
	},
	status: 'waiting',
	earlier: false,
	size: 1 << 30,
	doing: 'work',
	progress: undefined,
	startedAt: undefined,
	record: undefined,
	...more,
});

const done = (id: string): NonNullable<JobState['record']> => ({
	id,
	at: 90_000,
	started: 0,
	attempt: 1,
	state: 'done',
	sources: [],
	sizes: { before: 3 << 20, after: 2 << 20 },
	notes: [],
});

/** What a view writes to a terminal of this width while `act` goes on. */
const shown = (
	states: JobState[],
	style: Parameters<typeof batchView>[1],
	columns: number,
	act: (view: ReturnType<typeof batchView>) => void,
): string => {
	let text = '';
	const view = batchView(states, style, { stderr: { write: (said) => (text += said), isTTY: true, columns } });
	act(view);
	view.end();
	return text;
};

const progress = { stage: 'copy', done: 25, total: 100, data: 20, rate: 5 << 20, eta: 61 } as const;

test('a terminal shows a line for each running job and one for all, none too wide, and is left clean', () => {
	const states = [job('a.vmdk'), job('b\u001b[31m.vmdk', { status: 'running', progress, startedAt: Date.now() }), job('c.vmdk')];
	for (const columns of [40, 80, 200]) {
		const text = shown(states, 'bar', columns, ({ changed }) => {
			const first = states[0] as JobState;
			Object.assign(first, { status: 'done', record: done('a.vmdk') });
			changed(first);
		});
		const pictures = stripVTControlCharacters(text).split('\n');
		for (const line of pictures.slice(1)) expect(line.length).toBeLessThan(columns);
		expect(text).toContain('vconv: done a.vmdk, 3 MiB to 2 MiB, after 1:30 (1 of 3)\n');
		expect(text).toContain('vconv: 1 of 3 done');
		expect(text).not.toContain('\u001b[31m');
		expect(text.endsWith('\u001b[2A\u001b[J')).toBe(true);
	}
	expect(shown(states, 'bar', 100, ({ changed }) => changed(states[0] as JobState))).toContain(
		'[====            ]  25% 5 MiB/s, 1:01 left',
	);
});

test('without a terminal there is a line for each job that ends, and with none nothing', () => {
	const state = job('a.vmdk', { status: 'done', record: done('a.vmdk') });
	const once = ({ changed }: ReturnType<typeof batchView>): void => {
		changed(state);
		changed(state);
	};
	expect(shown([state], 'plain', 80, once)).toBe('vconv: done a.vmdk, 3 MiB to 2 MiB, after 1:30 (1 of 1)\n');
	expect(shown([state], 'none', 80, once)).toBe('');
});

test.for([
	['https://user:hunter2@host/a.vmdk?x=1&X-Amz-Signature=hunter2&sig=hunter2', 'https://***@host/a.vmdk?***'],
	['Authorization: Basic hunter2 ==', 'Authorization: ***'],
	['{"password":"hunter2","user":"me"}', '{"password":"***","user":"me"}'],
	['vconv convert --db-password hunter2 --api-token=hunter2 a b', 'vconv convert --db-password *** --api-token=*** a b'],
	['/vms/secret-plans.vmdk: it is damaged', '/vms/secret-plans.vmdk: it is damaged'],
] as const)('of %s a log says %s', ([text, expected]) => {
	expect(redact(text)).toBe(expected);
});

test('a long line is soon looked through', () => {
	for (const text of ['-'.repeat(65_000), 'a'.repeat(65_000), 'x-amz-'.repeat(10_000), 'a://'.repeat(16_000), 'password '.repeat(7000)]) {
		const spent = effort();
		redact(text);
		expect(spent()).toBeLessThan(1000);
	}
});

test('who asked for a report in JSON hears of each change in JSON, and of nothing else', () => {
	const states = [job('a.vmdk', { status: 'running' })];
	const text = shown(states, 'events', 80, ({ changed }) => {
		for (const status of ['running', 'done'] as const) changed(Object.assign(states[0] as JobState, { status, record: done('a.vmdk') }));
	});
	expect(
		text
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line).job.state),
	).toEqual(['running', 'done']);
});
