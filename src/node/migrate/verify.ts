import { diskFormats } from '../../../formats/index.ts';
import { flatten, openChain } from '../../convert/open.ts';
import type { Disk } from '../../core/disk.ts';
import { compareDisks } from '../../disk/compare.ts';
import { MismatchError } from '../../errors.ts';
import { comparing } from '../comparing.ts';
import { openFile } from '../file.ts';
import { gate } from '../gate.ts';
import { nodeCodec } from '../packer.ts';

export type VerifyOptions = {
	readonly signal?: AbortSignal | undefined;
	/** Guest bytes that are compared. */
	onProgress?(done: number): void;
};

/**
 * Open a copy as anybody would, and compare what a guest sees of it with its source.
 * @param format the id of the copy's format.
 * @throws MismatchError if a byte differs, or the copy is shorter; whatever keeps the copy from being read.
 */
export const verifyCopy = async (source: Disk, copy: string, format: string, { signal, onProgress }: VerifyOptions): Promise<void> => {
	const mismatch = (what: string): MismatchError =>
		new MismatchError(what, { path: copy, hint: 'the same command again; if it happens again, the memory or the disk of this computer' });
	const layers = await openChain(await openFile(copy), { formats: diskFormats, format, gate: gate(), signal });
	const disk = flatten(layers);
	try {
		if (disk.size < source.size) throw mismatch(`the copy has ${disk.size} bytes, and its source ${source.size}`);
		const difference = await compareDisks(source, disk, nodeCodec(), {
			...comparing,
			signal,
			onProgress: (done) => onProgress?.(done),
		});
		if (difference) throw mismatch(`the copy differs from its source at guest offset ${difference.guestOffset}`);
	} finally {
		await disk.close();
	}
};
