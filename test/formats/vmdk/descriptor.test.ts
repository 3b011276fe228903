import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDescriptor } from '../../../formats/vmdk/descriptor.ts';
import { VconvError } from '../../../src/errors.ts';

const parse = (text: string | Uint8Array) => parseDescriptor(typeof text === 'string' ? new TextEncoder().encode(text) : text, 'disk.vmdk');
const text = (...lines: readonly string[]) =>
	['# Disk DescriptorFile', 'version=1', 'CID=6327ca', 'createType="custom"', ...lines].join('\n');
const EXTENT = 'RW 2048 FLAT "disk-flat.vmdk" 0';

test('a descriptor is read whatever its case, spaces and line ends', () => {
	const found = parse(
		[
			'\uFEFF# Disk DescriptorFile',
			' Version = 1',
			'cid = 12345678',
			'PARENTCID=FFFFFFFF',
			'CREATETYPE = "monolithicFlat"',
			' rw 63 flat "a b.vmdk" 7 ',
			'DDB.adapterType="ide"',
		].join('\r\n'),
	);
	expect(found).toMatchObject({ version: 1, cid: '12345678', createType: 'monolithicFlat' });
	expect(found.parentCid).toBeUndefined();
	expect(found.extents).toEqual([{ access: 'RW', size: 63 * 512, type: 'FLAT', fileName: 'a b.vmdk', offset: 7 * 512 }]);
	expect([...found.ddb]).toEqual([['DDB.adapterType', 'ide']]);
});

test('what it does not know is kept', () => {
	const found = parse(
		text('isNativeSnapshot="no"', 'changeTrackPath="disk-ctk.vmdk"', EXTENT, 'what is this', 'ddb.x = "1"', 'ddb.x = "2"'),
	);
	expect([...found.others.keys()]).toEqual(['isNativeSnapshot', 'changeTrackPath']);
	expect(found.unknown).toEqual(['what is this', 'ddb.x = "2"']);
});

test('a short CID is filled up, and ffffffff is no parent', () => {
	expect(parse(text('parentCID=ffffffff', EXTENT))).toMatchObject({ cid: '006327ca' });
	expect(parse(text('parentCID=7', 'parentFileNameHint="p.vmdk"', EXTENT))).toMatchObject({
		parentCid: '00000007',
		parentFileNameHint: 'p.vmdk',
	});
});

test.each([
	['GBK', new Uint8Array([0xb4, 0xc5, 0xc5, 0xcc]), '磁盘'],
	['windows-1252', new Uint8Array([0x42, 0xfc, 0x72, 0x6f]), 'Büro'],
	['UTF-8', new TextEncoder().encode('Büro'), 'Büro'],
	[undefined, new TextEncoder().encode('Büro'), 'Büro'],
	[undefined, new Uint8Array([0x42, 0xfc, 0x72, 0x6f]), 'Büro'],
])('names are read in the encoding %s', (encoding, bytes, name) => {
	const [before, after] = text(...(encoding ? [`encoding="${encoding}"`] : []), 'RW 1 FLAT "@" 0').split('@') as [string, string];
	const encoder = new TextEncoder();
	const data = new Uint8Array([...encoder.encode(before), ...bytes, ...encoder.encode(after)]);
	expect(parse(data).extents[0]?.fileName).toBe(name);
});

test.each([
	['no extent', [], 'names no extent'],
	['an extent of no sectors', ['RW 0 FLAT "a" 0'], 'an extent of 0 sectors'],
	['a negative extent', ['RW -1 FLAT "a" 0'], 'an extent of -1 sectors'],
	['an extent beyond every number', ['RW 99999999999999999999 FLAT "a" 0'], 'sectors'],
	['an extent with open quotes', ['RW 1 FLAT "a 0'], 'is not access, sectors, type'],
	['an extent without a file', ['RW 1 FLAT'], 'without a file'],
	['an unknown kind of extent', ['RW 1 WEIRD "a"'], 'WEIRD'],
	['a sparse extent within its file', ['RW 1 SPARSE "a" 5'], 'begins within its file'],
	['a key with open quotes', ['parentCID="ffff', EXTENT], 'quotes of parentCID'],
	['a CID that is none', [EXTENT, 'parentCID=xyz'], 'hexadecimal'],
	['two CIDs', ['CID=7', EXTENT], 'CID is there twice'],
	['a parent without a name', ['parentCID=12345678', EXTENT], 'whether the disk has a parent'],
	['a name of no parent', ['parentFileNameHint="p.vmdk"', EXTENT], 'whether the disk has a parent'],
	['an unknown encoding', ['encoding="klingon"', EXTENT], 'klingon'],
	['more lines than there may be', Array<string>(5000).fill('x'), 'lines'],
	['a line longer than there may be', ['x'.repeat(5000)], '4096 characters'],
	['a disk larger than there may be', ['RW 137438953473 ZERO'], '64 TiB'],
] as const)('%s is refused', (_, lines, message) => {
	expect(() => parse(text(...lines))).toThrow(message);
	expect(() => parse(text(...lines))).toThrow(VconvError);
});

test('any bytes are a descriptor or refused by name', () => {
	const line = fc.oneof(
		fc.constantFrom('version=1', 'CID=1', 'parentCID=ffffffff', 'createType="vmfs"', EXTENT, '"', '=', 'RW', 'RW 1 ZERO', 'encoding=GBK'),
		fc.string(),
	);
	fc.assert(
		fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
			try {
				parse(lines.join('\n'));
			} catch (error) {
				expect(error).toBeInstanceOf(VconvError);
			}
		}),
		{ numRuns: 500 },
	);
});
