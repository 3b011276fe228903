import { UnsupportedError } from '../../errors.ts';
import type { Controller, DiskDevice, VmSpec } from '../spec.ts';
import type { DriverState } from './options.ts';
import type { Migration } from './to-vmx-context.ts';
import { adapterOf } from './written.ts';

/** Where a drive goes: `model` is of its SCSI adapter. */
export type Place = {
	readonly bus: 'scsi' | 'sata' | 'nvme' | 'ide' | 'fdc';
	readonly controller: number;
	readonly unit: number;
	readonly model?: string | undefined;
};

type Wish = Pick<Place, 'bus' | 'model'>;

/** As VMX names it. */
export const idOf = ({ bus, controller, unit }: Place): string => (bus === 'fdc' ? `floppy${unit}` : `${bus}${controller}:${unit}`);

/** Units of each controller, and how many controllers there are; a SCSI adapter is its own unit 7. */
const ROOM = {
	scsi: { controllers: 4, units: [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15] },
	sata: { controllers: 4, units: Array.from({ length: 30 }, (_, unit) => unit) },
	nvme: { controllers: 4, units: Array.from({ length: 15 }, (_, unit) => unit) },
	ide: { controllers: 2, units: [0, 1] },
	fdc: { controllers: 1, units: [0, 1] },
} as const;

/** SCSI adapters that a guest of KVM has drivers for if it uses them, by their name in VMware. */
const SAME_ADAPTER = ['pvscsi', 'lsisas1068', 'buslogic'];

/** The place of every drive. @throws UnsupportedError where there are more than VMware has room for. */
export const placeDisks = (disks: readonly DiskDevice[], m: Migration): Place[] => {
	const taken = new Set<string>();
	const models = new Map<number, string>();
	const take = (place: Place): Place => {
		taken.add(idOf(place));
		if (place.bus === 'scsi') models.set(place.controller, place.model ?? '');
		return place;
	};
	const isFree = (place: Place): boolean =>
		!taken.has(idOf(place)) && (place.bus !== 'scsi' || [undefined, place.model ?? ''].includes(models.get(place.controller)));

	const places = new Map<DiskDevice, Place>();
	const settle = (disk: DiskDevice, place: Place | undefined): void => {
		if (place && isFree(place) && !places.has(disk)) places.set(disk, take(place));
	};
	// Those that came from a VMX go back, then those that have an address on the same bus keep it.
	for (const disk of disks) settle(disk, originPlace(disk, m));
	for (const disk of disks) settle(disk, samePlace(disk, wish(disk, m), m));
	for (const disk of disks) {
		const wished = wish(disk, m);
		const found = firstFree(wished, isFree) ?? overflow(wished, m, isFree);
		if (!found) {
			throw new UnsupportedError(`there is no room for the drive ${disk.target ?? disk.id} on any bus of VMware's`, {
				path: m.machine.path,
				field: disk.keys[0] ?? disk.id,
				hint: 'fewer drives',
			});
		}
		settle(disk, found);
	}
	return disks.map((disk) => places.get(disk) as Place);
};

/** Where the drive was in the VMX that the machine came from. */
const originPlace = (disk: DiskDevice, m: Migration): Place | undefined => {
	const was = originDisk(disk, m);
	if (!was || !m.isAsWritten(adapterOf(disk.target ?? disk.id))) return undefined;
	const { controller, unit } = was;
	const bus = was.bus as Place['bus'];
	const model = m.origin?.controllers.find((known) => known.bus === bus && known.index === controller)?.model;
	const place = { bus, controller, unit, ...(bus === 'scsi' && { model }) };
	// A guest that makes its initramfs for the machine that it is on may have lost the driver meanwhile.
	return was.kind === 'disk' && startsElsewhere(place, m) ? undefined : place;
};

/** The drive of the VMX that the machine came from which this one was. */
export const originDisk = ({ target, id }: DiskDevice, { machine, origin }: Migration): DiskDevice | undefined => {
	const from = machine.spec.origin?.devices.find(([, to]) => to === (target ?? id))?.[0];
	return from === undefined ? undefined : origin?.disks.find((disk) => disk.id === from);
};

/** Whether the drives of a controller of that VMX are shared with other machines as they were: it may be by the key of their bus. */
export const isSharedAsBefore = (bus: string, controller: number, m: Migration): boolean =>
	m.spec.disks.every((disk) => {
		const was = originDisk(disk, m);
		return was?.bus !== bus || was.controller !== controller || (was.shareable ?? false) === (disk.shareable ?? false);
	});

/** The bus, and on SCSI the adapter, that a drive shall have. Hardware specification, section 8.3; guest inspection, section 7. */
const wish = (disk: DiskDevice, m: Migration): Wish => {
	const { guest, hardwareVersion, options } = m;
	if (disk.kind === 'floppy' || disk.bus === 'fdc') return { bus: 'fdc' };
	if (disk.kind === 'cdrom') return { bus: hasSata(m) && disk.bus !== 'ide' ? 'sata' : 'ide' };
	const same = sameAdapter(disk, m);
	if (same && !startsElsewhere(same, m)) return same;
	if (options.assumeVmwareDrivers && (guest.family === 'windows' || guest.family === 'linux')) return scsi('pvscsi', hardwareVersion);
	const first = usual(m);
	return driverFor(first, m) === 'boot' ? first : (bootAdapter(m) ?? first);
};

/** The adapter that a drive is on, where VMware has it. */
const sameAdapter = (disk: DiskDevice, m: Migration): Wish | undefined => {
	const { bus } = disk;
	if (bus === 'ide' || (bus === 'sata' && m.hardwareVersion >= 10) || (bus === 'nvme' && m.hardwareVersion >= 13)) return { bus };
	const model = bus === 'scsi' ? modelOf(disk, m) : undefined;
	const ofVmware = m.spec.platform.hypervisor === 'vmware' && model === 'lsilogic';
	return model !== undefined && (SAME_ADAPTER.includes(model) || ofVmware) ? scsi(model, m.hardwareVersion) : undefined;
};

const hasSata = ({ guest: { profile }, hardwareVersion }: Migration): boolean =>
	hardwareVersion >= 10 && profile !== 'win-legacy' && profile !== 'linux-24';

/** Whether the guest was found not to boot from an adapter, and to boot from another. */
const startsElsewhere = (adapter: Wish, m: Migration): boolean => {
	const state = driverFor(adapter, m) ?? 'unknown';
	return state !== 'unknown' && state !== 'boot' && bootAdapter(m) !== undefined;
};

/** The first adapter that the guest was found to boot from. */
const bootAdapter = (m: Migration): Wish | undefined => {
	const all: Wish[] = [
		scsi('pvscsi', m.hardwareVersion),
		...(m.hardwareVersion >= 13 ? [{ bus: 'nvme' as const }] : []),
		...(hasSata(m) ? [{ bus: 'sata' as const }] : []),
		scsi('lsisas1068', m.hardwareVersion),
		scsi('lsilogic', m.hardwareVersion),
		{ bus: 'ide' },
	];
	return all.find((one) => driverFor(one, m) === 'boot');
};

/** What the guest has for the controller of a place, by its inspection; undefined where it was not inspected. */
export const driverFor = ({ bus, model }: Wish, { options: { guest } }: Migration): DriverState | undefined => {
	const attachment = bus === 'scsi' ? model : bus;
	return guest?.disk?.[attachment as keyof typeof guest.disk];
};

/** The adapter that guests of a kind have a driver for, as a rule. */
const usual = (m: Migration): Wish => {
	const { guest, hardwareVersion } = m;
	switch (guest.profile) {
		case 'linux-modern':
			return scsi('pvscsi', hardwareVersion);
		case 'win-modern':
			return hardwareVersion >= 13 ? { bus: 'nvme' } : scsi('lsisas1068', hardwareVersion);
		case 'win-nt6':
			return scsi('lsisas1068', hardwareVersion);
		case 'win-legacy':
			return { bus: 'ide' };
		case 'other':
		case 'darwin':
			return { bus: hasSata(m) ? 'sata' : 'ide' };
		default:
			return scsi('lsilogic', hardwareVersion);
	}
};

/** Old hardware versions have the parallel adapter alone. */
const scsi = (model: string, hardwareVersion: number): Wish => ({
	bus: 'scsi',
	model: hardwareVersion < 7 && model !== 'buslogic' ? 'lsilogic' : model,
});

/** The SCSI adapter that a drive is on. */
const modelOf = ({ controller }: DiskDevice, { spec }: Migration): string | undefined =>
	spec.controllers.find(({ bus, index }) => bus === 'scsi' && index === controller)?.model;

/** The address that a drive has on the adapter that it stays on. */
const samePlace = (disk: DiskDevice, wished: Wish, m: Migration): Place | undefined => {
	const { bus, address, target = '' } = disk;
	if (wished.bus !== bus || (bus === 'scsi' && modelOf(disk, m) !== wished.model)) return undefined;
	const room = ROOM[wished.bus];
	const letter = /^[hf]d([a-d])$/.exec(target)?.[1];
	const named = letter === undefined ? undefined : letter.charCodeAt(0) - 97;
	let place: readonly [number, number] | undefined;
	if (bus === 'ide') place = address ? [address[1], address[3]] : named === undefined ? undefined : [named >> 1, named & 1];
	else if (bus === 'fdc') place = address ? [0, address[3]] : named === undefined ? undefined : [0, named];
	// QEMU's adapters count targets, and the unit of libvirt's VMware driver is VMware's.
	else if (bus === 'scsi') place = address && [address[0], Math.max(address[2], address[3])];
	else place = address && [address[0], address[3]];
	if (!place || place[0] >= room.controllers || !(room.units as readonly number[]).includes(place[1])) return undefined;
	return { ...wished, controller: place[0], unit: place[1] };
};

const firstFree = (wished: Wish, isFree: (place: Place) => boolean): Place | undefined => {
	const { controllers, units } = ROOM[wished.bus];
	for (let controller = 0; controller < controllers; controller++) {
		for (const unit of units) {
			const place = { ...wished, controller, unit };
			if (isFree(place)) return place;
		}
	}
	return undefined;
};

/** Where a drive goes whose bus is full. */
const overflow = ({ bus }: Wish, { hardwareVersion, guest }: Migration, isFree: (place: Place) => boolean): Place | undefined => {
	if (bus === 'fdc') return undefined;
	const others: Wish[] = [
		...(hardwareVersion >= 10 && bus !== 'sata' ? [{ bus: 'sata' as const }] : []),
		...(bus === 'scsi' ? [] : [scsi(guest.family === 'windows' ? 'lsisas1068' : 'lsilogic', hardwareVersion)]),
	];
	for (const other of others) {
		const found = firstFree(other, isFree);
		if (found) return found;
	}
	return undefined;
};

/**
 * The controllers that the places need, and those that the VMX had which the machine came from; there is always one for IDE and floppies.
 */
export const controllersFor = (places: readonly Place[], origin: VmSpec | undefined): Controller[] =>
	(['scsi', 'sata', 'nvme'] as const).flatMap((bus) => {
		const used = places.filter((place) => place.bus === bus);
		const had = origin?.controllers.filter((controller) => controller.bus === bus) ?? [];
		const indices = new Set([...used.map(({ controller }) => controller), ...had.map(({ index }) => index)]);
		return [...indices]
			.sort((a, b) => a - b)
			.map((index): Controller => {
				const place = used.find(({ controller }) => controller === index);
				const was = had.find((controller) => controller.index === index);
				return { bus, index, model: place ? place.model : was?.model, pciSlotNumber: was?.pciSlotNumber, keys: [] };
			});
	});
