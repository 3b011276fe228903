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
	/** All children. */
	all(): readonly Dom[];
	/** The same element, of which nothing was read. */
	unread(): Dom;
	/** The same element, read for more than libvirt's own translation knows: what is read through it stays in the rest, as held. */
	more(): Dom;
	/** What names of this namespace begin with, where the element itself says so. */
	namespacePrefix(namespace: string): string | undefined;
	/** Everything in it that was not read: attributes, text, and elements with neither. */
	rest(): readonly Unread[];
};

export type Unread = { readonly path: string; readonly value: string; readonly held?: boolean };

/** How a part was read: for libvirt's own translation, or for more. */
type How = 'read' | 'held';

/** What is known of an element: how it was come by, and its attributes by name, its text by the empty one. */
type State = { seen?: How; readonly parts: Map<string, How>; readonly inner: Map<XmlElement, State>; readonly paths: () => Paths };

type Paths = ReadonlyMap<XmlElement, string>;

const TEXT = '';

export const dom = (element: XmlElement, path = ''): Dom => view(element, path, stateOf(element, path), 'read');

const stateOf = (element: XmlElement, path: string): State => {
	let paths: Paths | undefined;
	return {
		parts: new Map(),
		inner: new Map(),
		paths() {
			paths ??= childPaths(element, path);
			return paths;
		},
	};
};

const view = (element: XmlElement, path: string, state: State, how: How): Dom => {
	const mark = (part: string): void => {
		if (state.parts.get(part) !== 'read') state.parts.set(part, how);
	};
	const visit = (inner: XmlElement): Dom => {
		const own = state.paths().get(inner) ?? '';
		const known = state.inner.get(inner) ?? stateOf(inner, own);
		state.inner.set(inner, known);
		if (known.seen !== 'read') known.seen = how;
		return view(inner, own, known, how);
	};
	return {
		name: element.name,
		path,
		attribute(name) {
			mark(name);
			return element.attributes.get(name);
		},
		text() {
			mark(TEXT);
			return element.text.trim();
		},
		child(name) {
			const found = element.children.find((candidate) => candidate.name === name);
			return found && visit(found);
		},
		children: (name) => element.children.filter((candidate) => candidate.name === name).map(visit),
		all: () => element.children.map(visit),
		unread: () => dom(element, path),
		more: () => view(element, path, state, 'held'),
		namespacePrefix(namespace) {
			const [name] = [...element.attributes].find(([key, value]) => key.startsWith('xmlns:') && value === namespace) ?? [];
			if (name !== undefined) mark(name);
			return name?.slice('xmlns:'.length);
		},
		rest: () => rest(element, path, state),
	};
};

const rest = (element: XmlElement, path: string, { parts, inner, paths }: State): Unread[] => {
	const unread = (part: string, where: string, value: string): Unread[] => {
		const how = parts.get(part);
		if (how === 'read') return [];
		return [{ path: where, value, ...(how === 'held' && { held: true }) }];
	};
	const said = element.text.trim();
	return [
		...[...element.attributes].flatMap(([name, value]) => unread(name, path === '' ? `@${name}` : `${path}/@${name}`, value)),
		...(said === '' ? [] : unread(TEXT, path, said)),
		...element.children.flatMap((child) => {
			const own = paths().get(child) ?? '';
			const state = inner.get(child);
			const left = rest(child, own, state ?? stateOf(child, own));
			if (left.length > 0 || state?.seen === 'read') return left;
			return [{ path: own, value: '', ...(state && { held: true }) }];
		}),
	];
};

/** Paths of the children, numbered where several have one name. */
const childPaths = (element: XmlElement, path: string): Paths => {
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
