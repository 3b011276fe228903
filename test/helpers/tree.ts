import { createHash } from 'node:crypto';

const MiB = 1 << 20;

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
	const hash = createHash('sha256');
	for (const part of parts) hash.update(part);
	return hash.digest();
};

/** The root of `vconv-tree-sha256-1m` over the bytes of a disk, in hexadecimal: written down from its description, and slow. */
export const slowRoot = (disk: Uint8Array): string => {
	let level: Buffer[] = [];
	for (let at = 0; at < disk.length; at += MiB) level.push(sha256(Uint8Array.of(0), disk.subarray(at, at + MiB)));
	if (level.length === 0) return sha256().toString('hex');
	while (level.length > 1) {
		const above: Buffer[] = [];
		for (let i = 0; i < level.length; i += 2) {
			const [left, right] = [level[i] as Buffer, level[i + 1]];
			above.push(right ? sha256(Uint8Array.of(1), left, right) : left);
		}
		level = above;
	}
	return (level[0] as Buffer).toString('hex');
};
