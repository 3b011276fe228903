import { createHash } from 'node:crypto';

/** The SHA-256 of node:crypto, 1.7 GB/s and more. */
export const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
