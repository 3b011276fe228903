/** How an image is to name a file of this path: QEMU takes what stands before a first colon for a protocol, and `gate` refuses those. */
export const asReference = (path: string): string => (/^[^/]*:/.test(path) && !/^[a-z]:[\\/]/i.test(path) ? `./${path}` : path);
