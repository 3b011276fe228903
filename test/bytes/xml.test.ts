import { expect, test } from 'vitest';
import { child, children, parseXml } from '../../src/bytes/xml.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';

const parse = (text: string) => parseXml(new TextEncoder().encode(text), 'a.xml');

test('a document is a tree of elements with attributes and text', () => {
	const root = parse('\ufeff<?xml version="1.0"?><!-- c --><a x="1 &amp; 2"><b>t<![CDATA[<u>]]>v</b><c/><b/></a>');
	expect(root).toMatchObject({ name: 'a', attributes: new Map([['x', '1 & 2']]) });
	expect(child(root, 'b')?.text).toBe('t<u>v');
	expect(children(root, 'b')).toHaveLength(2);
	expect(child(root, 'd')).toBeUndefined();
});

test.for([
	'<!DOCTYPE a><a/>',
	'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
	'<a>'.repeat(65) + '</a>'.repeat(65),
	`<a>${'<b/>'.repeat(100_000)}</a>`,
	`<a b="${'x'.repeat(70_000)}"/>`,
	`<a ${Array.from({ length: 250_001 }, (_, i) => `a${i}=""`).join(' ')}/>`,
	`<a>${' '.repeat(8 << 20)}</a>`,
])('what no description needs is refused: %.40s', (text) => {
	expect(() => parse(text)).toThrow(UnsupportedError);
});

test.for(['', '<a>', '<a></b>', '<a/><b/>', '<a b="1" b="2"/>', '<a>&undefined;</a>', 'text'])(
	'what is not well-formed is refused: %s',
	(text) => {
		expect(() => parse(text)).toThrow(CorruptError);
	},
);

test('bytes that are not UTF-8 are refused', () => {
	expect(() => parseXml(Uint8Array.of(0x3c, 0x61, 0xff, 0x2f, 0x3e), 'a.xml')).toThrow(CorruptError);
});
