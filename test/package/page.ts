import { convert, diskFormats, flatten, memorySource, memoryTarget, openChain, pakoCodec, readDisk } from '../../src/index.ts';

/** An image written, and the disk read back from it: lengths in bytes, SHA-256 in hex. */
export type Written = {
	readonly format: string;
	readonly length: number;
	readonly sha256: string;
	readonly diskLength: number;
	readonly diskSha256: string;
};

const TARGETS = [
	{ format: 'qcow2', compress: false },
	{ format: 'qcow2', compress: true },
	{ format: 'vmdk', options: { subformat: 'streamOptimized' } },
	{ format: 'vhdx' },
] as const;

/**
 * Convert an image and read back what came of it: what the browser test does in a browser, in a context without Node's globals and in
 * Node itself, and each must do the same.
 */
export const convertSample = async (image: Uint8Array): Promise<Written[]> => {
	const all: Written[] = [];
	for (const target of TARGETS) {
		const to = memoryTarget('hello');
		await convert({
			...target,
			from: memorySource(image, 'hello.vmdk'),
			to,
			stamp: { now: new Date(0), id: () => new Uint8Array(16).fill(7) },
		});
		const source = to.files.get('hello')?.source();
		if (!source) throw new Error('nothing was written');
		const bytes = await source.read(0, source.size);
		const gate = () => Promise.reject(new Error('it names another file'));
		const disk = flatten(await openChain(source, { formats: diskFormats, format: target.format, gate }));
		const guest = await readDisk(disk, pakoCodec, 0, disk.size);
		await disk.close();
		all.push({
			format: target.format,
			length: bytes.length,
			sha256: await sha256(bytes),
			diskLength: guest.length,
			diskSha256: await sha256(guest),
		});
	}
	return all;
};

const sha256 = async (bytes: Uint8Array): Promise<string> => {
	const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes.slice()));
	return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
};
