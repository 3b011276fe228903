import { UnsupportedError } from '../errors.ts';
import type { XmlDocument, XmlElement, XmlNode } from './xml.ts';
import { notInXml } from './xml-text.ts';

/** A whole description as text: what is around the root on lines of its own. */
export const printXmlDocument = ({ before, root, after }: XmlDocument): string =>
	[...before, root, ...after].map((node) => `${printNode(node, '')}\n`).join('');

/**
 * An element as libvirt prints it: two spaces a level, single quotes. Text beside elements stays where it is, so that reading it back
 * gives the same element, white space between elements aside.
 * @throws UnsupportedError for characters that XML cannot hold.
 */
export const printXml = (element: XmlElement): string => `${printElement(element, '')}\n`;

const printElement = ({ name, attributes, nodes }: XmlElement, indent: string): string => {
	const said = [...attributes].map(([attribute, value]) => ` ${attribute}='${escaped(value, name, QUOTED)}'`).join('');
	const mixed = nodes.some((node) => typeof node === 'string' && node.trim() !== '') || nodes.every((node) => typeof node === 'string');
	const inside = mixed ? nodes : nodes.filter((node) => typeof node !== 'string');
	if (inside.length === 0) return `<${name}${said}/>`;
	if (mixed) return `<${name}${said}>${inside.map((node) => printNode(node, '', name)).join('')}</${name}>`;
	const lines = inside.map((node) => `${indent}  ${printNode(node, `${indent}  `, name)}`);
	return `<${name}${said}>\n${lines.join('\n')}\n${indent}</${name}>`;
};

const printNode = (node: XmlNode, indent: string, within = ''): string => {
	if (typeof node === 'string') return escaped(node, within, TEXT);
	if ('comment' in node) return `<!--${node.comment}-->`;
	if ('instruction' in node) return `<?${node.instruction}?>`;
	return printElement(node, indent);
};

/** What must not stand for itself: a reader would take it for markup, or for white space of another kind. */
const TEXT = /[&<>\r]/g;
const QUOTED = /[&<>'"\r\n\t]/g;

const NAMES: ReadonlyMap<string, string> = new Map([
	['&', '&amp;'],
	['<', '&lt;'],
	['>', '&gt;'],
	["'", '&apos;'],
	['"', '&quot;'],
]);

const escaped = (text: string, within: string, special: RegExp): string => {
	const found = notInXml(text);
	if (found !== undefined)
		throw new UnsupportedError(`the character ${found} cannot be said in XML`, { field: within, hint: 'the same without it' });
	return text.replace(special, (character) => NAMES.get(character) ?? `&#${character.charCodeAt(0)};`);
};
