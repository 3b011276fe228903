import type { Placement } from '../core/journal.ts';

/** The number that stands for each kind. */
const KINDS = ['zero', 'absent', 'blank', 'plain', 'packed'] as const;

/** Kinds of which two runs that adjoin are one: the layout hears of their blocks one by one, or not at all. */
const JOINING: ReadonlySet<Placement['kind']> = new Set(['absent', 'blank', 'plain']);

/** Put a placement behind others, as a part of the last one if that comes to the same. */
export const pushJoined = (placements: Placement[], next: Placement): void => {
	const last = placements.at(-1);
	if (last?.kind !== next.kind || !JOINING.has(next.kind) || last.offset + last.length !== next.offset) {
		placements.push(next);
		return;
	}
	placements[placements.length - 1] = { ...last, length: last.length + next.length };
};

/**
 * Placements that adjoin, as bytes: the guest offset of the first, then of each its kind and length, and what its blocks take if they are
 * packed. Numbers take 7 bits a byte, the low ones first.
 */
export const encodeTrail = (placements: readonly Placement[]): Uint8Array => {
	let bytes = new Uint8Array(256);
	let at = 0;
	const put = (value: number): void => {
		if (at + 8 > bytes.length) {
			const more = new Uint8Array(2 * bytes.length);
			more.set(bytes);
			bytes = more;
		}
		for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes[at++] = (value % 0x80) | 0x80;
		bytes[at++] = value;
	};
	put(placements[0]?.offset ?? 0);
	for (const placement of placements) {
		put(KINDS.indexOf(placement.kind));
		put(placement.length);
		if (placement.kind !== 'packed') continue;
		put(placement.stored.length);
		// The sign is the lowest bit.
		for (const takes of placement.stored) put(takes < 0 ? -2 * takes - 1 : 2 * takes);
	}
	return bytes.subarray(0, at);
};

/** The placements again. @throws RangeError for bytes that are none. */
export const decodeTrail = (bytes: Uint8Array): Placement[] => {
	let at = 0;
	const take = (): number => {
		let value = 0;
		for (let scale = 1; ; scale *= 0x80) {
			const byte = bytes[at++];
			if (byte === undefined || scale > Number.MAX_SAFE_INTEGER) throw new RangeError('the trail is cut short');
			value += (byte % 0x80) * scale;
			if (byte < 0x80) return value;
		}
	};
	const placements: Placement[] = [];
	let offset = take();
	while (at < bytes.length) {
		const kind = KINDS[take()];
		const length = take();
		if (kind === undefined) throw new RangeError('the trail has a kind that there is not');
		if (kind === 'packed') {
			const count = take();
			// Each takes a byte or more.
			if (count > bytes.length - at) throw new RangeError('the trail is cut short');
			const stored = Array.from({ length: count }, () => {
				const takes = take();
				return takes % 2 === 0 ? takes / 2 : -(takes + 1) / 2;
			});
			placements.push({ kind, offset, length, stored });
		} else placements.push({ kind, offset, length });
		offset += length;
	}
	return placements;
};
