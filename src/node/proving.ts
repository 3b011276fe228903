import path from 'node:path';
import { diskFormats } from '../../formats/index.ts';
import type { Plan } from '../api.ts';
import type { Hashing } from '../convert/convert.ts';
import { detect } from '../convert/detect.ts';
import { profileNamed } from '../convert/profiles.ts';
import { targetFormat } from '../convert/target.ts';
import type { DiskFormat } from '../core/format.ts';
import type { Source, Stream } from '../core/source.ts';
import { UnsupportedError, UsageError } from '../errors.ts';
import { PROOF, printProof } from '../proof/file.ts';
import type { Leaves } from '../proof/leaves.ts';
import { treeRoot } from '../proof/tree.ts';
import type { ConvertFileOptions } from './convert-options.ts';
import { judgeWithQemu, requireQemu } from './qemu-judge.ts';
import { sha256 } from './sha256.ts';
import { type Unnamed, type VerifyLevel, verifyWritten } from './verify.ts';
import { VERSION } from './version.ts';

/** What a conversion does besides, for its output to be proved. */
export type Proving = {
	/** For `ConvertOptions`. */
	readonly hashing: Omit<Hashing, 'whole'> | undefined;
	/** Another program reads all of the output before it has its name. */
	readonly readAgain: boolean;
	/** Hears what is about to be written. @throws UnsupportedError for what qemu-img cannot judge. */
	planned(plan: Plan): void;
	/** For `TargetOptions`. @throws MismatchError, and nothing gets a name. */
	verify(partials: readonly Unnamed[]): Promise<void>;
};

const LEVELS: readonly VerifyLevel[] = ['none', 'fast', 'full'];

/** @throws UsageError, AccessError for a judge that cannot judge. */
export const proving = async (from: Source | Stream, output: string, options: ConvertFileOptions): Promise<Proving> => {
	const { verify: level = 'none', verifyWith, proof = false, formats = diskFormats, signal } = options;
	if (!LEVELS.includes(level)) throw new UsageError(`there is no verify '${level}'`, { hint: `one of ${LEVELS.join(', ')}` });
	if (verifyWith) {
		refuseUnjudgeable(from, options);
		await requireQemu(signal);
	}
	const name = path.basename(output);
	const format = (): DiskFormat =>
		targetFormat(formats, name, options.format, options.profile === undefined ? undefined : profileNamed(options.profile));
	let size = 0;
	let leaves: Leaves | undefined;
	return {
		hashing:
			proof || level === 'full'
				? {
						sha256,
						...(proof && { file: `${name}${PROOF}` }),
						async finished(hashed, made) {
							leaves = hashed;
							return proof ? proofOf(hashed, made, path.basename(from.name), { name, format: format().id }) : undefined;
						},
					}
				: undefined,
		readAgain: verifyWith !== undefined,
		planned({ layout }) {
			size = layout.size;
			if (!verifyWith || !layout.files) return;
			throw new UnsupportedError('qemu-img finds the files of an image by the names that they get later', {
				path: output,
				hint: '--verify full, or a subformat of one file',
			});
		},
		async verify(partials) {
			await verifyWritten({ ...options, partials, level, formats, format: format(), size, leaves });
			if (!verifyWith || 'peek' in from) return;
			const read = options.inputFormat ?? (await detect(formats, from, signal)).id;
			const written = (partials[0] as Unnamed).name;
			await judgeWithQemu({ name: from.name, format: read }, { name: written, format: format().id }, output, signal);
		},
	};
};

const refuseUnjudgeable = (from: Source | Stream, { snapshot, layer, untrusted }: ConvertFileOptions): void => {
	if ('peek' in from) throw new UsageError('qemu-img reads no pipe', { hint: '--spool DIR, or no --verify-with' });
	if (snapshot !== undefined || layer) {
		throw new UsageError('qemu-img compares what a machine would see, and not a snapshot or a layer', { hint: 'no --verify-with' });
	}
	if (untrusted) throw new UsageError('qemu-img would read an image that is not trusted', { hint: 'no --verify-with' });
};

const proofOf = async (leaves: Leaves, made: Date, source: string, target: { readonly name: string; readonly format: string }) =>
	new TextEncoder().encode(
		printProof({
			tool: `vconv ${VERSION}`,
			created: made.toISOString(),
			source,
			target,
			virtualSize: leaves.size,
			root: await treeRoot(leaves, sha256),
			leaves,
		}),
	);
