import type { Sink } from '../../src/core/sink.ts';

const BATCH = 1 << 20;

/** Clusters that follow one another in the file, written many at a time. */
export type Appender = {
	/** The host offset of the next one. */
	readonly position: number;
	/** The bytes are copied: they may be changed afterwards. */
	append(bytes: Uint8Array): Promise<void>;
	flush(): Promise<void>;
};

/** Nothing longer than a MiB or a cluster can be appended. */
export const appender = (sink: Sink, hostOffset: number, clusterSize: number): Appender => {
	const batch = new Uint8Array(Math.max(BATCH, clusterSize));
	let flushed = hostOffset;
	let filled = 0;
	const flush = async (): Promise<void> => {
		if (filled > 0) await sink.write(flushed, batch.subarray(0, filled));
		flushed += filled;
		filled = 0;
	};
	return {
		get position() {
			return flushed + filled;
		},
		async append(bytes) {
			if (filled + bytes.length > batch.length) await flush();
			batch.set(bytes, filled);
			filled += bytes.length;
		},
		flush,
	};
};
