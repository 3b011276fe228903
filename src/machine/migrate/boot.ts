import type { BootClass, BootStep, DiskDevice } from '../spec.ts';
import type { Context } from './context.ts';

/** The order of buses where nothing else decides. */
const BUSES = ['scsi', 'sata', 'nvme', 'ide', 'fdc'];

/** The drives bus by bus, and on each by controller and unit. */
export const inBusOrder = (disks: readonly DiskDevice[]): DiskDevice[] =>
	disks.toSorted((a, b) => BUSES.indexOf(a.bus) - BUSES.indexOf(b.bus) || a.controller - b.controller || a.unit - b.unit);

/** The hard disks in the order in which they are tried. Hardware specification, section 7.5.5. */
export const bootDisks = (c: Context): DiskDevice[] => {
	const hard = inBusOrder(c.source.disks).filter(({ kind }) => kind === 'disk');
	const listed = c.source.firmware.bootDisks ?? [];
	c.honour('bios.hddOrder', 'bios.bootOrder');
	const found = c.options.guest?.bootDisk;
	const missing = listed.filter((id) => !hard.some((disk) => disk.id.toLowerCase() === id));
	if (missing.length > 0) {
		c.tell('BOOT_OPTION_LOST', 'boot', `bios.hddOrder names ${missing.join(', ')}, which is not there`, {
			keys: ['bios.hddOrder'],
			severity: 'warning',
		});
	}
	const first = [...(found ? [found] : []), ...listed];
	const place = ({ id }: DiskDevice): number => {
		const at = first.indexOf(id.toLowerCase());
		return at < 0 ? first.length : at;
	};
	const ordered = hard.toSorted((a, b) => place(a) - place(b));
	const [boot] = ordered;
	if (boot && place(boot) === first.length && new Set(hard.map(({ bus }) => bus)).size > 1) {
		const message = `nothing says which disk it starts from: ${boot.id} is taken`;
		c.tell('BOOT_ORDER_GUESSED', 'boot', message, { action: 'defaulted' });
	}
	return ordered;
};

const USUAL: readonly BootStep[] = ['hdd', 'cdrom', 'net'];

/**
 * The places at boot of drives and cards, by id. Every hard disk has one: SeaBIOS looks at no other.
 * @param optical ids of the optical drives, `floppies` of the floppy drives, `cards` of the network cards.
 */
export const bootPlaces = (
	disks: readonly DiskDevice[],
	others: { readonly cdrom: readonly string[]; readonly floppy: readonly string[]; readonly net: readonly string[] },
	c: Context,
): ReadonlyMap<string, number> => {
	const order = allowedSteps(c.source.firmware.bootOrder ?? USUAL, c);
	const ids = new Map<string, readonly string[]>([
		['hdd', disks.map(({ id }) => id)],
		...Object.entries(others),
		...others.net.map((card) => [card, [card]] as const),
	]);
	const missing = order.filter((step) => !ids.has(step));
	if (missing.length > 0) {
		c.tell('BOOT_OPTION_LOST', 'boot', `bios.bootOrder names ${missing.join(', ')}, which is not there`, {
			keys: ['bios.bootOrder'],
			severity: 'warning',
		});
	}
	const all = new Set([...order, 'hdd'].flatMap((step) => ids.get(step) ?? []));
	return new Map([...all].map((id, index) => [id, index + 1]));
};

const KEY = 'bios.bootDeviceClasses';

/** The words of that key, as far as a machine has such devices. */
const CLASSES: Readonly<Record<string, BootClass>> = { hd: 'hdd', cd: 'cdrom', fd: 'floppy', net: 'net' };

/** The steps that the kinds of devices leave which a VMX allows or denies; what is allowed and has no place comes after the others. */
const allowedSteps = (order: readonly BootStep[], c: Context): readonly BootStep[] => {
	const said = c.extra(KEY)?.value.trim().toLowerCase() ?? '';
	const warn = (message: string): void => c.tell('BOOT_OPTION_LOST', 'boot', message, { keys: [KEY], severity: 'warning' });
	if (said === '' || said === 'any') return order;
	const [, word, list = ''] = /^(allow|deny)\s*:([a-z,\s-]*)$/.exec(said) ?? [];
	if (word === undefined) {
		warn(`${KEY} is '${said}', which is not understood: every kind of device is tried`);
		return order;
	}
	const named = new Set(list.split(',').flatMap((one) => CLASSES[one.trim()] ?? []));
	const isAllowed = (step: BootStep): boolean => named.has(classOf(step)) === (word === 'allow');
	c.honour(KEY);
	if (!isAllowed('hdd')) warn(`${KEY} is '${said}': the hard disks are tried last all the same, for the firmware sees no others`);
	const unplaced = [...named].filter((kind) => !order.some((step) => classOf(step) === kind));
	return [...order, ...unplaced].filter(isAllowed);
};

const classOf = (step: BootStep): BootClass => (step.startsWith('ethernet') ? 'net' : (step as BootClass));
