import { diskName } from '../faithful/names.ts';
import type { Controller, DiskDevice } from '../spec.ts';
import type { Context } from './context.ts';
import type { Attachment } from './storage-policy.ts';

/** Where a drive is attached. */
export type Place = {
	readonly bus: 'sata' | 'ide' | 'virtio' | 'scsi';
	/** `sda`. */
	readonly target: string;
	/** Controller, bus, target and unit of libvirt's address of type drive; virtio-blk has none. */
	readonly address?: readonly [number, number, number, number] | undefined;
	readonly wwn?: string | undefined;
};

type Placer = {
	/** The next place of this kind. */
	next(disk: DiskDevice, attachment: Attachment): Place;
	/** The controllers that the places so far need. */
	controllers(): Controller[];
};

/** How many disks an adapter of QEMU's shows. Hardware specification, section 7.5.4. */
const ROOM = { pvscsi: 16, lsisas1068: 8, lsi53c895a: 7, 'virtio-scsi': 256 } as const;

const SATA_PORTS = 6;
const IDE_PLACES = 4;

/** Gives out places, addresses and names: each said explicitly, for libvirt's own choice is a LUN that most adapters do not show. */
export const placer = (machine: 'q35' | 'pc', c: Context): Placer => {
	const adapters = new Map<string, Controller>();
	const counts = new Map<string, number>();
	const count = (key: string): number => {
		const before = counts.get(key) ?? 0;
		counts.set(key, before + 1);
		return before;
	};
	const ideTaken = new Set<number>();
	const ideSaid = new Set(c.source.disks.filter(({ bus }) => bus === 'ide').map(({ controller, unit }) => controller * 2 + unit));
	const sd = (): string => diskName('sd', count('sd'));

	const onSata = (): Place => {
		const index = count('sata');
		return { bus: 'sata', target: sd(), address: [Math.floor(index / SATA_PORTS), 0, 0, index % SATA_PORTS] };
	};
	const onIde = (disk: DiskDevice): Place => {
		const own = disk.bus === 'ide' && disk.unit < 2 ? disk.controller * 2 + disk.unit : undefined;
		// What was on another bus leaves the places of what was on this one.
		const free = own ?? [0, 1, 2, 3].find((place) => !ideTaken.has(place) && !ideSaid.has(place));
		if (free === undefined || free >= IDE_PLACES || machine !== 'pc') {
			c.tell('DISK_BUS_OVERFLOW', disk.id, 'there are four places for IDE drives: it is on SATA');
			return onSata();
		}
		ideTaken.add(free);
		return { bus: 'ide', target: diskName('hd', free), address: [0, free >> 1, 0, free & 1] };
	};
	const onScsi = (disk: DiskDevice, model: keyof typeof ROOM): Place => {
		const room = ROOM[model];
		const own = disk.bus === 'scsi' ? `${model} ${disk.controller}` : model;
		// Adapters with targets enough keep the numbers that VMware has.
		const keeps = disk.bus === 'scsi' && (model === 'pvscsi' || model === 'virtio-scsi');
		const number = keeps ? disk.unit : count(own);
		const key = `${own} ${Math.floor(number / room)}`;
		const adapter = adapters.get(key) ?? { bus: 'scsi', index: adapters.size, model, keys: [] };
		adapters.set(key, adapter);
		const at = number % room;
		const address = model === 'lsi53c895a' ? ([adapter.index, 0, 0, at] as const) : ([adapter.index, 0, at, 0] as const);
		return { bus: 'scsi', target: sd(), address, wwn: model === 'lsisas1068' ? wwnFor(disk, c) : undefined };
	};
	return {
		next(disk, attachment) {
			if (attachment === 'virtio-blk') return { bus: 'virtio', target: diskName('vd', count('vd')) };
			if (attachment === 'ide') return onIde(disk);
			return attachment === 'sata' || attachment === 'nvme' ? onSata() : onScsi(disk, attachment);
		},
		controllers() {
			const sata = Array.from({ length: Math.ceil((counts.get('sata') ?? 0) / SATA_PORTS) }, (_, index) => ({
				bus: 'sata',
				index,
				keys: [],
			}));
			return [...sata, ...adapters.values()];
		},
	};
};

/** SAS-1068 shows no disk without one. It is made of who the machine is and which disk it is, so that it is always the same. */
const wwnFor = (disk: DiskDevice, c: Context): string => {
	// A disk may be a copy of another, with its id.
	const whose = c.options.drives?.get(disk.id)?.uuid ?? c.source.identity.biosUuid ?? c.source.identity.name;
	const seed = `${whose} ${disk.id}`;
	// FNV-1a of 64 bits.
	let hash = 0xcbf29ce484222325n;
	for (const byte of new TextEncoder().encode(seed)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
	const wwn = `5${hash.toString(16).padStart(16, '0').slice(1)}`;
	c.tell('DISK_WWN_GENERATED', disk.id, `it has the WWN ${wwn}, without which the guest would not find it`);
	return wwn;
};
