import { byteReader } from '../reader.ts';

/** What a file or directory stands for instead of itself. */
export type Reparse =
	/** A symbolic link or a junction. */
	| { readonly kind: 'link'; readonly target: string }
	/** Whatever else: where the contents are is known to a driver of Windows alone. */
	| { readonly kind: 'other'; readonly what: string };

const TAG = { junction: 0xa000_0003, symlink: 0xa000_000c, wof: 0x8000_0017, dedup: 0x8000_0013 } as const;

const WOF_ALGORITHMS = ['XPRESS4K', 'LZX', 'XPRESS8K', 'XPRESS16K'];

/**
 * The value of a $REPARSE_POINT (MS-FSCC 2.1.2). Targets of relative links have slashes; others name a drive or volume of the running
 * Windows, and stay as they are stored.
 * @throws CorruptError if it is cut off.
 */
export const decodeReparse = (value: Uint8Array, path: string): Reparse => {
	const reader = byteReader(value, { path });
	const tag = reader.u32(0);
	if (tag === TAG.symlink || tag === TAG.junction) {
		const names = 8 + (tag === TAG.symlink ? 12 : 8);
		const target = reader.utf16(names + reader.u16(8), reader.u16(10));
		const relative = tag === TAG.symlink && (reader.u32(16) & 1) === 1;
		return { kind: 'link', target: relative ? target.replaceAll('\\', '/') : target };
	}
	if (tag === TAG.wof) {
		// A header that names the provider, of which 2 is single files; then its version and the algorithm.
		const algorithm = reader.u32(12) === 2 ? WOF_ALGORITHMS[reader.u32(20)] : undefined;
		return { kind: 'other', what: `compressed by the Windows overlay filter (${algorithm ?? 'in another file'})` };
	}
	if (tag === TAG.dedup) return { kind: 'other', what: 'deduplicated' };
	return { kind: 'other', what: `a reparse point of tag 0x${tag.toString(16)}` };
};
