import { type BootHardware, bootHardware } from '../machine/migrate/boot-hardware.ts';
import { guestFacts, inspectedOnce } from '../machine/migrate/guest-facts.ts';
import type { Facts } from './facts.ts';

/** What vconv's own planner chooses for the move to libvirt; undefined for what it makes no domain of. */
export const plannedForKvm = ({ machine, guest, disks, choices: { inspect, ...options } = {} }: Facts): BootHardware | undefined => {
	if (machine?.format !== 'vmx') return undefined;
	const inspected = inspectedOnce(disks, ({ path }) => path).flatMap(({ image, device }) => (image && device ? [device.id] : []));
	return bootHardware(machine, {
		...options,
		// The planner refuses virtio for a Windows without it; here it is a concern.
		assumeVirtio: options.devices === 'virtio' || options.assumeVirtio,
		guest: guest && inspect !== false ? guestFacts(guest, inspected) : undefined,
	});
};
