import { type XmlElement, type XmlNode, xmlElement } from '../../src/bytes/xml.ts';

type Value = string | number | undefined;

/** Something to put into an element; what is undefined or false is left out. */
export type Part = XmlNode | number | undefined | false;

/** An element; attributes that are undefined are left out. */
export const element = (name: string, attributes: Readonly<Record<string, Value>>, ...parts: readonly Part[]): XmlElement => {
	const said = Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)] as const]));
	const nodes = parts
		.filter((part) => part !== undefined && part !== false)
		.map((part) => (typeof part === 'number' ? String(part) : part));
	return xmlElement(name, new Map(said), nodes);
};

/** The same, or nothing where there would be nothing in it. */
export const unlessEmpty = (made: XmlElement): XmlElement | undefined =>
	made.nodes.length > 0 || made.attributes.size > 0 ? made : undefined;
