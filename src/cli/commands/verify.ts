import type { Options } from 'yargs';
import { hexDigits } from '../../bytes/hex.ts';
import { hex, humanSize } from '../../bytes/size.ts';
import { CorruptError, MismatchError } from '../../errors.ts';
import { openFile } from '../../node/file.ts';
import { MOST_BYTES, type Proof, parseProof } from '../../proof/file.ts';
import { type Mismatch, verifyDisk } from '../../proof/verify.ts';
import { command, operands } from '../command.ts';
import { isJson } from '../input.ts';
import { readingOptions, withReading } from '../reading.ts';
import { plain, toJson } from '../render.ts';

const options = { ...readingOptions } as const satisfies Record<string, Options>;

/** The code of `MismatchError`. */
const DIFFERS = 6;

/** `vconv verify`: whether an image is what its proof says. */
export const verify = command({
	command: 'vconv verify',
	operands: 'IMAGE PROOF',
	about: `Whether a guest sees of IMAGE what PROOF says, which vconv convert --proof has written. IMAGE may be in any format by now. Exits 0 if so, 6
if not, with the first bytes of the guest that differ.`,
	options,
	examples: [['vconv verify web.qcow2 web.qcow2.vconv.json', 'after it was copied to another machine']],
	async run(args, io) {
		const [name, proofName] = operands(args, 'IMAGE', 'PROOF');
		const proof = await readProof(proofName);
		const mismatch = await withReading(name, args, io, (disk, hashing) => verifyDisk(disk, proof, proofName, hashing));
		if (isJson(args)) {
			const root = hexDigits(proof.root);
			io.stdout.write(
				`${toJson({ filename: name, proof: proofName, verified: !mismatch, root, mismatch: mismatch && fieldsOf(mismatch) }, 4)}\n`,
			);
			return mismatch ? DIFFERS : 0;
		}
		if (mismatch)
			throw new MismatchError(`it is not what ${proofName} says: ${wordsOf(mismatch)}`, {
				path: name,
				hint: 'the original, or a fresh copy',
			});
		if (!args.quiet) {
			io.stdout.write(`${plain(name)} is what ${plain(proofName)} says: ${humanSize(proof.virtualSize)}, root ${hexDigits(proof.root)}\n`);
		}
		return 0;
	},
});

/** @throws AccessError, CorruptError for what is no proof. */
const readProof = async (name: string): Promise<Proof> => {
	const source = await openFile(name);
	try {
		if (source.size > MOST_BYTES) throw new CorruptError(`it is no proof: it is longer than ${MOST_BYTES} bytes`, { path: name });
		return parseProof(await source.read(0, source.size), name);
	} finally {
		await source.close();
	}
};

const fieldsOf = (mismatch: Mismatch) =>
	mismatch.kind === 'size' ? mismatch : { kind: mismatch.kind, 'guest-offset': mismatch.guestOffset, length: mismatch.length };

const wordsOf = (mismatch: Mismatch): string =>
	mismatch.kind === 'size'
		? `its disk has ${mismatch.size} bytes, and that one ${mismatch.expected}`
		: `it differs in the ${mismatch.length} bytes from guest offset ${hex(mismatch.guestOffset)}, and perhaps behind them`;
