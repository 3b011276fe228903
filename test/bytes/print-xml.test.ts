import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printXml, printXmlDocument } from '../../src/bytes/print-xml.ts';
import { parseXml, parseXmlDocument, type XmlElement, xmlElement } from '../../src/bytes/xml.ts';
import { UnsupportedError, VconvError } from '../../src/errors.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

test('comments, instructions, unknown elements and white space that means something survive', () => {
	const text = `<?before x?>
<!-- one -->
<a x='1 &amp; 2&#10;3'>
  <!-- two -->
  <odd:b/>
  <c>text &lt; and <d/> more</c>
  <e> </e>
</a>
<!-- three -->
`;
	expect(printXmlDocument(parseXmlDocument(encode(text), 'a.xml'))).toBe(text);
});

const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_.-]{0,8}$/);
const said = fc.string({ unit: 'grapheme' }).filter((text) => !/[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text));

/** Text and elements do not stand side by side, as in descriptions: white space between them would not tell. */
const { tree } = fc.letrec<{ tree: XmlElement }>((tie) => ({
	tree: fc
		.tuple(name, fc.dictionary(name, said, { maxKeys: 3 }), fc.oneof(said, fc.array(tie('tree'), { maxLength: 3 })))
		.map(([tag, attributes, inside]) =>
			xmlElement(tag, new Map(Object.entries(attributes)), typeof inside === 'string' ? (inside ? [inside] : []) : inside),
		),
}));

test('every element survives being written and read', () => {
	const plain = ({ name: tag, attributes, children, text }: XmlElement): unknown => [
		tag,
		[...attributes],
		children.length > 0 ? children.map(plain) : text,
	];
	fc.assert(
		fc.property(tree, (element) => {
			expect(plain(parseXml(encode(printXml(element)), 'a.xml'))).toEqual(plain(element));
		}),
	);
});

test.for(['\0', '\u0001', '\u001f', '\ufffe', '\ud800'])('what XML cannot hold is refused: %j', (character) => {
	expect(() => printXml(xmlElement('a', new Map(), [character]))).toThrow(UnsupportedError);
	expect(() => printXml(xmlElement('a', new Map([['b', character]]), []))).toThrow(UnsupportedError);
});

test('whatever the text, what comes out is a document or an error of ours', () => {
	const parts = fc.array(
		fc.constantFrom(
			'<a>',
			'</a>',
			'<a/>',
			'<b x="1">',
			"<c y='&lt;'/>",
			'<!--',
			'-->',
			'<![CDATA[',
			']]>',
			'<?p',
			'?>',
			'&amp;',
			'&x;',
			'&#0;',
			'<!DOCTYPE a>',
			't',
		),
	);
	fc.assert(
		fc.property(parts, (pieces) => {
			try {
				printXmlDocument(parseXmlDocument(encode(pieces.join('')), 'a.xml'));
			} catch (error) {
				if (!(error instanceof VconvError)) throw error;
			}
		}),
		{ numRuns: 2000 },
	);
});
