import type { DiskBus, DriverFact } from '../../guest/facts.ts';
import type { Attachment } from '../../machine/migrate/storage-policy.ts';
import type { Facts } from '../facts.ts';
import { plannedForKvm } from '../planned.ts';
import type { Target } from '../targets.ts';
import { wantsEfi } from './describe.ts';

/** A bus, and what the guest has for it when it starts; undefined where that is not known. */
export type BusFact = readonly [bus: Attachment | DiskBus, fact: DriverFact | undefined];

export const VIRTIO: readonly DiskBus[] = ['virtio-blk', 'virtio-scsi'];

/**
 * The buses that the system disk can come to, the best first: the one that vconv's own planner takes, where it plans the move, and
 * otherwise any that the firmware of the target starts from and the user did not rule out.
 */
export const bootBuses = (facts: Facts, target: Target): readonly BusFact[] => {
	const planned = target.id === 'libvirt' ? plannedForKvm(facts)?.attachment : undefined;
	const buses = planned ? [planned] : target.buses.filter((bus) => !(wantsEfi(facts) && target.notByEfi?.includes(bus)));
	const virtio = asksVirtio(facts, target) ? buses.filter((bus) => VIRTIO.some((one) => one === bus)) : [];
	return factsOf(facts, virtio.length > 0 ? virtio : buses);
};

/** The same for any buses. */
export const factsOf = ({ guest }: Facts, buses: readonly BusFact[0][]): readonly BusFact[] =>
	// The guest is not asked for a driver for the 53C895A.
	buses.map((bus) => [bus, bus === 'lsi53c895a' ? undefined : guest?.drivers?.disk[bus]]);

/** Whether the user wants virtio, and the target has it. */
export const asksVirtio = ({ choices }: Facts, { buses }: Target): boolean =>
	choices?.devices === 'virtio' && buses.some((bus) => VIRTIO.includes(bus));
