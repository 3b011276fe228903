/** What the registry's logs are hashed with, in two halves. */
const REGISTRY_SEED = { high: 0x82ef4d88, low: 0x7a4e55c5 };

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/** Marvin32 (US patent 8,555,082): a hash against accidents, of 64 bits as 16 hexadecimal digits. */
export const marvin32 = (data: Uint8Array, seed: { readonly high: number; readonly low: number } = REGISTRY_SEED): string => {
	const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
	let low = seed.low | 0;
	let high = seed.high | 0;
	const mix = (word: number): void => {
		low = (low + word) | 0;
		high ^= low;
		low = (rotate(low, 20) + high) | 0;
		high = rotate(high, 9) ^ low;
		low = (rotate(low, 27) + high) | 0;
		high = rotate(high, 19);
	};
	const whole = data.length & ~3;
	for (let at = 0; at < whole; at += 4) mix(view.getUint32(at, true));
	let last = 0x80; // the end of the data, in front of it what is left over
	for (let at = data.length - 1; at >= whole; at--) last = (last << 8) | view.getUint8(at);
	mix(last);
	mix(0);
	return [high, low].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
};
