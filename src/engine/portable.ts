import { alignUp, isZero } from '../bytes/align.ts';
import type { Codec } from '../core/codec.ts';
import type { Layout, Packing } from '../core/format.ts';
import type { Moved, Mover, Work } from '../core/mover.ts';
import type { Sink } from '../core/sink.ts';
import { readExtent } from '../disk/read.ts';
import { hashBytes } from '../proof/leaves.ts';
import { chunkSize, hashedChunkSize, steps } from './chunks.ts';
import { frameHead, writeFrame } from './frame.ts';
import { earlierProgress, placements, replay } from './trail.ts';

/**
 * The mover that runs anywhere: one chunk at a time, on the thread that called it.
 * @param most bytes of a chunk; more where a block has more.
 */
export const portableMover = (codec: Codec, most = Number.POSITIVE_INFINITY): Mover => ({
	async move({ disk, layout, sinks, signal, journal, leaves, onProgress }: Work): Promise<Moved> {
		const past = replay(layout, journal?.past);
		for (const run of journal?.pastLeaves ?? []) leaves?.add(run);
		let { data, stored } = past;
		const earlier = earlierProgress(past);
		const chunk = leaves ? hashedChunkSize(disk, layout.block) : Math.max(Math.min(chunkSize(disk, layout.block), most), layout.block);
		for await (const step of steps(disk, layout, chunk, signal, past.end)) {
			signal?.throwIfAborted();
			if (step.kind === 'zero') layout.zero?.(step.offset, step.length);
			if (step.kind === 'chunk') {
				const bytes = new Uint8Array(step.length);
				for (const segment of step.segments) {
					const part = await readExtent(segment, codec, signal);
					if (part) bytes.set(part, segment.offset - step.offset);
				}
				const hashed = leaves && (await hashBytes(leaves, step.offset, bytes));
				const takes: number[] = [];
				for (let at = 0; at < bytes.length; at += layout.block) {
					const piece = bytes.subarray(at, at + layout.block);
					const written = sinks.length === 0 ? piece.length : await store(layout, sinks, codec, step.offset + at, piece);
					takes.push(written);
					stored += Math.abs(written);
					if (written !== 0) data += piece.length;
				}
				let told = hashed;
				for (const placement of placements(step.offset, step.length, layout.block, takes)) {
					journal?.written(placement, told);
					told = undefined;
				}
			} else journal?.written(step);
			journal?.tick();
			await journal?.settled();
			onProgress?.({ stage: 'copy', done: step.offset + step.length, total: disk.size, data, ...earlier });
		}
		return { data, stored };
	},
});

/** Put one block where the layout wants it. Gives the bytes it takes there, negative if packed: 0 for zeros that need no place. */
const store = async (layout: Layout, sinks: readonly Sink[], codec: Codec, guestOffset: number, bytes: Uint8Array): Promise<number> => {
	if (!layout.dense && isZero(bytes)) {
		layout.zero?.(guestOffset, bytes.length);
		return 0;
	}
	const packed = layout.packing && codec.pack(layout.packing, padded(bytes, layout.block));
	const stored = packed && layout.packing ? framed(layout.packing, guestOffset, packed) : bytes;
	const host =
		layout.fixedAt === undefined
			? layout.place(guestOffset, bytes.length, stored.length, packed !== undefined)
			: layout.fixedAt + guestOffset;
	const sink = sinks[layout.fileOf?.(guestOffset) ?? 0] as Sink;
	await sink.write(host, stored);
	return packed ? -stored.length : stored.length;
};

/** A packed unit is always a whole block: the last one of a disk is filled up with zeros. */
const padded = (bytes: Uint8Array, block: number): Uint8Array => {
	if (bytes.length === block) return bytes;
	const whole = new Uint8Array(block);
	whole.set(bytes);
	return whole;
};

const framed = (packing: Packing, guestOffset: number, packed: Uint8Array): Uint8Array => {
	if (!packing.frame) return packed;
	const head = frameHead(packing);
	const whole = new Uint8Array(alignUp(head + packed.length, packing.frame.align));
	writeFrame(packing, new DataView(whole.buffer), 0, guestOffset, packed.length);
	whole.set(packed, head);
	return whole;
};
