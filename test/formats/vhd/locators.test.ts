import { expect, test } from 'vitest';
import type { Flaw } from '../../../formats/vhd/footer.ts';
import { type Header, headerStruct, locatorStruct } from '../../../formats/vhd/layout.ts';
import { headerName, makeLocators, parentNames } from '../../../formats/vhd/locators.ts';
import { memorySource } from '../../../src/io/memory.ts';

const utf16le = (text: string): Uint8Array => Buffer.from(text, 'utf16le');

/** A header with these locators, and a file that holds their data from 4096 on. */
const parsed = async (
	locators: readonly (readonly [code: string, data: Uint8Array, offset?: bigint, length?: number])[],
	name = '',
): Promise<{ names: string[]; flaws: Flaw[] }> => {
	const file = new Uint8Array(8192);
	const entries = new Uint8Array(192);
	let at = 4096;
	for (const [i, [platformCode, data, offset = BigInt(at), length = data.length]] of locators.entries()) {
		file.set(data, at);
		entries.set(
			locatorStruct.encode({ platformCode, platformDataSpace: 512, platformDataLength: length, reserved: 0, platformDataOffset: offset }),
			i * locatorStruct.size,
		);
		at += 512;
	}
	const blank = headerStruct.decode(new Uint8Array(headerStruct.size), { path: 'child.vhd', offset: 512 });
	const header: Header = { ...blank, parentLocators: entries, parentUnicodeName: headerName(name) };
	const flaws: Flaw[] = [];
	const names = await parentNames(memorySource(file, 'child.vhd'), header, 512, (flaw) => flaws.push(flaw));
	return { names: names.map(({ name }) => name), flaws };
};

test('relative names come before absolute ones, and the plain one in the header is last', async () => {
	const { names, flaws } = await parsed(
		[
			['MacX', Buffer.from('file:///Volumes/My%20VMs/b%C3%A4se.vhd')],
			['W2ku', utf16le('C:\\VMs\\base.vhd')],
			['Wi2k', Buffer.from('C:\\OLD\\BASE.VHD')],
			['W2ru', utf16le('.\\base.vhd')],
			['Wi2r', Buffer.from('.\\BASE.VHD')],
		],
		'bäse.vhd',
	);
	expect(names).toEqual(['.\\base.vhd', '.\\BASE.VHD', 'C:\\VMs\\base.vhd', 'C:\\OLD\\BASE.VHD', '/Volumes/My VMs/bäse.vhd', 'bäse.vhd']);
	expect(flaws).toEqual([]);
});

test.each([
	['file://./base.vhd', './base.vhd'],
	['file://localhost/VMs/base.vhd', '/VMs/base.vhd'],
	['file:/VMs/base.vhd', '/VMs/base.vhd'],
	['100% base.vhd', '100% base.vhd'],
])('the URL %s of a MacX locator is the path %s', async (url, path) => {
	expect((await parsed([['MacX', Buffer.from(url)]])).names).toEqual([path]);
});

test('padding and nameless locators are no names', async () => {
	const { names } = await parsed([
		['W2ru', utf16le('base.vhd\0\0\0')],
		['W2ku', utf16le('\0\0')],
	]);
	expect(names).toEqual(['base.vhd']);
});

test('a locator that cannot be read is told, and the others hold', async () => {
	const { names, flaws } = await parsed([
		['Mac ', new Uint8Array(64)],
		['W2ku', utf16le('C:\\base.vhd'), 1n << 60n],
		['W2ru', utf16le('base.vhd'), 4096n, 0xffffffff],
		['Wi2r', Buffer.from('BASE.VHD')],
	]);
	expect(names).toEqual(['BASE.VHD']);
	expect(flaws.map(({ code }) => code)).toEqual(['locator-unknown', 'locator-out-of-bounds', 'locator-out-of-bounds']);
});

test.each([
	[{ name: 'base.vhd' }, '.\\base.vhd', 'base.vhd'],
	[{ name: '../base.vhd' }, '..\\base.vhd', '..\\base.vhd'],
	[{ name: 'C:\\VMs\\base.vhd' }, '.\\base.vhd', 'C:\\VMs\\base.vhd'],
	[{ name: '/srv/base.vhd' }, '.\\base.vhd', '\\srv\\base.vhd'],
	[{ name: '/srv/base.vhd', relative: '../srv/base.vhd' }, '..\\srv\\base.vhd', '\\srv\\base.vhd'],
])('the parent %o is written as %s, and as %s', async (parent, relative, absolute) => {
	const { name } = parent;
	const { entries, data } = makeLocators(parent, 4096);
	const file = new Uint8Array(8192);
	file.set(data, 4096);
	const blank = headerStruct.decode(new Uint8Array(headerStruct.size), { path: 'child.vhd', offset: 512 });
	const header: Header = { ...blank, parentLocators: entries, parentUnicodeName: headerName(name) };
	const names = await parentNames(memorySource(file), header, 512, () => expect.unreachable());
	expect(names).toEqual([
		{ locator: 'W2ru', name: relative },
		{ locator: 'W2ku', name: absolute },
		{ locator: 'header', name: 'base.vhd' },
	]);
});
