import { bitset } from '../../src/bytes/bitset.ts';
import { hex } from '../../src/bytes/size.ts';
import type { CheckReport, OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { TABLE_PIECE } from '../../src/disk/blocks.ts';
import { collectFindings } from '../../src/disk/findings.ts';
import { ENTRY } from './layout.ts';
import { blockAt, readHeader } from './reader.ts';

/** Every entry of the block map: that its block is in the file, and nobody else's. */
export const checkVdi = async (source: Source, context: OpenContext): Promise<CheckReport> => {
	const h = await readHeader(source, context.signal);
	const findings = collectFindings();
	const inFile = Math.max(0, Math.ceil((source.size - h.dataOffset) / (h.blockExtra + h.blockSize)));
	const used = bitset(inFile);
	let allocated = 0;
	let fragmented = 0;
	let highest = -1;
	let before: number | undefined;

	for (let first = 0; first < h.blocks; first += TABLE_PIECE / 4) {
		const count = Math.min(h.blocks - first, TABLE_PIECE / 4);
		const offset = h.blocksOffset + first * 4;
		const bytes = await source.read(offset, count * 4, context.signal);
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		for (let i = 0; i < count; i++) {
			const entry = view.getUint32(i * 4, true);
			if (entry >= ENTRY.zero) continue;
			const block = first + i;
			const guestOffset = block * h.blockSize;
			const needed = Math.max(1, Math.min(h.blockSize, h.diskSize - guestOffset));
			allocated++;
			if (before !== undefined && entry !== before + 1) fragmented++;
			before = entry;
			if (blockAt(h, entry) + needed > source.size) {
				const message = `block ${block} is at ${hex(blockAt(h, entry))}, past the end of the file`;
				findings.add({ severity: 'error', code: 'block-past-end', message, offset: offset + i * 4 });
				continue;
			}
			if (guestOffset >= h.diskSize) {
				const message = `block ${block} is allocated, and is behind the end of a disk of ${h.diskSize} bytes`;
				findings.add({ severity: 'error', code: 'block-behind-end', message, offset: offset + i * 4 });
			}
			highest = Math.max(highest, entry);
			if (!used.add(entry)) {
				const message = `block ${block} is stored at ${hex(blockAt(h, entry))}, where another block is too`;
				findings.add({ severity: 'error', code: 'block-shared', message, offset: offset + i * 4 });
			}
		}
	}

	if (allocated !== h.blocksAllocated) {
		const message = `the header counts ${h.blocksAllocated} allocated blocks, and the block map ${allocated}`;
		findings.add({ severity: 'note', code: 'allocated-count', message });
	}
	let unused = 0;
	for (let entry = 0; entry <= highest; entry++) if (!used.has(entry)) unused++;
	if (unused > 0)
		findings.add({ severity: 'leak', code: 'block-unused', message: `${unused} blocks of the file are in no entry`, count: unused });
	const imageEnd = h.dataOffset + (highest + 1) * (h.blockExtra + h.blockSize);
	return { ...findings.report(), imageEnd, blocks: { total: h.blocks, allocated, fragmented, compressed: 0 } };
};
