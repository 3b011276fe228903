import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type SarifResult, sarif } from '../../src/report/sarif.ts';
import { sarifErrors } from '../helpers/sarif.ts';

const text = fc.string({ unit: 'binary', maxLength: 20 });

const result: fc.Arbitrary<SarifResult> = fc.record(
	{
		id: text,
		level: fc.constantFrom('error', 'warning', 'note'),
		message: text,
		path: fc.oneof(text, fc.constant('C:\\vm\\the disk #1.vmdk'), fc.constant('/vm/100%.vmx')),
		subject: text,
		line: fc.integer({ min: 1 }),
		offset: fc.nat(),
		help: text,
		about: fc.tuple(text, text),
		accepted: fc.boolean(),
	},
	{ requiredKeys: ['id', 'level', 'message', 'path'] },
);

test('whatever is found, the log is as the schema of SARIF 2.1.0 says', () => {
	fc.assert(
		fc.property(fc.array(result, { maxLength: 5 }), text, (results, version) => {
			expect(sarifErrors(sarif(results, version))).toEqual([]);
		}),
	);
});

test('the schema is one that finds fault', () => {
	const log = sarif([{ id: 'x', level: 'error', message: 'seen', path: 'a' }], '1');
	expect(sarifErrors(log)).toEqual([]);
	for (const [from, to] of [
		['"error"', '"fatal"'],
		['"uri": "a"', '"uri": "a b"'],
		['"ruleIndex": 0', '"ruleIndex": "0"'],
		['"message"', '"massage"'],
	] as const)
		expect(sarifErrors(log.replace(from, to))).not.toEqual([]);
});
