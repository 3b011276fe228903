import type { LeafRun } from '../core/proof.ts';
import { HASH } from './leaves.ts';

/** Of a run: the number of its first block, as a double, and how many leaves follow, as 32 bits, the low byte first. */
const HEAD = 12;

/** Runs of leaves as bytes. */
export const encodeLeaves = (runs: readonly LeafRun[]): Uint8Array => {
	const bytes = new Uint8Array(runs.reduce((sum, { hashes }) => sum + HEAD + hashes.length, 0));
	const view = new DataView(bytes.buffer);
	let at = 0;
	for (const { block, hashes } of runs) {
		view.setFloat64(at, block, true);
		view.setUint32(at + 8, hashes.length / HASH, true);
		bytes.set(hashes, at + HEAD);
		at += HEAD + hashes.length;
	}
	return bytes;
};

/** The runs again. @throws RangeError for bytes that are none. */
export function* decodeLeaves(bytes: Uint8Array): Generator<LeafRun> {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	for (let at = 0; at < bytes.length; ) {
		const end = at + HEAD + view.getUint32(at + 8, true) * HASH;
		if (end > bytes.length) throw new RangeError('the leaves are cut short');
		yield { block: view.getFloat64(at, true), hashes: bytes.subarray(at + HEAD, end) };
		at = end;
	}
}
