import type { XmlElement } from '../../src/bytes/xml.ts';

/** An element of a description, which remembers what of it was read. */
export type Dom = {
	readonly name: string;
	/** From the root, as the report names it: `devices/disk[2]`. */
	readonly path: string;
	attribute(name: string): string | undefined;
	/** The character data in it, without the white space around. */
	text(): string;
	/** The first child of this name. */
	child(name: string): Dom | undefined;
	/** All children of this name. */
	children(name: string): readonly Dom[];
	/** The same element, of which nothing was read. */
	unread(): Dom;
	/** What names of this namespace begin with, where the element itself says so. */
	namespacePrefix(namespace: string): string | undefined;
	/** Everything in it that was not read: attributes, text, and elements with neither. */
	rest(): readonly Unread[];
};

export type Unread = { readonly path: string; readonly value: string };

export const dom = (element: XmlElement, path = ''): Dom => {
	const read = new Set<string>();
	let textRead = false;
	const visited = new Map<XmlElement, Dom>();
	const paths = childPaths(element, path);
	const visit = (inner: XmlElement): Dom => {
		const known = visited.get(inner) ?? dom(inner, paths.get(inner));
		visited.set(inner, known);
		return known;
	};
	return {
		name: element.name,
		path,
		attribute(name) {
			read.add(name);
			return element.attributes.get(name);
		},
		text() {
			textRead = true;
			return element.text.trim();
		},
		child(name) {
			const found = element.children.find((candidate) => candidate.name === name);
			return found && visit(found);
		},
		unread: () => dom(element, path),
		namespacePrefix(namespace) {
			const [name] = [...element.attributes].find(([key, value]) => key.startsWith('xmlns:') && value === namespace) ?? [];
			if (name !== undefined) read.add(name);
			return name?.slice('xmlns:'.length);
		},
		children: (name) => element.children.filter((candidate) => candidate.name === name).map(visit),
		rest() {
			const attributes = [...element.attributes].filter(([name]) => !read.has(name));
			const said = textRead ? '' : element.text.trim();
			return [
				...attributes.map(([name, value]) => ({ path: path === '' ? `@${name}` : `${path}/@${name}`, value })),
				...(said === '' ? [] : [{ path, value: said }]),
				...element.children.flatMap((inner) => {
					const known = visited.get(inner);
					if (known) return known.rest();
					const unread = dom(inner, paths.get(inner));
					const parts = unread.rest();
					return parts.length > 0 ? parts : [{ path: unread.path, value: '' }];
				}),
			];
		},
	};
};

/** Paths of the children, numbered where several have one name. */
const childPaths = (element: XmlElement, path: string): ReadonlyMap<XmlElement, string> => {
	const counts = new Map<string, number>();
	for (const { name } of element.children) counts.set(name, (counts.get(name) ?? 0) + 1);
	const seen = new Map<string, number>();
	return new Map(
		element.children.map((inner) => {
			const index = (seen.get(inner.name) ?? 0) + 1;
			seen.set(inner.name, index);
			const step = counts.get(inner.name) === 1 ? inner.name : `${inner.name}[${index}]`;
			return [inner, path === '' ? step : `${path}/${step}`];
		}),
	);
};
