import { expect, test } from 'vitest';
import { globMatch } from '../../src/batch/glob.ts';
import { type JobRecord, parseJournal, printRecord } from '../../src/batch/journal.ts';
import { choose, type Limits, type Running, type Task } from '../../src/batch/schedule.ts';

const task = (size: number, more: Partial<Task> = {}): Task => ({ size, sourceDevice: 'a', targetDevice: 'x', needed: size, ...more });
const running = (size: number, written = 0, more: Partial<Task> = {}): Running => ({ ...task(size, more), written });
const limits = (more: Partial<Limits> = {}): Limits => ({ jobs: 4, perDevice: 4, free: () => 1000, ...more });

test('no more jobs run than there may, at all and from one file system', () => {
	expect(choose([task(1)], [running(1), running(2)], limits({ jobs: 2 }))).toEqual({ wait: 'jobs' });
	expect(choose([task(1)], [running(1)], limits({ perDevice: 1 }))).toEqual({ wait: 'device' });
	const elsewhere = task(1, { sourceDevice: 'b' });
	expect(choose([task(2), elsewhere], [running(1)], limits({ perDevice: 1 }))).toEqual({ start: elsewhere });
});

test('a job waits until its target fits beside what the running ones have still to write', () => {
	expect(choose([task(300)], [running(800, 0)], limits())).toEqual({ wait: 'space' });
	expect(choose([task(300)], [running(800, 100)], limits())).toEqual({ start: task(300) });
	const small = task(100);
	expect(choose([task(300), small], [running(800)], limits())).toEqual({ start: small });
	const elsewhere = task(900, { targetDevice: 'y' });
	expect(choose([elsewhere], [running(800)], limits())).toEqual({ start: elsewhere });
});

test('a job that has its file system to itself starts whatever it needs: it says itself that it does not fit', () => {
	expect(choose([task(5000)], [], limits())).toEqual({ start: task(5000) });
	expect(choose([task(5000)], [running(1)], limits({ free: () => undefined }))).toEqual({ start: task(5000) });
});

const done = (id: string, at: number): JobRecord => ({ id, at, attempt: 1, started: 0, state: 'done', sources: [], sizes: {}, notes: [] });

test('the last record of a job holds, and a torn last line is none', () => {
	const text =
		printRecord({ id: 'a', at: 1, attempt: 1, state: 'started', absent: true }) + printRecord(done('a', 2)) + printRecord(done('b', 3));
	for (let cut = 0; cut <= text.length; cut++) {
		const { records, damaged } = parseJournal(text.slice(0, cut));
		expect(damaged).toBe(0);
		expect(records.size).toBeLessThanOrEqual(2);
	}
	expect(parseJournal(text).records.get('a')).toEqual(done('a', 2));
});

test('a damaged line is passed over and counted', () => {
	const bad = [
		'{"id":1}',
		'null',
		'[]',
		'{"id":"c","at":1,"attempt":1,"state":"done"}',
		'\0\0\0',
		'{"id":"c","at":1,"attempt":1,"state":"won"}',
	];
	const { records, damaged } = parseJournal(`${bad.join('\n')}\n${printRecord(done('b', 3))}`);
	expect([...records.keys()]).toEqual(['b']);
	expect(damaged).toBe(bad.length);
});

test.for([
	['disks/*.vmdk', 'disks/a.vmdk', true],
	['disks/*.vmdk', 'disks/x/a.vmdk', false],
	['disks/**/*.vmdk', 'disks/a.vmdk', true],
	['disks/**/*.vmdk', 'disks/x/y/a.vmdk', true],
	['disks/**', 'disks/x/y', true],
	['**/.snapshots/*', 'a/.snapshots/b', true],
	['disks/**/*', 'disks/.hidden/b', false],
	['*', '.hidden', false],
	['a?[0-9][!x]', 'ab1y', true],
	['a?[0-9][!x]', 'ab1x', false],
	['*a*b*c', 'xxaxxbxxc', true],
	['*a*b*c', 'xxaxxbxx', false],
	[`${'*a'.repeat(40)}b`, 'a'.repeat(5000), false],
] as const)('%s and %s: %s', ([pattern, path, expected]) => {
	expect(globMatch(pattern, path)).toBe(expected);
});
