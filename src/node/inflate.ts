import { native, ownNative } from './native.ts';

/**
 * Inflate `packed` into `output`, which it has to fill. Gives how many bytes the stream took; undefined where it does not fill `output`, yields
 * more, or is damaged: which of these, node:zlib will say.
 */
export type Inflate = (method: 'zlib' | 'deflate', packed: Uint8Array, output: Uint8Array) => number | undefined;

let found: Inflate | null | undefined;

/**
 * The system's libdeflate by way of koffi: on most Linux systems it is there (libtiff needs it), and inflates whole blocks twice as fast as
 * node:zlib. What comes out is the same. Undefined where there is none.
 */
export const systemInflate = (): Inflate | undefined => {
	found ??= libdeflate();
	return found ?? undefined;
};

/** Its .so.0 has had these calls since version 1.1. */
const libdeflate = (): Inflate | null => {
	try {
		const library = native()?.load('libdeflate.so.0');
		if (!library) return null;
		const state = library.func('void *libdeflate_alloc_decompressor(void)')();
		if (!state) return null;
		const free = library.func('void libdeflate_free_decompressor(void *)');
		ownNative(() => free(state));
		const call = (name: string) => library.func(name, 'int', ['void *', 'void *', 'size_t', 'void *', 'size_t', 'void *', 'void *']);
		const calls = { zlib: call('libdeflate_zlib_decompress_ex'), deflate: call('libdeflate_deflate_decompress_ex') };
		const taken = new BigUint64Array(1);
		const filled = new BigUint64Array(1);
		return (method, packed, output) => {
			const failed = calls[method](state, packed, packed.length, output, output.length, taken, filled) !== 0;
			return failed || Number(filled[0]) !== output.length ? undefined : Number(taken[0]);
		};
	} catch {
		return null; // the library is not there
	}
};
