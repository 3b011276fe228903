import type { BlockDevice } from './device.ts';
import type { Incomplete } from './facts.ts';
import { holders } from './lvm/holders.ts';
import { metadataText, type PhysicalVolume, physicalVolume } from './lvm/label.ts';
import { countAt, type LvmSection, parseLvmText, sectionAt, textAt } from './lvm/text.ts';
import { groupOf, volumeGroup } from './lvm/volumes.ts';
import type { Attempt } from './system.ts';
import type { Candidate, Recognised } from './volumes/candidate.ts';
import { type MdMember, mdArray, mdMember } from './volumes/md.ts';
import { probeOf } from './volumes/probe.ts';

/** The arrays of Linux software RAID that members among the volumes make up. */
export const arraysOf = async (volumes: readonly Recognised[], attempt: Attempt): Promise<readonly Candidate[]> => {
	const found: { readonly id: string; readonly device: BlockDevice; readonly member: MdMember }[] = [];
	for (const { facts, device } of volumes) {
		if (!device || facts.type !== 'linux_raid_member') continue;
		const member = await attempt(facts.id, 'array', () => mdMember({ device }));
		if (member) found.push({ id: facts.id, device, member });
	}
	const candidates: Candidate[] = [];
	for (const uuid of new Set(found.map(({ member }) => member.uuid))) {
		const members = found.filter(({ member }) => member.uuid === uuid);
		const array = await attempt(`md:${uuid}`, 'array', async () => mdArray(members));
		if (array) candidates.push({ ...array, given: { ...array.given, on: members.map(({ id }) => id) } });
	}
	return candidates;
};

/** A physical volume of LVM, and the description of its group that it holds. */
type Physical = PhysicalVolume & {
	/** Of the volume. */
	readonly id: string;
	readonly device: BlockDevice;
	readonly description?:
		| { readonly name: string; readonly uuid: string; readonly sequence: number; readonly group: LvmSection }
		| undefined;
};

type Groups = {
	readonly candidates: readonly Candidate[];
	/** The names of the groups, by the ids of the volumes that belong to them. */
	readonly memberOf: ReadonlyMap<string, string>;
};

/** The logical volumes of the groups that physical volumes among the volumes make up. The newest description of each counts. */
export const groupsOf = async (volumes: readonly Recognised[], incomplete: Incomplete[], attempt: Attempt): Promise<Groups> => {
	const physical: Physical[] = [];
	for (const { facts, device } of volumes) {
		if (!device || facts.type !== 'LVM2_member') continue;
		const found = await attempt(facts.id, 'physical volume', () => physicalAt(facts.id, device));
		const twin = found && physical.find(({ uuid }) => uuid === found.uuid);
		if (twin) incomplete.push({ where: facts.id, what: 'physical volume', why: `${twin.id} has the same id, and is taken` });
		else if (found) physical.push(found);
	}
	const candidates: Candidate[] = [];
	const memberOf = new Map<string, string>();
	const names = new Set<string>();
	for (const { name: said, uuid, group } of newest(physical)) {
		const name = names.has(said) ? `${said}@${uuid}` : said;
		names.add(name);
		const where = `vg:${name}`;
		const members = new Set(
			Object.values(sectionAt(group, 'physical_volumes') ?? {}).map((section) => textAt(section as LvmSection, 'id')),
		);
		for (const { id, uuid: own } of physical) if (members.has(own)) memberOf.set(id, name);
		const made = await attempt(where, 'logical volumes', () => volumeGroup(name, group, physical, where));
		if (!made) continue;
		const holdersOf = holders(group);
		for (const { id, size, device, unsupported, state, mapperUuid } of made.volumes) {
			const held = holdersOf(id.slice(`lv:${name}/`.length));
			const on = physical.filter((volume) => held.includes(volume.uuid)).map((volume) => volume.id);
			candidates.push({ id, size, device, given: { on, mapperUuid, ...(state && { state }), ...(unsupported && { unsupported }) } });
		}
		if (made.missing.length > 0) {
			incomplete.push({ where, what: 'physical volumes', why: `on no disk given: ${made.missing.join(', ')}` });
		}
	}
	return { candidates, memberOf };
};

const physicalAt = async (id: string, device: BlockDevice): Promise<Physical | undefined> => {
	const label = physicalVolume(await probeOf(device));
	if (!label) return undefined;
	const text = await metadataText(device, label);
	if (text === undefined) return { id, device, ...label };
	const [name, group] = groupOf(parseLvmText(text, id), id);
	const description = { name, group, uuid: textAt(group, 'id') ?? '', sequence: countAt(group, 'seqno', id) };
	return { id, device, ...label, description };
};

const newest = (physical: readonly Physical[]): readonly NonNullable<Physical['description']>[] => {
	const groups = new Map<string, NonNullable<Physical['description']>>();
	for (const { description } of physical) {
		if (description && description.sequence >= (groups.get(description.uuid)?.sequence ?? 0)) groups.set(description.uuid, description);
	}
	return [...groups.values()];
};
