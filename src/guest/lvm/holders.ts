import { type LvmSection, listAt, sectionAt, textAt } from './text.ts';

/** Where a segment says what it is made of: physical volumes, or the legs of a mirror. */
const LISTS = ['stripes', 'raids', 'mirrors'];

/**
 * The ids of the physical volumes that hold the data of a logical volume: its own and those of its legs.
 * @returns a function of the volume's name in the group.
 */
export const holders = (group: LvmSection): ((name: string) => readonly string[]) => {
	const physical = sectionAt(group, 'physical_volumes');
	const logical = sectionAt(group, 'logical_volumes');
	const known = new Map<string, ReadonlySet<string>>();
	/** What the segments of a volume name. */
	const partsOf = (name: string): ReadonlySet<string> => {
		const before = known.get(name);
		if (before) return before;
		const volume = logical && sectionAt(logical, name);
		const segments = Object.keys(volume ?? {}).flatMap((key) => {
			const segment = volume && /^segment\d+$/.test(key) ? sectionAt(volume, key) : undefined;
			return segment ? [segment] : [];
		});
		const parts = segments.flatMap((segment) => LISTS.flatMap((list) => listAt(segment, list)));
		const found = new Set(parts.filter((part) => typeof part === 'string'));
		known.set(name, found);
		return found;
	};
	const idOf = (part: string): string | undefined => {
		const section = physical && sectionAt(physical, part);
		return section && textAt(section, 'id');
	};
	return (name) => {
		const parts = [...partsOf(name)].flatMap((part) => (idOf(part) === undefined ? [...partsOf(part)] : [part]));
		return [...new Set(parts.flatMap((part) => idOf(part) ?? []))];
	};
};
