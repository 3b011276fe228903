import type { Found } from '../../../src/guest/tree.ts';

/** A file of a guest that has these bytes. `seen` is told how much of it is read. */
export const oneFile = (bytes: Uint8Array, seen?: (length: number) => void): Found => ({
	path: '/boot/initrd.img',
	node: { id: 1, kind: 'file', size: bytes.length },
	fileSystem: {
		type: 'ext4',
		size: bytes.length,
		blockSize: 4096,
		clean: true,
		caseInsensitive: false,
		root: () => Promise.reject(new Error('there is but one file')),
		list: () => Promise.reject(new Error('there is but one file')),
		node: () => Promise.reject(new Error('there is but one file')),
		readlink: () => Promise.reject(new Error('there is but one file')),
		async read(_, offset, length) {
			seen?.(length);
			return new Uint8Array(bytes.subarray(offset, offset + length));
		},
	},
});
