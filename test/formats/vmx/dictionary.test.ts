import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Dictionary, dictionaryEntry, parseDictionary, printDictionary } from '../../../formats/vmx/dictionary.ts';
import { decodeName, encodeName, escapeValue, unescapeValue } from '../../../formats/vmx/escape.ts';
import { CorruptError, UnsupportedError, VconvError } from '../../../src/errors.ts';
import { effort } from '../../helpers/effort.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string | Uint8Array): Dictionary => parseDictionary(typeof text === 'string' ? encode(text) : text, 'a.vmx');
const value = (dictionary: Dictionary, key: string): string | undefined => dictionary.entries.get(key)?.value;
const codes = ({ report }: Dictionary): string[] => report.map(({ code }) => code);

test('keys are the same in any case, and a key may begin another', () => {
	const dictionary = parse('guestOS = "rhel7-64"\r\nGUESTOS.detailed.data = "a=\'b\'"\nmemSize="4"\n');
	expect(value(dictionary, 'guestos')).toBe('rhel7-64');
	expect(value(dictionary, 'guestos.detailed.data')).toBe("a='b'");
	expect(dictionary.entries.get('memsize')).toMatchObject({ key: 'memSize', value: '4' });
	expect(dictionary.report).toEqual([]);
});

test('lines may end as they did on an old Macintosh, as for libvirt', () => {
	const dictionary = parse('config.version = "8"\rmemsize = "4"\rdisplayName = "x"\r');
	expect([...dictionary.entries].map(([key, { value: said }]) => [key, said])).toEqual([
		['config.version', '8'],
		['memsize', '4'],
		['displayname', 'x'],
	]);
	expect(codes(dictionary)).toEqual(['VMX_SYNTAX_TOLERATED']);
});

test('of a key that is said twice the first value counts, and a difference is reported', () => {
	const dictionary = parse('memSize = "512"\nmemsize = "512"\nMEMSIZE = "1024"\n');
	expect(value(dictionary, 'memsize')).toBe('512');
	expect(codes(dictionary)).toEqual(['VMX_DUPLICATE_KEY']);
});

test('names that mean something to JavaScript are keys like others', () => {
	const dictionary = parse('constructor = "1"\ntoString = "2"\nhasOwnProperty.x = "3"\n');
	expect([...dictionary.entries.keys()]).toEqual(['constructor', 'tostring', 'hasownproperty.x']);
	expect(({} as Record<string, unknown>)['x']).toBeUndefined();
	expect(codes(parse('__proto__ = "1"\n'))).toEqual(['VMX_LINE_IGNORED']);
});

test.for([
	['a = "x = y"', 'x = y'],
	['a = "say "this" now"', 'say "this" now'],
	['a="x" # why', 'x'],
	['a = "4096" # was "32"', '4096'],
	['a = "x"# "y"', 'x'],
	["a = '4096' # was '32'", '4096'],
	['a = "it\'s" # isn\'t', "it's"],
	['a = 4096 # was "32"', '4096'],
	['a =', ''],
	['a = # why', ''],
	["a = 'x'", 'x'],
	['a = 0', '0'],
	['a = My VM', 'My VM'],
	['a = TRUE # the second disk', 'TRUE'],
	['a = My VM\t#lan', 'My VM'],
	['a = "x#y"', 'x#y'],
	['\ta\t=\t"x"\t', 'x'],
	['a = ""', ''],
	['a = "|22|7c|0a|E4|BD|A0"', '"|\n你'],
	['a = "50| and |zz"', '50| and |zz'],
	['a = "|ff"', '|ff'],
] as const)('%s says %s', ([line, said]) => {
	expect(value(parse(line), 'a')).toBe(said);
});

test.for(['a = "x', 'a "x"', 'a = "x" y', '= "x"', '1a = "x"', 'ä = "x"'])('%s is no entry, kept and reported', (line) => {
	const dictionary = parse(`${line}\nb = "1"`);
	expect(dictionary.lines[0]).toEqual({ unknown: line });
	expect(codes(dictionary)).toEqual(['VMX_LINE_IGNORED']);
	expect(value(dictionary, 'b')).toBe('1');
});

describe('the encoding is the one that the file names, and comes before everything else', () => {
	test.for([
		['windows-1252', [0x42, 0xfc, 0x72, 0x6f], 'Büro'],
		['Shift_JIS', [0x83, 0x7c, 0x95, 0x5c], 'ポ表'], // their second bytes are a bar and a backslash
		['GBK', [0xc4, 0xe3, 0xba, 0xc3], '你好'],
		['Big5', [0xa7, 0x41], '你'],
		['EUC-KR', [0xb0, 0xa1], '가'],
		['utf-8', [0xc3, 0xbc], 'ü'],
	] as const)('%s', ([encoding, bytes, said]) => {
		const dictionary = parse(Uint8Array.of(...encode(`.encoding = "${encoding}"\ndisplayName = "`), ...bytes, ...encode('"\n')));
		expect(value(dictionary, 'displayname')).toBe(said);
		expect(dictionary.report).toEqual([]);
	});

	test.for([
		['an unknown one', '.encoding = "x-none"\na = "1"\n'],
		['bytes that are not in it', '.encoding = "UTF-8"\na = "\xff"\n'],
	] as const)('%s is reported', ([, text]) => {
		expect(codes(parse(Uint8Array.from(text, (character) => character.charCodeAt(0))))).toEqual(['VMX_BAD_ENCODING']);
	});

	test('a byte order mark is no part of the first key', () => {
		const dictionary = parse('\ufeffconfig.version = "8"\n');
		expect(value(dictionary, 'config.version')).toBe('8');
		expect(codes(dictionary)).toEqual(['VMX_SYNTAX_TOLERATED']);
	});
});

test.for([
	['bytes that are no text', Uint8Array.of(0x61, 0, 0x62), CorruptError],
	['more bytes than any VMX has', new Uint8Array(5 << 20).fill(0x20), UnsupportedError],
	['more lines than any VMX has', new Uint8Array(100_000).fill(10), UnsupportedError],
	['as many that end in a carriage return', new Uint8Array(100_000).fill(13), UnsupportedError],
] as const)('%s are refused', ([, bytes, error]) => {
	expect(() => parse(bytes)).toThrow(error);
});

test.for([
	['blanks', ` a = ${' '.repeat(3 << 20)}x`],
	['bars', `a = "${'|'.repeat(3 << 20)}"`],
	['a key', 'a'.repeat(3 << 20)],
	['quotes', `a = ${'"'.repeat(3 << 20)}`],
	['equals signs', '='.repeat(3 << 20)],
])('a line of nothing but %s is read soon', ([, text]) => {
	const spent = effort();
	parse(text as string);
	expect(spent()).toBeLessThan(2000);
});

test('comments, unknown lines and stored forms survive', () => {
	const text = '#!/usr/bin/vmware\n\n# a comment\nwhat is this\na = "|22"\nA = "2"\n';
	expect(printDictionary(parse(text).lines)).toBe(`${text}\n`);
	expect(printDictionary(parse(printDictionary(parse(text).lines)).lines)).toBe(`${text}\n\n`);
});

test('every value survives being written and read', () => {
	fc.assert(
		fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 8 }), (values) => {
			const lines = values.map((said, index) => dictionaryEntry(`key${index}`, said));
			const { entries, report } = parse(printDictionary(lines));
			expect([...entries.values()].map((found) => found.value)).toEqual(values);
			expect(report).toEqual([]);
		}),
		{ numRuns: 300 },
	);
});

test('every name survives the escapes of vCenter and of values', () => {
	fc.assert(
		fc.property(fc.string({ unit: 'binary' }), (name) => {
			expect(decodeName(unescapeValue(encodeName(escapeValue(name))).value)).toBe(name);
		}),
		{ numRuns: 300 },
	);
	expect(decodeName('50% done, a%2Fb%5cc%25')).toBe('50% done, a/b\\c%');
});

test('whatever the bytes, what comes out is a dictionary or an error of ours', () => {
	const bytes = fc.oneof(
		fc.uint8Array({ maxLength: 400 }),
		fc
			.array(fc.constantFrom('a', '.encoding', '=', '"', "'", '|', '7c', '\n', '#', ' ', 'GBK', '\u00ff', '*', ':'))
			.map((parts) => encode(parts.join(''))),
	);
	fc.assert(
		fc.property(bytes, (text) => {
			try {
				parse(text);
			} catch (error) {
				if (!(error instanceof VconvError)) throw error;
			}
		}),
		{ numRuns: 1000 },
	);
});
