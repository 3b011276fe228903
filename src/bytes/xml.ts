import { SaxesParser } from 'saxes';
import { CorruptError, UnsupportedError } from '../errors.ts';

/** What is refused beyond: a description is small, and nothing of it is read before these hold. */
const LIMITS = { bytes: 8 << 20, depth: 64, elements: 100_000, attributes: 250_000, attribute: 64 << 10 } as const;

/** An element of a description. */
export type XmlElement = {
	readonly name: string;
	readonly attributes: ReadonlyMap<string, string>;
	/** Everything in it, in order. */
	readonly nodes: readonly XmlNode[];
	/** The elements among `nodes`. */
	readonly children: readonly XmlElement[];
	/** All character data directly in it, entities and CDATA resolved, in one piece. */
	readonly text: string;
};

/** An element, character data, a comment, or an instruction for some program. */
export type XmlNode = XmlElement | string | { readonly comment: string } | { readonly instruction: string };

/** A whole description: its root, and the comments and instructions around it. */
export type XmlDocument = { readonly before: readonly XmlNode[]; readonly root: XmlElement; readonly after: readonly XmlNode[] };

/**
 * The root element of an XML document in UTF-8. There are no entities but XML's own five: a DOCTYPE is refused.
 * @param path what to call it in a message.
 * @throws CorruptError with line and column where it is not well-formed, UnsupportedError for a DOCTYPE or beyond the limits.
 */
export const parseXml = (bytes: Uint8Array, path: string): XmlElement => parseXmlDocument(bytes, path).root;

/** The same, with what is around the root. */
export const parseXmlDocument = (bytes: Uint8Array, path: string): XmlDocument => {
	const refuse = (what: string): never => {
		throw new UnsupportedError(what, { path });
	};
	if (bytes.byteLength > LIMITS.bytes) refuse(`it is an XML file of ${bytes.byteLength} bytes, over ${LIMITS.bytes}`);

	type Open = { readonly name: string; readonly attributes: ReadonlyMap<string, string>; readonly nodes: XmlNode[] };
	const stack: Open[] = [];
	const before: XmlNode[] = [];
	const after: XmlNode[] = [];
	let root: XmlElement | undefined;
	let elements = 0;
	let attributes = 0;
	let text: string[] = [];

	const add = (node: XmlNode): void => {
		const inside = stack.at(-1)?.nodes ?? (root ? after : before);
		inside.push(node);
	};
	const endText = (): void => {
		if (stack.length > 0 && text.length > 0) add(text.join(''));
		text = [];
	};

	const parser = new SaxesParser({ xmlns: false, position: true } as const);
	parser.on('doctype', () => refuse('it has a DOCTYPE, which vconv never reads'));
	parser.on('error', (error) => {
		throw new CorruptError(`its XML is broken: ${error.message}`, { path });
	});
	parser.on('attribute', () => {
		if (++attributes > LIMITS.attributes) refuse(`its XML has more than ${LIMITS.attributes} attributes`);
	});
	parser.on('opentag', ({ name, attributes }) => {
		endText();
		if (stack.length === LIMITS.depth) refuse(`its XML is nested deeper than ${LIMITS.depth} elements`);
		if (++elements > LIMITS.elements) refuse(`its XML has more than ${LIMITS.elements} elements`);
		for (const value of Object.values(attributes)) {
			if (value.length > LIMITS.attribute) refuse(`its XML has an attribute longer than ${LIMITS.attribute} characters`);
		}
		stack.push({ name, attributes: new Map(Object.entries(attributes)), nodes: [] });
	});
	parser.on('text', (part) => text.push(part));
	parser.on('cdata', (part) => text.push(part));
	parser.on('comment', (comment) => {
		endText();
		add({ comment });
	});
	parser.on('processinginstruction', ({ target, body }) => {
		endText();
		add({ instruction: body ? `${target} ${body}` : target });
	});
	parser.on('closetag', () => {
		endText();
		const done = stack.pop();
		if (!done) return;
		const element = xmlElement(done.name, done.attributes, done.nodes);
		if (stack.length === 0) root = element;
		else add(element);
	});

	parser.write(decode(bytes, path)).close();
	if (!root) throw new CorruptError('its XML has no root element', { path });
	return { before, root, after };
};

/** An element of these parts. */
export const xmlElement = (name: string, attributes: ReadonlyMap<string, string>, nodes: readonly XmlNode[]): XmlElement => ({
	name,
	attributes,
	nodes,
	children: nodes.filter(isElement),
	text: nodes.filter((node) => typeof node === 'string').join(''),
});

const isElement = (node: XmlNode): node is XmlElement => typeof node === 'object' && 'name' in node;

const decode = (bytes: Uint8Array, path: string): string => {
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch (cause) {
		const hint = 'the same in UTF-8: iconv -f ENCODING -t UTF-8, and without an encoding in its first line';
		throw new CorruptError('it is not UTF-8', { path, cause, hint });
	}
};

/** The first child of this name. */
export const child = (element: XmlElement | undefined, name: string): XmlElement | undefined =>
	element?.children.find((candidate) => candidate.name === name);

/** All children of this name. */
export const children = (element: XmlElement | undefined, name: string): readonly XmlElement[] =>
	element?.children.filter((candidate) => candidate.name === name) ?? [];
