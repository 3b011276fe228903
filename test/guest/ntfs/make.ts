import fs from 'node:fs';
import path from 'node:path';
import { attributeHead, nonResidentPart, valueSizes } from '../../../src/guest/ntfs/layout.ts';
import { run } from '../../helpers/programs.ts';

/** A new NTFS volume in a file. */
export const makeNtfs = (image: string, size: string, ...options: string[]): void => {
	run('truncate', '-s', size, image);
	run('mkntfs', '-F', '-Q', '-q', '-s', '512', '-p', '0', '-H', '255', '-S', '63', ...options, image);
};

/** Put a file into its root. */
export const addFile = (image: string, name: string, content: Uint8Array | string): void => {
	const from = path.join(path.dirname(image), 'content');
	fs.writeFileSync(from, content);
	run('ntfscp', '-f', image, from, name);
};

/** Put a file into its root, or a named stream of one. */
export const addStream = (image: string, file: string, stream: string, content: string): void => {
	const from = path.join(path.dirname(image), 'content');
	fs.writeFileSync(from, content);
	run('ntfscp', '-f', '-N', stream, image, from, file);
};

/** What ntfs-3g reads. */
export const catFile = (image: string, name: string): Uint8Array => {
	const to = path.join(path.dirname(image), 'read');
	run('sh', '-c', `ntfscat -f "$1" "$2" > "$3"`, 'sh', image, name, to);
	return fs.readFileSync(to);
};

/** LZNT1 as simple as it gets: each chunk of 4 KiB by the longest match, found by looking everywhere. */
export const packLznt1 = (bytes: Uint8Array): Uint8Array => {
	const chunks: Uint8Array[] = [];
	for (let at = 0; at < bytes.length; at += 4096) {
		const chunk = bytes.subarray(at, at + 4096);
		const packed = packChunk(chunk);
		const stored = packed.length < 4096 ? packed : chunk;
		chunks.push(Uint8Array.of((stored.length - 1) & 0xff, ((stored.length - 1) >> 8) | (stored === packed ? 0xb0 : 0x30), ...stored));
	}
	return new Uint8Array(Buffer.concat(chunks));
};

const packChunk = (chunk: Uint8Array): Uint8Array => {
	const out: number[] = [];
	let flagsAt = 0;
	for (let at = 0, tokens = 0; at < chunk.length; tokens++) {
		if (tokens % 8 === 0) flagsAt = out.push(0) - 1;
		let lengthBits = 12;
		while (at > 1 << (16 - lengthBits)) lengthBits--;
		const most = Math.min(chunk.length - at, (1 << lengthBits) + 2);
		let [length, back] = [0, 0];
		for (let from = Math.max(0, at - 200); from < at && length < most; from++) {
			let same = 0;
			while (same < most && chunk[from + same] === chunk[at + same]) same++;
			if (same > length) [length, back] = [same, at - from];
		}
		if (length >= 3) {
			const token = ((back - 1) << lengthBits) | (length - 3);
			out.push(token & 0xff, token >> 8);
			out[flagsAt] = (out[flagsAt] ?? 0) | (1 << (tokens % 8));
			at += length;
		} else out.push(chunk[at++] ?? 0);
	}
	return Uint8Array.from(out);
};

/** The clusters that are compressed together. */
export const UNIT = 16;

/**
 * Makes of a file with its clusters in one run a compressed one, whose units are `stored` clusters each, 0 for a hole, one after the
 * other in that run.
 * @param recordAt the byte where its record is in the image.
 */
export const compressInPlace = (image: string, recordAt: number, stored: readonly number[], size: number): void => {
	const bytes = fs.readFileSync(image);
	let at = recordAt + bytes.readUInt16LE(recordAt + 0x14);
	while (bytes.readUInt32LE(at) !== 0x80) at += bytes.readUInt32LE(at + 4);
	const runsAt = at + bytes.readUInt16LE(at + 0x20);
	const [countWidth, lcnWidth] = [(bytes[runsAt] ?? 0) & 15, (bytes[runsAt] ?? 0) >> 4];
	let lcn = bytes.readIntLE(runsAt + 1 + countWidth, lcnWidth);
	let last = 0;
	const runs: number[] = [];
	for (const clusters of stored) {
		const step = lcn - last;
		if (clusters > 0) {
			runs.push(0x41, clusters, step & 0xff, (step >> 8) & 0xff, (step >> 16) & 0xff, step >> 24);
			last = lcn;
			lcn += clusters;
		}
		if (clusters < UNIT) runs.push(0x01, UNIT - clusters);
	}
	const count = stored.length * UNIT;
	const head = attributeHead.size + nonResidentPart.size + valueSizes.size + 8; // the eight are the stored size
	const length = Math.ceil((head + runs.length + 1) / 8) * 8;
	const attribute = Buffer.alloc(length + 8);
	attribute.set(
		attributeHead.encode({
			type: 0x80,
			size: length,
			nonResident: 1,
			nameLength: 0,
			nameAt: head,
			flags: 1,
			id: bytes.readUInt16LE(at + 14),
		}),
	);
	const lastVcn = Buffer.alloc(8);
	lastVcn.writeUInt32LE(count - 1);
	attribute.set(
		nonResidentPart.encode({ firstVcn: 0, lastVcn, runsAt: head, compressionUnit: 4, reserved: new Uint8Array(5) }),
		attributeHead.size,
	);
	attribute.set(valueSizes.encode({ allocated: count * 4096, size, initialized: size }), attributeHead.size + nonResidentPart.size);
	attribute.writeUInt32LE(stored.reduce((sum, clusters) => sum + clusters, 0) * 4096, head - 8);
	attribute.set(runs, head);
	attribute.writeUInt32LE(0xffff_ffff, length);
	bytes.set(attribute, at);
	bytes.writeUInt32LE(at + attribute.length - recordAt, recordAt + 0x18); // bytes used of the record
	fs.writeFileSync(image, bytes);
};
