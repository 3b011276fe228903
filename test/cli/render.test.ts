import { expect, test } from 'vitest';
import { clock } from '../../src/bytes/time.ts';
import { errorJson, errorText, plain, toJson } from '../../src/cli/render.ts';
import { CorruptError, UsageError } from '../../src/errors.ts';

test('an error is three lines, and only those that have something to say', () => {
	const detail = { path: 'web.qcow2', offset: 0x28, field: 'l1TableOffset', hint: 'vconv check web.qcow2' };
	expect(errorText(new CorruptError('L1 table starts at 0x20, inside the header', detail))).toBe(
		'vconv: L1 table starts at 0x20, inside the header\n  at web.qcow2, offset 0x28, l1TableOffset\n  try vconv check web.qcow2\n',
	);
	expect(errorText(new CorruptError('it is torn', { path: 'a', offset: 0 }))).toBe('vconv: it is torn\n  at a, offset 0x0\n');
	expect(errorText(new UsageError('OUT is missing'))).toBe('vconv: OUT is missing\n');
});

test('control characters, line ends and marks that reorder text are not printed', () => {
	expect(plain('a\u001b[31mb\nc\u009bd\u202ee\u2066f\u007f')).toBe('a?[31mb?c?d?e?f?');
	expect(plain('Größe 大 🎉')).toBe('Größe 大 🎉');
	expect(errorText(new CorruptError('named \u001b[2J', { path: 'x\ny', hint: 'z\rw' }))).toBe('vconv: named ?[2J\n  at x?y\n  try z?w\n');
});

test('a text of a megabyte is cut', () => {
	expect(plain('x'.repeat(1 << 20)).length).toBeLessThan(3000);
});

test('JSON says the same with all of them escaped', () => {
	const text = toJson({ name: 'a\u001b\u009b\u202e', size: 2n ** 40n });
	expect(text).toMatch(/^[\x20-\x7e]+$/);
	expect(JSON.parse(text)).toEqual({ name: 'a\u001b\u009b\u202e', size: 2 ** 40 });
});

test('times are for people', () => {
	expect([0, 7.4, 750, 3900].map(clock)).toEqual(['0:00', '0:07', '12:30', '1:05:00']);
});

test('a bug in JSON has its stack to report', () => {
	expect(JSON.parse(errorJson(new TypeError('x is not a function')))).toEqual({
		error: { code: 'BUG', message: 'TypeError: x is not a function', exitCode: 1, stack: expect.stringContaining('render.test.ts') },
	});
});
