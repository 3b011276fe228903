import { alignUp } from '../bytes/align.ts';
import { frameHead, packRoom, writeFrame } from '../engine/frame.ts';
import { type Board, chunkOf, type Slot, State, setState, stateOf } from './board.ts';
import { nodeFiles } from './files.ts';
import { gatherer } from './gather.ts';
import { leafHasher } from './leaves.ts';
import type { Orders } from './orders.ts';
import { nodePacker } from './packer.ts';
import { pages, pagesOf } from './pages.ts';
import { reserver } from './reserve.ts';
import { sharer } from './share.ts';
import { writeFully } from './write.ts';
import { writeback } from './writeback.ts';
import { isZero } from './zeros.ts';

/** In bytes: what a buffer has behind what is unpacked into it, see `Packer.unpack`. */
const SPARE = 1;

/** A chunk read and packed, waiting for its places. */
type Waiting = {
	readonly slot: Slot;
	readonly buffer: Buffer;
	/** Of each block that is stored, where it lies in the buffer. */
	readonly at: Int32Array;
	/** The slot's segments say where the bytes came from. */
	readonly fromFiles: boolean;
};

export type Executor = {
	/** Whether a further chunk may be taken on. */
	ready(): boolean;
	/**
	 * Read and pack a chunk, and say on the board what its blocks take; whether any of them is to be written. `bytes` are its bytes, where they are
	 * not to be read from files.
	 */
	take(slot: Slot, bytes?: Uint8Array): boolean;
	/** Write the chunks that have got their places; whether there were any. */
	write(): boolean;
	/** Chunks that were taken and not written. */
	waiting(): number;
};

/**
 * The work of one thread: synchronous reads and writes at offsets, in buffers that it keeps.
 * @param failed what to do about a chunk that could not be read or written.
 * @param nameOf what a message calls the file behind a descriptor.
 */
export const executor = (
	shared: Board,
	orders: Orders,
	failed: (slot: Slot, error: unknown) => void,
	nameOf: (fd: number) => string,
): Executor => {
	const { block, chunk, packing, dense, depth } = orders;
	const packer = nodePacker();
	const room = packing ? alignUp(frameHead(packing) + packRoom(block), packing.frame?.align ?? 1) : block;
	const capacity = packing ? Math.ceil(chunk / block) * room : chunk;
	const { gather, stream } = gatherer(orders, packer, nameOf);
	const hash = orders.hashed === undefined ? undefined : leafHasher(orders.hashed);
	const share = sharer();
	const reserve = orders.reserve ? reserver() : undefined;
	const wrote = writeback(orders.writing);
	const fresh = pagesOf(depth + 1, capacity + SPARE);
	const free: Buffer[] = [];
	const queue: Waiting[] = [];
	/** Where chunks are read to before they are packed. */
	const plain = packing ? pages(chunk + SPARE) : undefined;

	/** Put a block of the chunk into the buffer to be written, packed if that is shorter. Gives its stored length, negative if packed. */
	const pack = (from: Buffer, at: number, length: number, guestOffset: number, buffer: Buffer, to: number): number => {
		if (!packing) return length;
		const head = frameHead(packing);
		if (length < block) from.fill(0, at + length, at + block);
		const again = stream(at);
		again?.buffer.copy(buffer, to + head, again.from, again.from + again.length);
		const packed = again
			? again.length
			: packer.pack(packing, from, at, block, buffer, to + head, packing.always ? packRoom(block) : packing.atMost);
		if (packed === 0) {
			if (packing.always) throw new Error('a block came out longer than deflate can make it');
			from.copy(buffer, to, at, at + length);
			return length;
		}
		if (!packing.frame) return -packed;
		writeFrame(packing, new DataView(buffer.buffer, buffer.byteOffset), to, guestOffset, packed);
		const whole = alignUp(head + packed, packing.frame.align);
		buffer.fill(0, to + head + packed, to + whole);
		return -whole;
	};

	/** Pack what is in `from` into a buffer to be written; says what it takes. Gives where each block lies; undefined if all are zeros. */
	const store = (slot: Slot, from: Buffer, buffer: Buffer): Int32Array | undefined => {
		const { guest, length } = chunkOf(slot);
		const at = new Int32Array(Math.ceil(length / block));
		let to = 0;
		let any = false;
		for (let i = 0; i < at.length; i++) {
			const start = i * block;
			const size = Math.min(block, length - start);
			slot.stored[i] = 0;
			if (!dense && isZero(from, start, size)) continue;
			if (!packing) to = start;
			const stored = pack(from, start, size, guest + start, buffer, to);
			slot.stored[i] = stored;
			at[i] = to;
			to += Math.abs(stored);
			any = true;
			if (orders.fixedAt !== undefined) slot.hosts[i] = orders.fixedAt + guest + start;
		}
		return any ? at : undefined;
	};

	/** Nothing is written of the chunk; it counts all the same. */
	const passed = (slot: Slot): undefined => {
		const { length } = chunkOf(slot);
		for (let at = 0, i = 0; at < length; at += block, i++) slot.stored[i] = Math.min(block, length - at);
	};

	const take = (slot: Slot, bytes?: Uint8Array): boolean => {
		const buffer = free.pop() ?? fresh();
		let at: Int32Array | undefined;
		try {
			gather(slot, plain ?? buffer, bytes);
			hash?.(slot, plain ?? buffer);
			at = orders.sinks.length === 0 ? passed(slot) : store(slot, plain ?? buffer, buffer);
		} catch (error) {
			free.push(buffer);
			failed(slot, error);
			return false;
		}
		if (at) queue.push({ slot, buffer, at, fromFiles: bytes === undefined });
		else free.push(buffer);
		setState(shared, slot, orders.sinks.length === 0 ? State.DONE : at && orders.fixedAt !== undefined ? State.PLACED : State.READ);
		return at !== undefined;
	};

	/** Blocks that adjoin both in the buffer and in the file are written as one. */
	const writeOne = ({ slot, buffer, at, fromFiles }: Waiting): void => {
		const { stored, hosts, files } = slot;
		for (let i = 0; i < at.length; ) {
			let length = Math.abs(stored[i] as number);
			if (length === 0) {
				i++;
				continue;
			}
			const first = i++;
			const from = at[first] as number;
			const host = hosts[first] as number;
			while (i < at.length && stored[i] !== 0 && hosts[i] === host + length && at[i] === from + length && files[i] === files[first]) {
				length += Math.abs(stored[i++] as number);
			}
			const file = files[first] as number;
			const fd = orders.sinks[file] as number;
			if (!packing && fromFiles && share(slot, from, length, fd, host)) continue;
			reserve?.(fd, host, length);
			const began = performance.now();
			writeFully(nodeFiles, fd, buffer.subarray(from, from + length), host, orders.names[file] as string);
			wrote(fd, host, length, performance.now() - began);
		}
	};

	return {
		ready: () => queue.length < depth,
		take,
		write() {
			let any = false;
			for (;;) {
				const first = queue[0];
				if (!first || stateOf(shared, first.slot) !== State.PLACED) return any;
				try {
					writeOne(first);
					setState(shared, first.slot, State.DONE);
				} catch (error) {
					failed(first.slot, error);
				}
				queue.shift();
				free.push(first.buffer);
				any = true;
			}
		},
		waiting: () => queue.length,
	};
};
