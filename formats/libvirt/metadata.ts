import type { XmlElement } from '../../src/bytes/xml.ts';
import type { Origin } from '../../src/machine/spec.ts';
import { element } from './build.ts';
import type { Dom } from './dom.ts';

const OSINFO_NAMESPACE = 'http://libosinfo.org/xmlns/libvirt/domain/1.0';

/** What vconv keeps for the way back. */
const VCONV_NAMESPACE = 'urn:vconv:domain:1';

/** The children of a domain's metadata that are of this namespace, whatever it calls it. */
const inNamespace = (root: Dom, namespace: string): { readonly found: Dom; readonly prefix: string } | undefined => {
	const metadata = root.more().child('metadata');
	const plain = metadata?.unread();
	const name = plain?.all().find((child) => child.namespacePrefix(namespace) !== undefined)?.name;
	const found = name === undefined ? undefined : metadata?.child(name);
	const prefix = found?.namespacePrefix(namespace);
	return found && prefix !== undefined && name?.startsWith(`${prefix}:`) ? { found, prefix } : undefined;
};

/** What libosinfo calls the guest. */
export const readOsinfo = (root: Dom): string | undefined => {
	const { found, prefix } = inNamespace(root, OSINFO_NAMESPACE) ?? {};
	return found?.child(`${prefix}:os`)?.attribute('id');
};

/** What is kept of the description that this one was made from. */
export const readOrigin = (root: Dom): Origin | undefined => {
	const { found, prefix } = inNamespace(root, VCONV_NAMESPACE) ?? {};
	const source = found?.child(`${prefix}:source`);
	const format = source?.attribute('format');
	if (!source || format === undefined) return undefined;
	return {
		format,
		entries: source.children(`${prefix}:entry`).map((child) => [child.attribute('key') ?? '', child.attribute('value') ?? '']),
		withheld: source.children(`${prefix}:withheld`).map((child) => child.attribute('key') ?? ''),
		devices: source
			.children(`${prefix}:device`)
			.map((child) => [child.attribute('from') ?? '', child.attribute('to') ?? '', child.attribute('wwn')]),
		written: source.children(`${prefix}:written`).map((child) => [child.attribute('about') ?? '', child.attribute('words') ?? '']),
	};
};

/** The same, as the metadata of a domain hold it. */
export const writeOrigin = ({ format, entries, withheld = [], devices, written }: Origin): XmlElement =>
	element(
		'vconv:vconv',
		{ 'xmlns:vconv': VCONV_NAMESPACE },
		element(
			'vconv:source',
			{ format },
			...devices.map(([from, to, wwn]) => element('vconv:device', { from, to, wwn })),
			...written.map(([about, words]) => element('vconv:written', { about, words })),
			...entries.map(([key, value]) => element('vconv:entry', { key, value })),
			...withheld.map((key) => element('vconv:withheld', { key })),
		),
	);

export const writeOsinfo = (id: string): XmlElement =>
	element('libosinfo:libosinfo', { 'xmlns:libosinfo': OSINFO_NAMESPACE }, element('libosinfo:os', { id }));
