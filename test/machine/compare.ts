import { parseXml, type XmlElement } from '../../src/bytes/xml.ts';

/** Devices whose order the guest sees. */
const ORDERED = ['disk', 'interface', 'filesystem', 'serial', 'parallel'];

const SIZES = ['memory', 'currentMemory', 'min_guarantee'];

/** What a domain says, without what says nothing: the order of attributes and of most elements, units, case, white space. */
const canonical = (element: XmlElement): unknown => {
	const attributes = new Map(element.attributes);
	let text = element.text.trim();
	if (SIZES.includes(element.name)) {
		const factor = { KiB: 1, MiB: 1024, GiB: 1024 * 1024 }[attributes.get('unit') ?? 'KiB'];
		text = String(Number(text) * (factor ?? Number.NaN));
		attributes.delete('unit');
	}
	if (['uuid', 'hwuuid', 'genid', 'mac'].includes(element.name)) {
		text = text.toLowerCase();
		const address = attributes.get('address');
		if (address !== undefined) attributes.set('address', address.toLowerCase());
	}
	const said = [...attributes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, value.replace(/^0+(?=\d)/, '')]);
	const children = element.name === 'devices' ? devices(element) : sorted(element.children.map(canonical));
	return [element.name, said, text, children];
};

const devices = ({ children }: XmlElement): unknown =>
	[...new Set(children.map(({ name }) => name))].sort().map((name) => {
		const group = children.filter((child) => child.name === name).map(canonical);
		return [name, ORDERED.includes(name) ? group : sorted(group)];
	});

const sorted = (parts: readonly unknown[]): unknown[] => parts.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

/** A domain to compare by what it says: hardware specification, section 14.3. */
export const saidByDomain = (text: string | Uint8Array): unknown =>
	canonical(parseXml(typeof text === 'string' ? new TextEncoder().encode(text) : text, 'domain.xml'));
