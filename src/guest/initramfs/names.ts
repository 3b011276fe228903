import { isZero } from '../../bytes/align.ts';
import type { ByteStream, Expanders, StreamMethod } from '../../core/expand.ts';
import { CorruptError, UnsupportedError, VconvError } from '../../errors.ts';
import { byteStream } from '../../io/byte-stream.ts';
import type { Breathe } from '../system.ts';
import type { Found } from '../tree.ts';
import { type InitramfsBudget, initramfsBudget, LARGEST_RATIO, TOO_LARGE } from './budget.ts';
import { cpioNames, isCpio } from './cpio.ts';
import { expandLz4 } from './lz4.ts';

/** Of a file as much is read at once, in bytes. */
const PIECE = 1 << 17;

/** Zeros that are passed over in one place, in bytes: holes cost a guest nothing, and may be of any length. */
const LARGEST_GAP = 64 << 20;

const MAGICS: readonly (readonly [StreamMethod, readonly number[]])[] = [
	['gzip', [0x1f, 0x8b]],
	['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
	['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
	['lz4', [0x02, 0x21, 0x4c, 0x18]],
	['bzip2', [0x42, 0x5a, 0x68]],
	['lzma', [0x5d, 0, 0]],
	['lzo', [0x89, 0x4c, 0x5a, 0x4f]],
];

/**
 * The names of all files in an initramfs: cpio archives one after another, each plain or compressed, with zeros between them. Early
 * microcode comes first and plain, and its contents are not even read.
 * @param breathe called between pieces of what is expanded.
 * @throws CorruptError if it makes no sense, UnsupportedError for a compression that is not expanded here, by its name, and beyond the budget.
 */
export async function* initramfsNames(
	{ node, fileSystem, path }: Found,
	expanders: Expanders,
	budget: InitramfsBudget = initramfsBudget(),
	breathe?: Breathe,
): AsyncGenerator<string> {
	let position = 0;
	let read = 0;
	const next = async (): Promise<Uint8Array | undefined> => {
		const length = Math.min(PIECE, node.size - position);
		if (length <= 0) return undefined;
		const part = await fileSystem.read(node, position, length);
		position += length;
		read += length;
		return part;
	};
	const jump = async (length: number): Promise<number> => {
		const jumped = Math.min(length, node.size - position);
		position += jumped;
		return jumped;
	};
	yield* archives(byteStream(next, jump), { lz4: expandLz4, ...expanders }, { budget, path, breathe, read: () => read });
}

type Reading = {
	readonly budget: InitramfsBudget;
	readonly path: string;
	readonly breathe: Breathe | undefined;
	/** How much of the file was read so far, in bytes. */
	readonly read: () => number;
};

async function* archives(stream: ByteStream, expanders: Expanders, reading: Reading): AsyncGenerator<string> {
	const { budget, path } = reading;
	while (await skipZeros(stream, path)) {
		const head = await stream.peek(6);
		if (isCpio(head)) {
			yield* cpioNames(stream, budget, path);
			continue;
		}
		const method = MAGICS.find(([, magic]) => magic.every((byte, index) => head[index] === byte))?.[0];
		if (!method) throw new CorruptError('the initramfs has a part that is neither an archive nor compressed', { path });
		const expand = expanders[method];
		if (!expand) throw new UnsupportedError(`the initramfs is compressed with ${method}, which vconv does not read`, { path });
		if (--budget.streams < 0) throw new UnsupportedError(TOO_LARGE, { path });
		const parts = expand(stream)[Symbol.asyncIterator]();
		try {
			// What is compressed is not looked into twice: archives do not nest in compressed streams.
			yield* archives(expanded(parts, method, reading), {}, reading);
		} finally {
			await parts.return?.(); // it may be that nobody wants the rest
		}
	}
}

/** What a stream expands to, with its own failures as those of the initramfs. */
const expanded = (iterator: AsyncIterator<Uint8Array>, method: StreamMethod, { budget, path, breathe, read }: Reading): ByteStream => {
	let seen = read();
	return byteStream(async () => {
		await breathe?.(path);
		try {
			const { done, value } = await iterator.next();
			if (done) return undefined;
			budget.ahead += (read() - seen) * LARGEST_RATIO - value.length;
			budget.expanded -= value.length;
			seen = read();
			if (budget.ahead >= 0 && budget.expanded >= 0) return value;
		} catch (cause) {
			if (cause instanceof UnsupportedError) throw new UnsupportedError(`the initramfs is not expanded: ${cause.message}`, { path, cause });
			if (cause instanceof VconvError) throw cause;
			throw new CorruptError(`the initramfs is damaged, compressed with ${method}: ${(cause as Error).message}`, { path, cause });
		}
		if (budget.ahead < 0)
			throw new UnsupportedError(`the initramfs expands absurdly, to over ${LARGEST_RATIO} times its size; it is not read`, { path });
		throw new UnsupportedError(TOO_LARGE, { path });
	});
};

/** Whether anything follows the zeros. @throws UnsupportedError for more than `LARGEST_GAP`. */
const skipZeros = async (stream: ByteStream, path: string): Promise<boolean> => {
	for (let zeros = 0; zeros <= LARGEST_GAP; ) {
		const bytes = await stream.some();
		if (!bytes) return false;
		if (!isZero(bytes)) {
			stream.unread(bytes.subarray(bytes.findIndex((byte) => byte !== 0)));
			return true;
		}
		zeros += bytes.length;
	}
	throw new UnsupportedError(`the initramfs has over ${LARGEST_GAP} bytes of zeros between its parts, or behind them`, { path });
};
