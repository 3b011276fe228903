import type { XmlElement } from '../../src/bytes/xml.ts';
import type { Controller } from '../../src/machine/spec.ts';
import { element } from './build.ts';

export const QEMU_NAMESPACE = 'http://libvirt.org/schemas/domain/qemu/1.0';

/** A port of PCI Express that the guest sees in a slot of a given number. */
export const isSlot = ({ bus, pciSlotNumber }: Controller): boolean => bus === 'pci' && pciSlotNumber !== undefined;

/** What the port is called where its number is said. */
export const slotAlias = ({ pciSlotNumber }: Controller): string => `ua-slot${pciSlotNumber}`;

/**
 * libvirt has no word for a slot's number, so that QEMU is told itself, from libvirt 8.2 on. A guest goes by these numbers only where
 * ACPI does not number the slots behind bridges.
 */
export const writeSlots = (slots: readonly Controller[]): XmlElement[] => [
	element(
		'qemu:commandline',
		{},
		element('qemu:arg', { value: '-global' }),
		element('qemu:arg', { value: 'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off' }),
	),
	element(
		'qemu:override',
		{},
		...slots.map((slot) =>
			element(
				'qemu:device',
				{ alias: slotAlias(slot) },
				element('qemu:frontend', {}, element('qemu:property', { name: 'slot', type: 'unsigned', value: slot.pciSlotNumber })),
			),
		),
	),
];
