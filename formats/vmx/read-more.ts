import type { BootClass, BootStep, Chipset, Cpu, Firmware, Guest, Memory, Sound, Usb, VmSpec } from '../../src/machine/spec.ts';
import type { Cursor } from './cursor.ts';

/**
 * What a VMX says beyond what libvirt's own translation knows.
 * @param c a cursor that leaves what it reads to the rest.
 */
export const readMoreCpu = (c: Cursor): Cpu => ({
	hotAdd: c.boolean('vcpu.hotadd'),
	nested: c.boolean('vhv.enable'),
});

export const readMoreMemory = (c: Cursor): Memory => ({ hotAdd: c.boolean('mem.hotadd'), locked: c.boolean('sched.mem.pin') });

/** The kinds of devices by the names that products have for them. */
const CLASSES: ReadonlyMap<string, BootClass> = new Map([
	['hdd', 'hdd'],
	['hd', 'hdd'],
	['cdrom', 'cdrom'],
	['cd', 'cdrom'],
	['floppy', 'floppy'],
	['fd', 'floppy'],
	['net', 'net'],
	['ethernet', 'net'],
]);

/** `ethernet1` is that card and no other. */
const stepOf = (word: string): BootStep | undefined => {
	const card = /^ethernet(\d{1,4})$/.exec(word)?.[1];
	return card === undefined ? CLASSES.get(word.replace(/\d+$/, '')) : `ethernet${Number(card)}`;
};

export const readMoreFirmware = (c: Cursor): Firmware => {
	const list = (key: string): string[] | undefined =>
		c
			.text(key)
			?.toLowerCase()
			.split(',')
			.map((word) => word.trim())
			.filter(Boolean);
	const delay = c.integer('bios.bootDelay');
	// In seconds, where the API that sets it has milliseconds.
	const retry = c.boolean('bios.bootRetry.enabled') ? (c.integer('bios.bootRetry.delay') ?? 10) * 1000 : undefined;
	const order = list('bios.bootOrder')?.flatMap((word) => stepOf(word) ?? []);
	return {
		bootOrder: order && order.length > 0 ? [...new Set(order)] : undefined,
		bootDisks: list('bios.hddOrder'),
		bootDelay: delay !== undefined && delay > 0 ? delay : undefined,
		bootRetry: retry,
	};
};

/** What Tools in the guest reported: `field='value'` pairs with blanks between them. */
export const readReported = (c: Cursor): Guest['reported'] => {
	const said = c.text('guestInfo.detailed.data') ?? c.text('guestOS.detailed.data');
	if (said === undefined) return undefined;
	return new Map([...said.matchAll(/(\w+)='([^']*)'/g)].map(([, field = '', value = '']) => [field, value]));
};

/** VMware's usual ports: one PCI bridge, and four of PCI Express with eight functions each. */
export const readChipset = (c: Cursor): Chipset => {
	const isUsual = (index: number): boolean =>
		c.boolean(`pciBridge${index}.present`) === true &&
		c.text(`pciBridge${index}.virtualDev`)?.toLowerCase() === 'pcierootport' &&
		c.integer(`pciBridge${index}.functions`) === 8;
	const others = c.indices('pcibridge').some((index) => index !== 0 && (index < 4 || index > 7));
	// Their own slots are 17, and 21 to 24.
	const moved = [0, 4, 5, 6, 7].some((index) => {
		const slot = c.integer(`pciBridge${index}.pciSlotNumber`);
		return slot !== undefined && slot >= 0 && slot !== 17 + index;
	});
	const usual = c.boolean('pciBridge0.present') === true && [4, 5, 6, 7].every(isUsual) && !others;
	const acpi = c.text('chipset.motherboardLayout')?.toLowerCase() === 'acpi';
	return { pciBridges: usual && !acpi && !moved };
};

export const readClock = (c: Cursor): Pick<VmSpec, 'clockOffset' | 'clockStart'> => {
	const start = c.integer('rtc.startTime');
	return { clockOffset: c.integer('rtc.diffFromUTC'), clockStart: start !== undefined && start > 0 ? start : undefined };
};

export const readSounds = (c: Cursor): readonly Sound[] | undefined =>
	c.boolean('sound.present') ? [{ model: c.text('sound.virtualDev')?.toLowerCase() }] : undefined;

export const readUsb = (c: Cursor): Usb | undefined => {
	const usb = { uhci: c.boolean('usb.present'), ehci: c.boolean('ehci.present'), xhci: c.boolean('usb_xhci.present') };
	return usb.uhci || usb.ehci || usb.xhci ? usb : undefined;
};
