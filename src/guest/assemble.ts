import { type BlockDevice, sliceDevice } from './device.ts';
import type { DiskFacts, Incomplete, VolumeFacts } from './facts.ts';
import { arraysOf, groupsOf } from './members.ts';
import { readPartitions } from './partitions/index.ts';
import type { Attempt } from './system.ts';
import type { Candidate, Recognised } from './volumes/candidate.ts';
import { probeVolume } from './volumes/index.ts';

/** Types of partitions whose content is told by nothing else. */
const CLAIMED: ReadonlyMap<string, Partial<VolumeFacts>> = new Map([
	['ldm-metadata', { type: 'ldm', unsupported: 'vconv does not read dynamic disks of Windows' }],
	['ldm-data', { type: 'ldm', unsupported: 'vconv does not read dynamic disks of Windows' }],
	['storage-spaces', { type: 'storage-spaces', unsupported: 'vconv does not read Storage Spaces' }],
]);

/** What is needed while volumes are found. */
type Context = {
	readonly attempt: Attempt;
	readonly incomplete: Incomplete[];
	/** Called before each volume. */
	renew(): void;
};

/** A machine has no more; the rest is left out, and said to be. */
const MAX_VOLUMES = 1024;

/** The disks' tables, and every volume on them: partitions, then arrays, then logical volumes. */
export const assemble = async (
	given: readonly { readonly device: BlockDevice; readonly image: string }[],
	{ attempt, incomplete, renew }: Context,
): Promise<{ readonly disks: readonly DiskFacts[]; readonly volumes: readonly Recognised[] }> => {
	const disks: DiskFacts[] = [];
	const volumes: Recognised[] = [];
	const add = async (candidates: readonly Candidate[]): Promise<void> => {
		for (const candidate of candidates) {
			renew();
			if (volumes.length < MAX_VOLUMES) volumes.push(await recognise(candidate, attempt));
			else incomplete.push({ where: candidate.id, what: 'volume', why: `${MAX_VOLUMES} volumes are looked at, and no more` });
		}
	};
	for (const [index, { device, image }] of given.entries()) {
		renew();
		const { size, sectorSize } = device;
		const table = await attempt(device.name, 'partition table', () => readPartitions(device));
		const facts: DiskFacts = { index, image, size, sectorSize, ...(table ?? NO_TABLE) };
		disks.push(facts);
		await add(await candidatesOf(device, facts, attempt));
	}
	await add(await arraysOf(volumes, attempt));
	renew();
	const { candidates, memberOf } = await groupsOf(volumes, incomplete, attempt);
	await add(candidates);
	return {
		disks,
		volumes: volumes.map(({ device, facts }) => ({ device, facts: { ...facts, memberOf: memberOf.get(facts.id) ?? facts.memberOf } })),
	};
};

const NO_TABLE = { scheme: 'none', flags: [], partitions: [], biosBootCode: null } as const;

/** The partitions of a disk, or the disk itself where it has no table. An extended partition only holds others. */
const candidatesOf = async (device: BlockDevice, { scheme, partitions }: DiskFacts, attempt: Attempt): Promise<readonly Candidate[]> => {
	if (scheme === 'none') return [{ id: device.name, size: device.size, device }];
	const candidates: Candidate[] = [];
	const firsts = new Map<number, string>();
	for (const { number, type, start, size } of partitions.filter((partition) => partition.type !== 'extended')) {
		const id = `${device.name}p${number}`;
		const slice = await attempt(id, 'partition', async () => sliceDevice(device, id, start, size));
		const first = firsts.get(start);
		if (first === undefined) firsts.set(start, id);
		const given = first === undefined ? CLAIMED.get(type) : { unsupported: `it begins where ${first} does, which is looked into` };
		candidates.push({ id, size, device: slice, given: given ?? {} });
	}
	return candidates;
};

/** The volume with what its first bytes say. */
const recognise = async ({ id, size, device, given }: Candidate, attempt: Attempt): Promise<Recognised> => {
	const known = device === undefined || given?.unsupported !== undefined;
	const signature = known ? undefined : await attempt(id, 'contents', () => probeVolume(device));
	const facts = { id, type: 'unknown', size, clean: null, ...signature, ...given };
	const cut = (facts.fileSystemSize ?? 0) > size ? ['larger-than-volume'] : [];
	return { device, facts: { ...facts, state: [...(signature?.state ?? []), ...(given?.state ?? []), ...cut] } };
};
