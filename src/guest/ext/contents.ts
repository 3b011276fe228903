import { CorruptError, UnsupportedError } from '../../errors.ts';
import { LARGEST_READ } from '../device.ts';
import { byteReader } from '../reader.ts';
import { fileBlocks, type Run } from './blocks.ts';
import { ATTRIBUTE_ENTRY, ATTRIBUTES_MAGIC, FLAG, INODE_EXTRA, inode, LIMIT, SYSTEM_ATTRIBUTE } from './layout.ts';
import { type ExtNode, isEncrypted, type Volume } from './volume.ts';

/** Exactly `length` bytes of a file; holes are zeros. @throws CorruptError if they are not all within its size. */
export const readContents = async (volume: Volume, node: ExtNode, offset: number, length: number): Promise<Uint8Array> => {
	const path = volume.device.name;
	if (isEncrypted(node)) throw new UnsupportedError(`inode ${node.id} is encrypted by the file system`, { path });
	if (offset + length > node.size)
		throw new CorruptError(`inode ${node.id} has ${node.size} bytes, and ${offset + length} are needed`, { path });
	if (length > LARGEST_READ) throw new UnsupportedError(`${length} bytes at once are more than vconv reads of a guest`, { path });
	const out = new Uint8Array(length);
	if (length === 0) return out;
	if ((node.flags & FLAG.inlineData) !== 0) {
		const [head, tail] = inlineData(volume, node);
		const all = new Uint8Array(Math.max(node.size, head.length + tail.length));
		all.set(head);
		all.set(tail, head.length);
		return all.slice(offset, offset + length);
	}
	const { blockSize } = volume.geometry;
	const first = Math.floor(offset / blockSize);
	const count = Math.ceil((offset + length) / blockSize) - first;
	for await (const run of joined(fileBlocks(volume, node, first, count))) {
		if (run.physical === 0) continue;
		const start = run.logical * blockSize - offset;
		const data = await volume.blocks(run.physical, run.count);
		out.set(data.subarray(Math.max(0, -start), Math.min(data.length, length - start)), Math.max(0, start));
	}
	return out;
};

/** Runs that follow each other on the device too, as one: a map of blocks gives them singly. */
async function* joined(runs: AsyncIterable<Run>): AsyncGenerator<Run> {
	let run: Run | undefined;
	for await (const next of runs) {
		if (run && (run.physical === 0 ? next.physical === 0 : next.physical === run.physical + run.count)) {
			run = { ...run, count: run.count + next.count };
			continue;
		}
		if (run) yield run;
		run = next;
	}
	if (run) yield run;
}

/** "Inline Data": the part in `i_block` and the part among the attributes of the inode. */
export const inlineData = (volume: Volume, node: ExtNode): readonly [Uint8Array, Uint8Array] => {
	const none = new Uint8Array();
	const limit = volume.geometry.inodeSize * 2;
	if (node.size > limit) throw new CorruptError(`inode ${node.id} has ${node.size} bytes within itself`, { path: volume.device.name });
	if (node.raw.length <= inode.size) return [node.block, none];
	const reader = byteReader(node.raw, { path: volume.device.name });
	const attributes = inode.size + reader.u16(INODE_EXTRA.size);
	if (attributes + 4 > node.raw.length || reader.u32(attributes) !== ATTRIBUTES_MAGIC) return [node.block, none];
	const first = attributes + 4;
	for (let at = first; at + ATTRIBUTE_ENTRY <= node.raw.length && reader.u32(at) !== 0; ) {
		const nameLength = reader.u8(at);
		if (reader.u8(at + 1) === SYSTEM_ATTRIBUTE && reader.latin1(at + ATTRIBUTE_ENTRY, nameLength) === 'data') {
			if (reader.u32(at + 4) !== 0)
				throw new UnsupportedError(`inode ${node.id} keeps its data in another inode`, { path: volume.device.name });
			return [node.block, reader.bytes(first + reader.u16(at + 2), reader.u32(at + 8))];
		}
		at += (ATTRIBUTE_ENTRY + nameLength + 3) & ~3;
	}
	return [node.block, none];
};

/** "Symbolic Links": a target of less than 60 bytes is in the inode itself. */
export const readTarget = async (volume: Volume, link: ExtNode): Promise<string> => {
	if (link.size > LIMIT.link) throw new CorruptError(`the link of inode ${link.id} has ${link.size} bytes`, { path: volume.device.name });
	const isInside = link.size < link.block.length && (link.flags & (FLAG.extents | FLAG.inlineData)) === 0 && !isEncrypted(link);
	const bytes = isInside ? link.block.subarray(0, link.size) : await readContents(volume, link, 0, link.size);
	return new TextDecoder().decode(bytes);
};
