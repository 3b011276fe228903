import type { Memory } from '../spec.ts';
import type { Migration } from './to-vmx-context.ts';

const MIB = 1 << 20;

export const planMemory = (m: Migration): Memory => {
	const { size = 0, current = size, reservation, hotAdd, locked } = m.spec.memory;
	const rounded = Math.ceil(size / (4 * MIB)) * 4 * MIB;
	if (rounded !== size) {
		m.tell('MEMORY_ROUNDED', 'memory', `the memory is rounded up from ${size} bytes to ${rounded / MIB} MiB`, { keys: ['memory'] });
	}
	if (current < size) {
		const message = `the guest has all of its memory at first, and not ${current / MIB} MiB of it`;
		m.tell('BALLOON_TARGET_DROPPED', 'memory', message, { keys: ['currentMemory'], action: 'dropped' });
	}
	if (hotAdd) m.tell('MEM_HOTADD_LOST', 'memory', 'memory can be added, and VMware decides how much', { keys: ['maxMemory'] });
	return {
		size: rounded,
		limit: fittingLimit(rounded, m),
		reservation: locked ? rounded : reservation || fittingReservation('sched.mem.minsize', m.origin?.memory.reservation, rounded, m),
		hotAdd,
		locked,
	};
};

/**
 * What was reserved in the VMX that the machine came from, as the memory is now: all where it was all or is pinned, and no more than
 * there is, or VMware does not start it.
 */
export const fittingReservation = (key: string, reserved: number | undefined, size: number, m: Migration): number | undefined => {
	const { size: had = size, locked } = m.origin?.memory ?? {};
	if (reserved === undefined || reserved <= 0 || size === had) return reserved;
	const fitting = locked || reserved >= had ? size : Math.min(reserved, size);
	if (fitting !== reserved) {
		const message = `${key} is ${fitting / MIB} instead of ${reserved / MIB}, for the memory is ${size / MIB} MiB and was ${had / MIB}`;
		m.tell('MEM_RESERVATION_LOST', 'memory', message, { keys: ['memory'] });
	}
	return fitting;
};

/** A limit that left the machine all of its memory still does. */
const fittingLimit = (size: number, m: Migration): Memory['limit'] => {
	const { size: had = size, limit } = m.origin?.memory ?? {};
	if (typeof limit !== 'number' || limit < had || limit >= size) return limit;
	const message = `sched.mem.max is ${size / MIB} instead of ${limit / MIB}, for the memory is more than it was`;
	m.tell('MEM_LIMIT_LOST', 'memory', message, { keys: ['memory'] });
	return size;
};
