import type { Source } from '../core/source.ts';

/** Where the first volume descriptor of ISO 9660 says what it is (ECMA-119, 8.4). */
const ISO = { at: 32_769, magic: 'CD001' } as const;

/** How much of a text is looked at, in bytes. */
const HEAD = 4096;

const COMMENTS = /<!--.*?-->/gs;

/** The name of the first element of XML, behind what may stand before it but comments. */
const ROOT = /^\s*(?:<[?!][^>]*>\s*)*<([A-Za-z_][\w.:-]*)/;

/** What people take for a disk or a machine, and is neither: what it is and, where that is known, what to take instead. */
export const otherKindOf = async (
	source: Source,
	signal?: AbortSignal,
): Promise<{ readonly what: string; readonly instead?: string } | undefined> => {
	if (source.size >= ISO.at + ISO.magic.length) {
		const bytes = await source.read(ISO.at, ISO.magic.length, signal);
		if (String.fromCharCode(...bytes) === ISO.magic) return { what: 'an optical disc (ISO 9660)' };
	}
	const text = new TextDecoder().decode(await source.read(0, Math.min(HEAD, source.size), signal));
	const root = ROOT.exec(text.replaceAll(COMMENTS, ''))?.[1];
	if (root === undefined) return undefined;
	if (/^(\w+:)?Envelope$/.test(root) && text.includes('dmtf.org/ovf/'))
		return { what: 'an OVF descriptor, which vconv does not read', instead: 'the disks that it names, which lie beside it' };
	return { what: `XML that begins with <${root}>`, instead: "the disk's own image; of a machine of libvirt's what virsh dumpxml prints" };
};
