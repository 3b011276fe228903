import type { ByteStream } from '../../core/expand.ts';
import { CorruptError, UnsupportedError } from '../../errors.ts';
import { type InitramfsBudget, TOO_LARGE } from './budget.ts';

// The archives of an initramfs: https://docs.kernel.org/driver-api/early-userspace/buffer-format.html

/** `c_magic`: without and with checksums of the contents. */
const MAGICS = ['070701', '070702'];

/** Thirteen fields of eight hexadecimal digits follow the magic. */
const HEADER = 110;

/** Linux' longest path, in bytes. */
const LARGEST_NAME = 4096;

const TRAILER = 'TRAILER!!!';

/** Whether a cpio archive begins with these bytes. */
export const isCpio = (bytes: Uint8Array): boolean => MAGICS.includes(new TextDecoder('latin1').decode(bytes.subarray(0, 6)));

/**
 * The names in one archive, in its order, without a leading slash; contents are passed over. The stream then stands behind the archive.
 * @throws CorruptError if it makes no sense or is cut short, UnsupportedError beyond the budget.
 */
export async function* cpioNames(stream: ByteStream, budget: InitramfsBudget, path: string): AsyncGenerator<string> {
	const corrupt = (why: string): CorruptError => new CorruptError(`an archive of the initramfs ${why}`, { path });
	for (;;) {
		const header = await stream.take(HEADER);
		if (header.length < HEADER) throw corrupt('is cut short');
		if (!isCpio(header)) throw corrupt('has an entry that is none');
		const text = new TextDecoder('latin1').decode(header);
		const field = (index: number): number => {
			const digits = text.slice(6 + index * 8, 14 + index * 8);
			if (!/^[0-9a-f]{8}$/i.test(digits)) throw corrupt('has a number that is none');
			return Number.parseInt(digits, 16);
		};
		const size = field(6);
		const nameSize = field(11);
		if (nameSize === 0 || nameSize > LARGEST_NAME) throw corrupt(`has a name of ${nameSize} bytes`);
		const padded = padding(HEADER + nameSize) + nameSize;
		const name = await stream.take(padded);
		if (name.length < padded) throw corrupt('is cut short');
		budget.bytes -= HEADER + padded + size;
		if (--budget.entries < 0 || budget.bytes < 0) throw new UnsupportedError(TOO_LARGE, { path });
		const contents = size + padding(size);
		const isLast = new TextDecoder().decode(name.subarray(0, nameSize - 1)) === TRAILER;
		if ((await stream.skip(contents)) < (isLast ? 0 : size)) throw corrupt('is cut short');
		if (isLast) return;
		yield new TextDecoder().decode(name.subarray(0, nameSize - 1)).replace(/^(\.?\/)+/, '');
	}
}

/** Up to a multiple of four. */
const padding = (length: number): number => -length & 3;
