import type { Controller, Nic } from '../spec.ts';
import type { Context } from './context.ts';

/** The network cards of the new machine, and the controllers that are there for them alone. */
export type PlannedNetwork = { readonly nics: Nic[]; readonly controllers: Controller[] };

/**
 * The number in the name that systemd in the guest gives a card, `ens192`, by the slot that VMware says: undefined where that is on no
 * usual bridge. Hardware specification, appendix A.
 *
 * Behind the bridges 1 (pciBridge0) and 5 to 8 (pciBridge4 to 7), the number of the slot and that of its function.
 */
const physicalSlot = (slotNumber: number | undefined, usualBridges: boolean): number | undefined => {
	if (slotNumber === undefined || slotNumber < 32 || slotNumber > 0x1fff || !usualBridges) return undefined;
	const bridge = (slotNumber >> 5) & 31;
	if (bridge !== 1 && (bridge < 5 || bridge > 8)) return undefined;
	return (slotNumber & 1023) + ((slotNumber >> 10) & 7);
};

/**
 * The cards, and where the guest is a Linux with such names, ports of PCI Express that have the slots of VMware's: the guest then
 * calls its cards what it did. Guest inspection, section 7.1.
 */
export const planNames = (machine: string, nics: readonly Nic[], c: Context): PlannedNetwork => {
	const usual = c.source.chipset.pciBridges ?? false;
	const slots = c.source.nics.map(({ pciSlotNumber }) => physicalSlot(pciSlotNumber, usual));
	const named = slots.filter((slot) => slot !== undefined);
	if (c.guest.profile !== 'linux-modern' || nics.length === 0) {
		const keys = c.source.nics
			.filter(({ pciSlotNumber }) => pciSlotNumber !== undefined)
			.map(({ index }) => `ethernet${index}.pciSlotNumber`);
		if (keys.length > 0) c.tell('ADDRESS_DROPPED', 'network', 'network cards are in other PCI slots', { keys });
		return { nics: [...nics], controllers: [] };
	}
	const list = nics
		.map(({ mac }, index) => `${mac.address ?? 'no address'} was ${slots[index] === undefined ? 'not known' : `ens${slots[index]}`}`)
		.join(', ');
	const keys = c.source.nics.map(({ index }) => `ethernet${index}.pciSlotNumber`);
	const distinct = new Set(named).size === named.length;
	if (machine !== 'q35' || named.length === 0 || !distinct || c.options.nicNames === false) {
		c.tell('NIC_NAME_CHANGES', 'network', `the guest may call its network cards something else: ${list}`, { keys });
		return { nics: [...nics], controllers: [] };
	}
	const controllers: Controller[] = [];
	const placed = nics.map((nic, position): Nic => {
		const slot = slots[position];
		if (slot === undefined) return nic;
		const index = controllers.length + 1;
		controllers.push({ bus: 'pci', index, model: 'pcie-root-port', pciSlotNumber: slot, keys: [] });
		return { ...nic, pci: { domain: 0, bus: index, slot: 0, fn: 0 } };
	});
	c.tell('NIC_NAME_KEPT', 'network', `network cards are in slots of the same number, so that the guest keeps their names: ${list}`, {
		keys,
	});
	if (named.length < nics.length)
		c.tell('NIC_NAME_CHANGES', 'network', 'the slots of other cards are not known, and their names may change');
	return { nics: placed, controllers };
};
