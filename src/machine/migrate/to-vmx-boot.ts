import type { BootStep, DiskDevice, Firmware, Nic } from '../spec.ts';
import type { Migration } from './to-vmx-context.ts';

/** What VMware's BIOS does where nothing is said. */
const USUAL: readonly BootStep[] = ['hdd', 'cdrom', 'net'];

/** The hard disk that is tried first: by its own place in the order, or the first there is. */
export const bootsFirst = (disks: readonly DiskDevice[]): DiskDevice | undefined =>
	inBootOrder(disks.filter(({ kind }) => kind === 'disk'))[0];

/** Those with a place in the order first. */
const inBootOrder = (disks: readonly DiskDevice[]): DiskDevice[] =>
	disks.toSorted((a, b) => (a.bootOrder ?? Number.POSITIVE_INFINITY) - (b.bootOrder ?? Number.POSITIVE_INFINITY));

/**
 * What is tried in which order. VMware has kinds of drives and single cards in an order, and hard disks in one; EFI keeps it in a file
 * of its own.
 * @param planned the same drives as VMware has them, in the same order; `nics` the same cards, without those beyond what VMware has.
 */
export const planBoot = (
	planned: readonly DiskDevice[],
	nics: readonly Nic[],
	isEfi: boolean,
	m: Migration,
): Pick<Firmware, 'bootOrder' | 'bootDisks'> => {
	const { spec } = m;
	const sources = spec.disks.filter((disk) => planned.some(({ keys }) => keys === disk.keys));
	const cards = nics.map(({ index }): BootStep => `ethernet${index}`);
	const order = [
		...sources.map(({ kind, bootOrder, keys }) => [bootOrder, classOf(kind), `${keys[0]}/boot`] as const),
		...cards.map((card, index) => [spec.nics[index]?.bootOrder, card, nicField(index, spec.nics.length)] as const),
	]
		.filter(([place]) => place !== undefined)
		.sort(([a = 0], [b = 0]) => a - b);
	const keys = order.length > 0 ? order.map(([, , key]) => key) : ['os/boot'];
	// libvirt starts from the first card alone where the network is said as a kind.
	const kinds = (spec.firmware.bootOrder ?? []).flatMap((step) => (step === 'net' ? cards.slice(0, 1) : [step]));
	const steps = order.length > 0 ? [...new Set(order.map(([, step]) => step))] : kinds;
	if (steps.length === 0) return {};
	const hardDisks = sources.filter(({ kind }) => kind === 'disk');
	const ids = new Map(planned.map((disk) => [disk.keys, disk.id]));
	const bootDisks = inBootOrder(hardDisks).map((disk) => ids.get(disk.keys) ?? disk.id);
	const said = order.length > 0 ? order.map(([place, step]) => `${place} ${step}`).join(', ') : steps.join(', ');
	if (isEfi) {
		const message = `EFI keeps the boot order (${said}) in a file of its own, which starts empty`;
		m.tell('BOOT_ORDER_EFI', 'firmware', message, { keys });
		return { bootOrder: m.origin?.firmware.bootOrder, bootDisks: m.origin?.firmware.bootDisks };
	}
	const there = new Set<BootStep>(spec.disks.map(({ kind }) => classOf(kind)));
	const named = (some: readonly BootStep[]): BootStep[] =>
		[...new Set(some.flatMap((step) => (step === 'net' ? cards : [step])))].filter((step) => isCard(step) || there.has(step));
	const [tried, usual] = [named(steps), named(USUAL)];
	// Some of the cards are not what it does: it tries them all.
	const isUsual = tried.every((step, index) => step === usual[index]) && (tried.length === usual.length || !tried.some(isCard));
	const was = m.origin?.firmware.bootOrder;
	// All hard disks of a domain that came from a VMX have a place.
	const isWas = was !== undefined && named([...was, 'hdd']).join() === tried.join();
	const mixed = order.some(
		([, step], index) => step !== order[index - 1]?.[1] && order.slice(0, index).some(([, other]) => other === step),
	);
	if (mixed) {
		m.tell('BOOT_OPTION_LOST', 'firmware', `VMware boots from one kind of devices after the other, and not in this order: ${said}`, {
			keys,
		});
	}
	const inPlace = bootDisks.every((id, index) => id === (ids.get(hardDisks[index]?.keys ?? []) ?? ''));
	return { bootOrder: isWas ? was : isUsual ? undefined : steps, bootDisks: inPlace ? undefined : bootDisks };
};

const nicField = (index: number, count: number): string => `devices/interface${count === 1 ? '' : `[${index + 1}]`}/boot`;

const isCard = (step: BootStep): boolean => step.startsWith('ethernet');

const classOf = (kind: string): BootStep => (kind === 'cdrom' || kind === 'floppy' ? kind : 'hdd');
