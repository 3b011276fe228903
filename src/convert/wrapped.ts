import { quoted } from '../bytes/shell.ts';
import type { Source } from '../core/source.ts';

/** What images come wrapped in: `magic` at `at` bytes from the beginning, or before the end where it is negative. */
const WRAPPINGS: readonly {
	readonly at: number;
	readonly magic: string;
	readonly what: string;
	/** The command that takes it out, around the file's name. */
	readonly unwrap: readonly [before: string, behind?: string];
}[] = [
	{ at: 257, magic: 'ustar', what: 'a tar archive, as an OVA is', unwrap: ['tar -xf'] },
	{ at: 0, magic: '\x1f\x8b', what: 'compressed by gzip', unwrap: ['gzip -dc', '> DISK'] },
	{ at: 0, magic: '\xfd7zXZ\0', what: 'compressed by xz', unwrap: ['xz -dc', '> DISK'] },
	{ at: 0, magic: '\x28\xb5\x2f\xfd', what: 'compressed by zstd', unwrap: ['zstd -dc', '> DISK'] },
	{ at: 0, magic: 'BZh', what: 'compressed by bzip2', unwrap: ['bzip2 -dc', '> DISK'] },
	{ at: 0, magic: 'PK\x03\x04', what: 'a zip archive', unwrap: ['unzip'] },
	{ at: 0, magic: '7z\xbc\xaf\x27\x1c', what: 'a 7z archive', unwrap: ['7zz x'] },
	{ at: 0, magic: 'VMA\0', what: "an archive of Proxmox VE's", unwrap: ['vma extract', 'FOLDER'] },
	{ at: 0, magic: 'EVF\x09\x0d\x0a\xff\0', what: "evidence in EnCase's format", unwrap: ['ewfexport -f raw'] },
	{ at: 0, magic: 'MSWIM\0\0\0', what: 'an archive of files for installing Windows', unwrap: ['7zz x'] },
	{ at: -512, magic: 'koly', what: "a disk image of Apple's", unwrap: ['qemu-img convert -f dmg -O qcow2', 'DISK'] },
];

/** What a file is that an image may be in, and the command that takes it out; undefined for anything else. */
export const wrappingOf = async (
	source: Source,
	signal?: AbortSignal,
): Promise<{ readonly what: string; readonly unwrap: string } | undefined> => {
	for (const { at, magic, what, unwrap } of WRAPPINGS) {
		if (!(await holds(source, at < 0 ? source.size + at : at, magic, signal))) continue;
		const [before, behind] = unwrap;
		return { what, unwrap: [before, quoted(source.name), behind].filter(Boolean).join(' ') };
	}
	return undefined;
};

/** Whether a disk begins with a boot sector, whatever else it may look like. */
export const hasBootSector = (source: Source, signal?: AbortSignal): Promise<boolean> => holds(source, 510, '\x55\xaa', signal);

const holds = async (source: Source, offset: number, text: string, signal?: AbortSignal): Promise<boolean> => {
	if (offset < 0 || offset + text.length > source.size) return false;
	const bytes = await source.read(offset, text.length, signal);
	return bytes.every((byte, i) => byte === text.charCodeAt(i));
};
