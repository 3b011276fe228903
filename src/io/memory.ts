import type { Sink, Target } from '../core/sink.ts';
import type { Source } from '../core/source.ts';
import { CorruptError } from '../errors.ts';

let made = 0;

/** Bytes in memory as a source. They are not copied: do not change them while it is in use. */
export const memorySource = (bytes: Uint8Array, name = 'memory'): Source => {
	const identity = `memory:${++made}`;
	return {
		name,
		size: bytes.byteLength,
		identity,
		async read(offset, length, signal) {
			signal?.throwIfAborted();
			if (offset < 0 || offset + length > bytes.byteLength) throw pastEnd(name, offset, length, bytes.byteLength);
			return bytes.slice(offset, offset + length);
		},
		async close() {},
	};
};

/** The error of a source that ends before the bytes that were asked for. */
export const pastEnd = (path: string, offset: number, length: number, size: number): CorruptError =>
	new CorruptError(`the file ends at 0x${size.toString(16)}, and ${length} bytes at 0x${offset.toString(16)} are needed`, {
		path,
		offset,
		hint: 'a fresh copy: this one is truncated',
	});

const PAGE = 1 << 20;

/** A sink in memory that keeps only the pages that were written, so that sparse images of any size fit. */
export type MemorySink = Sink & {
	readonly size: number;
	/** What was written, as a source. */
	source(): Source;
};

export const memorySink = (name = 'memory'): MemorySink => {
	const pages = new Map<number, Uint8Array>();
	let size = 0;
	const each = (offset: number, length: number, use: (page: number, within: number, done: number, count: number) => void) => {
		for (let done = 0; done < length; ) {
			const page = Math.floor((offset + done) / PAGE);
			const within = (offset + done) % PAGE;
			const count = Math.min(PAGE - within, length - done);
			use(page, within, done, count);
			done += count;
		}
	};
	return {
		name,
		get size() {
			return size;
		},
		async write(hostOffset, bytes) {
			each(hostOffset, bytes.byteLength, (page, within, done, count) => {
				const target = pages.get(page) ?? new Uint8Array(PAGE);
				pages.set(page, target);
				target.set(bytes.subarray(done, done + count), within);
			});
			size = Math.max(size, hostOffset + bytes.byteLength);
		},
		async resize(length) {
			if (length < size) {
				for (const page of [...pages.keys()]) if (page * PAGE >= length) pages.delete(page);
				pages.get(Math.floor(length / PAGE))?.fill(0, length % PAGE);
			}
			size = length;
		},
		source() {
			const length = size;
			return {
				name,
				size: length,
				identity: `memory:${++made}`,
				async read(offset, count, signal) {
					signal?.throwIfAborted();
					if (offset < 0 || offset + count > length) throw pastEnd(name, offset, count, length);
					const out = new Uint8Array(count);
					each(offset, count, (page, within, done, n) => {
						const from = pages.get(page);
						if (from) out.set(from.subarray(within, within + n), done);
					});
					return out;
				},
				async *allocated(offset, count) {
					const indexes = [...pages.keys()].sort((a, b) => a - b);
					for (const index of indexes) {
						const start = Math.max(offset, index * PAGE);
						const end = Math.min(offset + count, length, (index + 1) * PAGE);
						if (start < end) yield { offset: start, length: end - start };
					}
				},
				async close() {},
			};
		},
	};
};

/** A target in memory; `files` holds what was committed, by name. */
export const memoryTarget = (name = 'memory'): Target & { readonly files: Map<string, MemorySink> } => {
	const files = new Map<string, MemorySink>();
	const open = new Map<string, MemorySink>();
	const make = (file: string) => {
		const sink = memorySink(file);
		open.set(file, sink);
		return sink;
	};
	return {
		files,
		main: make(name),
		beside: async (file) => make(file),
		async commit() {
			for (const [file, sink] of open) files.set(file, sink);
		},
		async abandon() {
			open.clear();
		},
	};
};
