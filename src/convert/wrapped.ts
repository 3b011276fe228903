import type { Source } from '../core/source.ts';

/** What images come wrapped in: `magic` at `at` bytes from the beginning, or before the end where it is negative. */
const WRAPPINGS: readonly { readonly at: number; readonly magic: string; readonly what: string; readonly unwrap: string }[] = [
	{ at: 257, magic: 'ustar', what: 'a tar archive, as an OVA is', unwrap: 'tar -xf' },
	{ at: 0, magic: '\x1f\x8b', what: 'compressed by gzip', unwrap: 'gzip -dk' },
	{ at: 0, magic: '\xfd7zXZ\0', what: 'compressed by xz', unwrap: 'xz -dk' },
	{ at: 0, magic: '\x28\xb5\x2f\xfd', what: 'compressed by zstd', unwrap: 'zstd -dk' },
	{ at: 0, magic: 'BZh', what: 'compressed by bzip2', unwrap: 'bzip2 -dk' },
	{ at: 0, magic: 'PK\x03\x04', what: 'a zip archive', unwrap: 'unzip' },
	{ at: 0, magic: '7z\xbc\xaf\x27\x1c', what: 'a 7z archive', unwrap: '7zz x' },
	{ at: 0, magic: 'VMA\0', what: "an archive of Proxmox VE's", unwrap: 'vma extract' },
	{ at: 0, magic: 'EVF\x09\x0d\x0a\xff\0', what: "evidence in EnCase's format", unwrap: 'ewfexport -f raw' },
	{ at: 0, magic: 'MSWIM\0\0\0', what: 'an archive of files for installing Windows', unwrap: '7zz x' },
	{ at: -512, magic: 'koly', what: "a disk image of Apple's", unwrap: 'qemu-img convert -f dmg -O qcow2' },
];

/** What a file is that an image may be in, and the command that takes it out; undefined for anything else. */
export const wrappingOf = async (
	source: Source,
	signal?: AbortSignal,
): Promise<{ readonly what: string; readonly unwrap: string } | undefined> => {
	for (const { at, magic, what, unwrap } of WRAPPINGS) {
		const offset = at < 0 ? source.size + at : at;
		if (offset < 0 || offset + magic.length > source.size) continue;
		const bytes = await source.read(offset, magic.length, signal);
		if (bytes.every((byte, i) => byte === magic.charCodeAt(i))) return { what, unwrap: `${unwrap} ${source.name}` };
	}
	return undefined;
};
