import { swapFields } from '../bytes/guid.ts';
import { hexDigits } from '../bytes/hex.ts';
import { startsByEfi } from './firmware.ts';
import type { Machine } from './format.ts';
import { isHardDisk } from './hard-disks.ts';
import { guestOfOsinfo, guestOfVmx } from './migrate/guests.ts';
import { isHidden, withoutSecrets } from './report.ts';
import type { CharBackend, DiskDevice, Network, Nic, VmSpec } from './spec.ts';

/** Something that two descriptions do not say alike. */
export type MachineDifference = {
	/** What it is about: `disks/scsi0:0/mode`. */
	readonly path: string;
	/** `missing`: the second does not say it. `extra`: the first does not. `order`: both have the same devices in another order. */
	readonly kind: 'missing' | 'extra' | 'different' | 'order';
	/** What the first says; not there for a secret. */
	readonly a?: string | undefined;
	readonly b?: string | undefined;
};

/**
 * How two machines differ, by what their descriptions mean: spelling, order of keys, units and comments are none of it. Two of one form
 * are compared in everything they say, two of different forms in the hardware that both forms can say.
 */
export const diffMachines = (a: Machine, b: Machine): MachineDifference[] => {
	const all = a.format === b.format;
	const [first, second] = [all ? everything(a.spec) : hardware(a.spec), all ? everything(b.spec) : hardware(b.spec)];
	const differences: MachineDifference[] = [];
	for (const path of new Set([...first.keys(), ...second.keys()])) {
		const [said, other] = [first.get(path), second.get(path)];
		if (said === other) continue;
		const kind = other === undefined ? 'missing' : said === undefined ? 'extra' : 'different';
		const key = path.replace(/^others\//, '');
		const isSecret = [said, other].some((value = '') => isHidden({ key, value }));
		const shown = (value: string | undefined) => value && withoutSecrets({ key, value });
		differences.push(isSecret ? { path, kind } : { path, kind, a: shown(said), b: shown(other) });
	}
	// In a VMX the names of devices say where they are, and not the order of their lines.
	if (all && a.format !== 'vmx') differences.push(...orders(a.spec, b.spec));
	return differences;
};

type Facts = Map<string, string>;

/** Fields that say how a thing is written, or what is said elsewhere. */
const NOT_SAID = new Set(['keys', 'nameStored', 'checkedSaid', 'code', 'subject', 'held', 'origin', 'kept', 'chain', 'assumed']);

/** Leaves of a value by their paths. */
const flatten = (value: unknown, path: string, facts: Facts): void => {
	if (value === undefined || value === null) return;
	if (value instanceof Uint8Array) facts.set(path, hexDigits(value));
	else if (value instanceof Map) for (const [key, inner] of value) flatten(inner, `${path}/${key}`, facts);
	else if (Array.isArray(value)) for (const [index, inner] of value.entries()) flatten(inner, `${path}/${index}`, facts);
	else if (typeof value === 'object') {
		for (const [key, inner] of Object.entries(value)) if (!NOT_SAID.has(key)) flatten(inner, path === '' ? key : `${path}/${key}`, facts);
	} else facts.set(path, String(value));
};

const everything = (spec: VmSpec): Facts => {
	const facts: Facts = new Map();
	const { disks, nics, controllers, extras, ...rest } = spec;
	flatten(rest, '', facts);
	for (const disk of disks) flatten(disk, `disks/${disk.id}`, facts);
	for (const nic of nics) flatten(nic, `nics/${nicName(nic)}`, facts);
	for (const controller of controllers) flatten(controller, `controllers/${controller.bus}${controller.index}`, facts);
	// What only the run of the machine left behind means nothing, and neither does what is not there.
	const meant = extras.filter(({ code, held }) => !held && code !== 'VMX_STATE_IGNORED' && code !== 'DEVICE_ABSENT');
	for (const { key, value } of meant) facts.set(`others/${key.toLowerCase()}`, plainValue(value));
	return facts;
};

const nicName = ({ mac, index }: Nic): string => mac.address ?? String(index);

/** TRUE is true, and 07 is 7. */
const plainValue = (value: string): string => (/^(true|false)$/i.test(value) ? value.toLowerCase() : value.replace(/^0+(?=\d+$)/, ''));

const orders = (a: VmSpec, b: VmSpec): MachineDifference[] =>
	(
		[
			['disks', a.disks.map(({ id }) => id), b.disks.map(({ id }) => id)],
			['nics', a.nics.map(nicName), b.nics.map(nicName)],
		] as const
	).flatMap(([path, first, second]): MachineDifference[] => {
		const common = (names: readonly string[], others: readonly string[]) => names.filter((name) => others.includes(name)).join(', ');
		const [before, after] = [common(first, second), common(second, first)];
		return before === after ? [] : [{ path, kind: 'order', a: before, b: after }];
	});

/** What machines of both forms are made of. */
const hardware = (spec: VmSpec): Facts => {
	const facts: Facts = new Map();
	const { identity, cpu, memory, firmware, guest } = spec;
	const { sockets: _, cores = 1, dies = 1, clusters = 1, threads = 1 } = cpu.topology ?? {};
	flatten(
		{
			name: identity.name,
			description: identity.description,
			uuid: eitherWay(identity.biosUuid ?? identity.instanceUuid),
			generationId: identity.generationId,
			guest: guest.vmxGuestOs ? guestOfVmx(guest.vmxGuestOs).family : guest.osinfo && guestOfOsinfo(guest.osinfo, 64)?.family,
			cpus: cpu.online ?? cpu.count ?? 1,
			coresPerSocket: cores * dies * clusters * threads,
			memory: memory.size,
			firmware: startsByEfi(spec) ? 'efi' : 'bios',
			secureBoot: firmware.secureBoot ?? false,
			tpm: spec.tpms.length > 0,
			disks: spec.disks.filter(isHardDisk).map(disk),
			drives: spec.disks.filter((one) => !isHardDisk(one)).map(({ kind }) => (kind === 'lun' ? 'cdrom' : kind)),
			nics: spec.nics.map(({ mac, model, network, connected = true }) => ({
				mac: mac.address,
				model,
				network: networkName(network),
				connected,
			})),
			sound: (spec.sounds ?? []).length > 0,
			serials: spec.serials.map(({ index, backend }) => ({ index, backend: backendName(backend) })),
			parallels: spec.parallels.map(({ index, backend }) => ({ index, backend: backendName(backend) })),
			sharedFolders: spec.sharedFolders.map(({ guestName, writable }) => ({ guestName, writable })),
		},
		'',
		facts,
	);
	return facts;
};

/** A UUID, whichever way round its first three fields are. */
const eitherWay = (uuid: string | undefined): string | undefined => uuid && [uuid, swapFields(uuid)].sort()[0];

const disk = ({ bus, mode, shareable, media }: DiskDevice): unknown => ({
	bus,
	mode: mode === 'persistent' ? undefined : mode,
	shareable: shareable ?? false,
	// The image of another format has another name.
	image:
		media.type === 'file' || media.type === 'block' ? (media.path.split(/[/\\\]]/).at(-1) ?? '').trim().replace(/\.\w+$/, '') : media.type,
});

const networkName = (network: Network): string => ('name' in network && network.name !== undefined ? network.name : network.type);

const backendName = (backend: CharBackend): string => (backend.type === 'other' ? backend.said : backend.type);
