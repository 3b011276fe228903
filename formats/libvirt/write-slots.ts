import type { XmlElement } from '../../src/bytes/xml.ts';
import type { Controller } from '../../src/machine/spec.ts';
import { element } from './build.ts';

export const QEMU_NAMESPACE = 'http://libvirt.org/schemas/domain/qemu/1.0';

/** A port of PCI Express that the guest sees in a slot of a given number. */
export const isSlot = ({ bus, pciSlotNumber }: Controller): boolean => bus === 'pci' && pciSlotNumber !== undefined;

/** What the port is called where its number is said. */
export const slotAlias = ({ pciSlotNumber }: Controller): string => `ua-slot${pciSlotNumber}`;

/** ACPI numbers no slots behind bridges, so that their own numbers count. */
export const OWN_NUMBERS = ['-global', 'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off'] as const;

/**
 * libvirt has no word for a slot's number, so that QEMU is told itself, from libvirt 8.2 on.
 */
export const writeSlots = (slots: readonly Controller[]): XmlElement[] => [
	element('qemu:commandline', {}, ...OWN_NUMBERS.map((value) => element('qemu:arg', { value }))),
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
