/** Ranges of host bytes that are in use. Those that are named one behind the other are one. */
export type Ranges = {
	/** False if it is one more than are remembered; what is asked below is of the others then. */
	add(start: number, end: number): boolean;
	/** What was added more than once, ascending. */
	overlaps(): Iterable<Range>;
	/** What was never added, up to `end`. */
	gaps(end: number): Iterable<Range>;
};

type Range = { readonly start: number; readonly end: number };

/** Some 50 MB of memory. */
const MOST = 2 ** 20;

export const ranges = (): Ranges => {
	const all: { start: number; end: number }[] = [];
	const sorted = () => all.toSorted((a, b) => a.start - b.start);
	return {
		add(start, end) {
			const last = all.at(-1);
			if (last?.end === start) last.end = end;
			else if (all.length < MOST) all.push({ start, end });
			else return false;
			return true;
		},
		*overlaps() {
			let taken = 0;
			for (const { start, end } of sorted()) {
				if (start < taken) yield { start, end: Math.min(taken, end) };
				taken = Math.max(taken, end);
			}
		},
		*gaps(last) {
			let taken = 0;
			for (const { start, end } of sorted()) {
				if (start > taken) yield { start: taken, end: start };
				taken = Math.max(taken, end);
			}
			if (last > taken) yield { start: taken, end: last };
		},
	};
};
