// TypeScript knows it from browsers' types alone.
declare const WebAssembly: {
	readonly Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

/** In bytes: a page of WebAssembly's. */
const PAGE = 64 * 1024;

/**
 * A buffer of `size` bytes that begins on a page. A kernel copies from its page cache to a page's beginning twice as fast as to 16 bytes
 * behind it, which is where malloc puts large buffers: so we ask for the memory of a WebAssembly instance, which is pages by definition. It takes
 * no room until it is written to, but several gigabytes of addresses; ask for one, and share it out.
 */
export const pages = (size: number): Buffer<ArrayBuffer> => {
	try {
		const count = Math.ceil(size / PAGE);
		return Buffer.from(new WebAssembly.Memory({ initial: count, maximum: count }).buffer, 0, size);
	} catch {
		// No WebAssembly (--jitless), or no addresses left (ulimit -v): any memory will do.
		return Buffer.from(new ArrayBuffer(size));
	}
};

/** Shares out stretches of pages, each for `count` buffers of `size` bytes that begin on a page. */
export const pagesOf = (count: number, size: number): (() => Buffer<ArrayBuffer>) => {
	const stride = Math.ceil(size / 4096) * 4096;
	let whole = Buffer.alloc(0);
	let at = 0;
	return () => {
		if (at + stride > whole.length) {
			whole = pages(count * stride);
			at = 0;
		}
		at += stride;
		return whole.subarray(at - stride, at - stride + size);
	};
};
