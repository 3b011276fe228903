import { SaxesParser } from 'saxes';
import { CorruptError, UnsupportedError } from '../errors.ts';

/** What is refused beyond: a description is small, and nothing of it is read before these hold. */
const LIMITS = { bytes: 8 << 20, depth: 64, elements: 100_000, attribute: 64 << 10 } as const;

/** An element of a description. Comments and processing instructions are not part of it. */
export type XmlElement = {
	readonly name: string;
	readonly attributes: Readonly<Record<string, string>>;
	readonly children: readonly XmlElement[];
	/** All character data directly in it, entities and CDATA resolved, in one piece. */
	readonly text: string;
};

/**
 * The root element of an XML document in UTF-8. There are no entities but XML's own five: a DOCTYPE is refused.
 * @param path what to call it in a message.
 * @throws CorruptError with line and column where it is not well-formed, UnsupportedError for a DOCTYPE or beyond the limits.
 */
export const parseXml = (bytes: Uint8Array, path: string): XmlElement => {
	const refuse = (what: string): never => {
		throw new UnsupportedError(what, { path });
	};
	if (bytes.byteLength > LIMITS.bytes) refuse(`it is an XML file of ${bytes.byteLength} bytes, over ${LIMITS.bytes}`);

	type Open = { name: string; attributes: Record<string, string>; children: XmlElement[]; text: string };
	const stack: Open[] = [];
	let root: XmlElement | undefined;
	let elements = 0;

	const parser = new SaxesParser({ xmlns: false, position: true } as const);
	parser.on('doctype', () => refuse('it has a DOCTYPE, which vconv never reads'));
	parser.on('error', (error) => {
		throw new CorruptError(`its XML is broken: ${error.message}`, { path });
	});
	parser.on('opentag', ({ name, attributes }) => {
		if (stack.length === LIMITS.depth) refuse(`its XML is nested deeper than ${LIMITS.depth} elements`);
		if (++elements > LIMITS.elements) refuse(`its XML has more than ${LIMITS.elements} elements`);
		for (const value of Object.values(attributes)) {
			if (value.length > LIMITS.attribute) refuse(`its XML has an attribute longer than ${LIMITS.attribute} characters`);
		}
		stack.push({ name, attributes, children: [], text: '' });
	});
	const text = (part: string): void => {
		const top = stack.at(-1);
		if (top) top.text += part;
	};
	parser.on('text', text);
	parser.on('cdata', text);
	parser.on('closetag', () => {
		const done = stack.pop();
		if (!done) return;
		const above = stack.at(-1);
		if (above) above.children.push(done);
		else root = done;
	});

	parser.write(decode(bytes, path)).close();
	if (!root) throw new CorruptError('its XML has no root element', { path });
	return root;
};

const decode = (bytes: Uint8Array, path: string): string => {
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch (cause) {
		throw new CorruptError('it is not UTF-8', { path, cause });
	}
};

/** The first child of this name. */
export const child = (element: XmlElement | undefined, name: string): XmlElement | undefined =>
	element?.children.find((candidate) => candidate.name === name);

/** All children of this name. */
export const children = (element: XmlElement | undefined, name: string): readonly XmlElement[] =>
	element?.children.filter((candidate) => candidate.name === name) ?? [];
