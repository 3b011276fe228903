import type { BootClass, DiskDevice, Firmware } from '../spec.ts';
import type { Migration } from './to-vmx-context.ts';

/** What VMware's BIOS does where nothing is said. */
const USUAL: readonly BootClass[] = ['hdd', 'cdrom', 'net'];

/** The hard disk that is tried first: by its own place in the order, or the first there is. */
export const bootsFirst = (disks: readonly DiskDevice[]): DiskDevice | undefined =>
	inBootOrder(disks.filter(({ kind }) => kind === 'disk'))[0];

/** Those with a place in the order first. */
const inBootOrder = (disks: readonly DiskDevice[]): DiskDevice[] =>
	disks.toSorted((a, b) => (a.bootOrder ?? Number.POSITIVE_INFINITY) - (b.bootOrder ?? Number.POSITIVE_INFINITY));

/**
 * What is tried in which order. VMware has kinds of devices in an order, and hard disks in one; EFI keeps it in a file of its own.
 * @param planned the same drives as VMware has them, in the same order.
 */
export const planBoot = (planned: readonly DiskDevice[], isEfi: boolean, m: Migration): Pick<Firmware, 'bootOrder' | 'bootDisks'> => {
	const { spec } = m;
	const sources = spec.disks.filter((disk) => planned.some(({ keys }) => keys === disk.keys));
	const order = [
		...sources.map(({ kind, bootOrder, keys }) => [bootOrder, classOf(kind), `${keys[0]}/boot`] as const),
		...spec.nics.map(({ bootOrder, index }) => [bootOrder, 'net' as const, nicField(index, spec.nics.length)] as const),
	]
		.filter(([place]) => place !== undefined)
		.sort(([a = 0], [b = 0]) => a - b);
	const keys = order.length > 0 ? order.map(([, , key]) => key) : ['os/boot'];
	const classes = order.length > 0 ? [...new Set(order.map(([, kind]) => kind))] : (spec.firmware.bootOrder ?? []);
	if (classes.length === 0) return {};
	const hardDisks = sources.filter(({ kind }) => kind === 'disk');
	const ids = new Map(planned.map((disk) => [disk.keys, disk.id]));
	const bootDisks = inBootOrder(hardDisks).map((disk) => ids.get(disk.keys) ?? disk.id);
	const said = order.length > 0 ? order.map(([place, kind]) => `${place} ${kind}`).join(', ') : classes.join(', ');
	if (isEfi) {
		const message = `EFI keeps the boot order (${said}) in a file of its own, which starts empty`;
		m.tell('BOOT_ORDER_EFI', 'firmware', message, { keys });
		return { bootOrder: m.origin?.firmware.bootOrder, bootDisks: m.origin?.firmware.bootDisks };
	}
	const there = new Set([...spec.disks.map(({ kind }) => classOf(kind)), ...(spec.nics.length > 0 ? ['net' as const] : [])]);
	const usual = USUAL.filter((kind) => there.has(kind));
	const isUsual = classes.filter((kind) => there.has(kind)).every((kind, index) => kind === usual[index]);
	const mixed = order.some(
		([, kind], index) => kind !== order[index - 1]?.[1] && order.slice(0, index).some(([, other]) => other === kind),
	);
	if (mixed) {
		m.tell('BOOT_OPTION_LOST', 'firmware', `VMware boots from one kind of devices after the other, and not in this order: ${said}`, {
			keys,
		});
	}
	const inPlace = bootDisks.every((id, index) => id === (ids.get(hardDisks[index]?.keys ?? []) ?? ''));
	return { bootOrder: isUsual ? undefined : classes, bootDisks: inPlace ? undefined : bootDisks };
};

const nicField = (index: number, count: number): string => `devices/interface${count === 1 ? '' : `[${index + 1}]`}/boot`;

const classOf = (kind: string): BootClass => (kind === 'cdrom' || kind === 'floppy' ? kind : 'hdd');
