import { createHash } from 'node:crypto';

const MiB = 1 << 20;

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
	const hash = createHash('sha256');
	for (const part of parts) hash.update(part);
	return hash.digest();
};

/** The root of `vconv-tree-sha256-1m` over the bytes of a disk, in hexadecimal: written down from its description, and slow. */
export const slowRoot = (disk: Uint8Array): string => {
	const leaves: Buffer[] = [];
	for (let at = 0; at < disk.length; at += MiB) leaves.push(sha256(Uint8Array.of(0), disk.subarray(at, at + MiB)));
	return slowNodes(leaves).toString('hex');
};

/** The root over leaves. */
export const slowNodes = (leaves: readonly Buffer[]): Buffer => {
	if (leaves.length <= 1) return leaves[0] ?? sha256();
	const above: Buffer[] = [];
	for (let i = 0; i < leaves.length; i += 2) {
		const [left, right] = [leaves[i] as Buffer, leaves[i + 1]];
		above.push(right ? sha256(Uint8Array.of(1), left, right) : left);
	}
	return slowNodes(above);
};
