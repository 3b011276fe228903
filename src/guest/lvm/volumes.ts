import { CorruptError } from '../../errors.ts';
import { type BlockDevice, mappedDevice, type Segment, type Stripe, stripedDevice } from '../device.ts';
import { firstLeg, type Leg, MOST_LEGS, readableLeg } from './mirror.ts';
import { countAt, type LvmSection, listAt, sectionAt, textAt } from './text.ts';

/** A physical volume that was found, by the id that the group's description knows it by. */
export type FoundPhysical = { readonly uuid: string; readonly device: BlockDevice };

type LogicalVolume = {
	/** `lv:vg/root`. */
	readonly id: string;
	/** In bytes. */
	readonly size: number;
	/** Absent where `unsupported` says why. */
	readonly device?: BlockDevice | undefined;
	readonly unsupported?: string | undefined;
	/** What device mapper knows it by. */
	readonly mapperUuid?: string | undefined;
	/** `degraded`. */
	readonly state?: readonly string[] | undefined;
};

export type VolumeGroup = {
	/** The ids of its physical volumes that are not on any disk given. */
	readonly missing: readonly string[];
	readonly volumes: readonly LogicalVolume[];
};

const SECTOR = 512;

/** More segments than a volume of any real group has. */
const MAX_SEGMENTS = 100_000;

/** LVM makes no more stripes side by side. */
const MAX_STRIPES = 128;

/** Types of segments that are one run of one physical volume, or of several taken in turn. */
const STRIPED = new Set(['striped', 'linear']);

/** What LVM calls the legs of a mirror, and what a raid1 has beside each. */
const IMAGE = /_r?m?image_\d+$/;
const NOTES = /_rmeta_\d+$/;

/** The section of a description that is the volume group, with its name. @throws CorruptError where there is none. */
export const groupOf = (description: LvmSection, path: string): readonly [name: string, group: LvmSection] => {
	for (const name of Object.keys(description)) {
		const group = sectionAt(description, name);
		if (group && sectionAt(group, 'physical_volumes')) return [name, group];
	}
	throw new CorruptError("LVM's description names no volume group", { path });
};

/**
 * The visible logical volumes of a group. Linear and striped ones are put together, and of a mirror a leg that has all of its data is read;
 * thin and cached ones are named, and not read.
 * @throws CorruptError where the description contradicts itself.
 */
export const volumeGroup = async (name: string, group: LvmSection, found: readonly FoundPhysical[], path: string): Promise<VolumeGroup> => {
	const extent = countAt(group, 'extent_size', path) * SECTOR;
	if (extent === 0) throw new CorruptError("LVM's extents have no size", { path, field: 'extent_size' });
	const physical = new Map<string, { readonly device: BlockDevice; readonly start: number } | undefined>();
	const missing: string[] = [];
	for (const [key, section] of sections(sectionAt(group, 'physical_volumes'))) {
		const uuid = textAt(section, 'id') ?? '';
		const device = found.find((candidate) => candidate.uuid === uuid)?.device;
		physical.set(key, device && { device, start: countAt(section, 'pe_start', path) * SECTOR });
		if (!device) missing.push(uuid);
	}
	const logical = new Map(sections(sectionAt(group, 'logical_volumes')));

	const segmentsOf = (volume: LvmSection): readonly LvmSection[] => {
		const count = countAt(volume, 'segment_count', path);
		if (count > MAX_SEGMENTS) throw new CorruptError(`a logical volume of ${count} segments`, { path, field: 'segment_count' });
		return Array.from({ length: count }, (_, index) => {
			const segment = sectionAt(volume, `segment${index + 1}`);
			if (!segment) throw new CorruptError(`LVM's description has no segment${index + 1}`, { path });
			return segment;
		});
	};
	const sizeOf = (segments: readonly LvmSection[]): number =>
		segments.reduce((size, segment) => size + countAt(segment, 'extent_count', path) * extent, 0);

	/** Where the segment is; a text says why vconv cannot tell. */
	const place = (segment: LvmSection, at: number): Segment | string => {
		const type = textAt(segment, 'type') ?? 'unknown';
		const length = countAt(segment, 'extent_count', path) * extent;
		if (countAt(segment, 'start_extent', path) * extent !== at) throw new CorruptError('segments that do not adjoin', { path });
		if (!STRIPED.has(type)) return `vconv does not read LVM's ${type} volumes`;
		const count = countAt(segment, 'stripe_count', path);
		const places = listAt(segment, 'stripes');
		if (count === 0 || count > MAX_STRIPES || places.length !== count * 2)
			throw new CorruptError('a segment that is nowhere', { path, field: 'stripes' });
		const stripes: Stripe[] = [];
		for (let index = 0; index < count; index++) {
			const [key, first] = places.slice(index * 2);
			if (typeof key !== 'string' || typeof first !== 'number')
				throw new CorruptError('a segment that is nowhere', { path, field: 'stripes' });
			if (!physical.has(key)) return 'it is made of other logical volumes';
			const target = physical.get(key);
			if (!target) return 'a physical volume of it is missing';
			stripes.push({ device: target.device, at: target.start + first * extent });
		}
		const [only] = stripes;
		if (only && count === 1) return { start: at, length, ...only };
		const chunk = countAt(segment, 'stripe_size', path) * SECTOR;
		if (chunk === 0 || length % (chunk * count) !== 0)
			throw new CorruptError('stripes that do not fill their segment', { path, field: 'stripe_size' });
		const sectorSize = only?.device.sectorSize ?? 512;
		return { start: at, length, device: stripedDevice({ name: path, size: length, sectorSize }, stripes, chunk), at: 0 };
	};

	const linear = (id: string, volume: LvmSection): LogicalVolume => {
		const segments = segmentsOf(volume);
		const size = sizeOf(segments);
		const placed: Segment[] = [];
		let at = 0;
		for (const segment of segments) {
			const where = place(segment, at);
			if (typeof where === 'string') return { id, size, unsupported: where };
			placed.push(where);
			at += where.length;
		}
		const sectorSize = placed[0]?.device.sectorSize ?? 512;
		return { id, size, device: mappedDevice({ name: id, size, sectorSize }, placed) };
	};

	/** The hidden volume that a mirror names, where it can be reached. */
	const hidden = (id: string, name: unknown, kind: RegExp): BlockDevice | undefined => {
		const volume = typeof name === 'string' && kind.test(name) ? logical.get(name) : undefined;
		return volume && linear(id, volume).device;
	};

	const legsOf = (id: string, segment: LvmSection, type: 'raid1' | 'mirror'): readonly Leg[] => {
		const legs: Leg[] = [];
		const parts = listAt(segment, type === 'raid1' ? 'raids' : 'mirrors');
		for (let at = 0; at + 1 < Math.min(parts.length, MOST_LEGS * 2); at += 2) {
			const [one, other] = parts.slice(at);
			if (type === 'raid1') legs.push({ data: hidden(id, other, IMAGE), notes: hidden(id, one, NOTES) });
			else if (typeof one !== 'string' || !physical.has(one)) legs.push({ data: hidden(id, one, IMAGE) });
			else {
				// The oldest have no volumes for their legs.
				const run = place({ ...segment, type: 'striped', stripe_count: 1, stripes: [one, other ?? 0] }, 0);
				const sizes = { size: sizeOf([segment]), sectorSize: physical.get(one)?.device.sectorSize ?? 512 };
				legs.push({ data: typeof run === 'string' ? undefined : mappedDevice({ name: id, ...sizes }, [run]) });
			}
		}
		return legs;
	};

	/** A mirror is read from a leg of it, all of which have the same bytes. */
	const mirrored = async (id: string, volume: LvmSection): Promise<LogicalVolume | undefined> => {
		const [segment, ...more] = segmentsOf(volume);
		const type = segment && textAt(segment, 'type');
		if (!segment || more.length > 0 || (type !== 'raid1' && type !== 'mirror')) return undefined;
		const legs = legsOf(id, segment, type);
		const leg = type === 'raid1' ? await readableLeg(legs) : firstLeg(legs);
		if (leg) return { id, size: leg.device.size, device: leg.device, state: leg.isDegraded ? ['degraded'] : [] };
		const why = type === 'raid1' ? 'no leg of the mirror that was given has all of its data' : 'the first leg of the mirror was not given';
		return { id, size: sizeOf([segment]), state: ['degraded'], unsupported: `${why}: give all disks` };
	};

	const volumes: LogicalVolume[] = [];
	for (const [key, volume] of logical) {
		if (!listAt(volume, 'status').includes('VISIBLE')) continue;
		const id = `lv:${name}/${key}`;
		const own = textAt(volume, 'id');
		const mapperUuid = own && `LVM-${`${textAt(group, 'id')}${own}`.replaceAll('-', '')}`;
		volumes.push({ ...((await mirrored(id, volume)) ?? linear(id, volume)), mapperUuid });
	}
	return { missing, volumes };
};

const sections = (section: LvmSection | undefined): readonly (readonly [string, LvmSection])[] =>
	Object.keys(section ?? {}).flatMap((key) => {
		const inner = section && sectionAt(section, key);
		return inner ? [[key, inner] as const] : [];
	});
