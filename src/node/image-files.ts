import fs from 'node:fs';
import path from 'node:path';
import type { DiskFormat } from '../core/format.ts';

/** A descriptor of extents is never larger, in bytes. */
const LARGEST_DESCRIPTOR = 1 << 20;

/** Of the files of a folder, those that are no parts of images: their descriptors are to be read. */
export const withoutParts = (files: readonly string[], formats: readonly DiskFormat[]): readonly string[] => {
	const descriptors = new Map<string, Uint8Array>();
	const read = (name: string): Uint8Array => {
		const known = descriptors.get(name) ?? smallFile(name);
		descriptors.set(name, known);
		return known;
	};
	return files.filter((file) => {
		const isPart = formats.some(({ partOf, extentOf }) => {
			const extent = extentOf?.(file);
			return partOf?.(path.basename(file)) !== undefined || extent?.isNamedIn(read(extent.descriptor));
		});
		return !isPart;
	});
};

/** What a file holds; nothing where it is no small plain file that can be read. */
const smallFile = (name: string): Uint8Array => {
	try {
		const stat = fs.lstatSync(name);
		return stat.isFile() && stat.size <= LARGEST_DESCRIPTOR ? fs.readFileSync(name) : new Uint8Array();
	} catch {
		return new Uint8Array();
	}
};
