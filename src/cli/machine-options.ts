import fs from 'node:fs';
import type { Options } from 'yargs';
import { UsageError } from '../errors.ts';
import { targetVersion } from '../machine/migrate/hardware-version.ts';
import { type NetRule, parseNetRule, parseNetRules } from '../machine/migrate/net-map.ts';
import { DEVICE_POLICIES, type MigrateOptions, UUID_MODES } from '../machine/migrate/options.ts';
import type { ToVmxOptions } from '../machine/migrate/to-vmx-context.ts';
import type { Arguments } from './command.ts';
import { readSmallText } from './small-file.ts';

/** How a machine is to run on the other hypervisor. */
export const migrateOptions = {
	devices: {
		choices: DEVICE_POLICIES,
		default: 'auto',
		describe: 'how controllers and cards are chosen; auto: by the guest and its boot disk',
	},
	'assume-virtio': { type: 'boolean', describe: 'the Windows guest has virtio drivers that start at boot' },
	'uefi-scsi': { type: 'boolean', describe: "the host's UEFI firmware starts from pvscsi and SAS-1068; most do not" },
	machine: { choices: ['auto', 'q35', 'pc'], default: 'auto', describe: "QEMU's machine type" },
	firmware: { choices: ['auto', 'bios', 'efi'], default: 'auto', describe: 'instead of what the source says' },
	'secure-boot': { choices: ['auto', 'on', 'off'], default: 'auto', describe: 'instead of what the source says' },
	tpm: { choices: ['auto', 'on', 'off'], default: 'auto', describe: 'instead of what the source says' },
	uuid: { choices: UUID_MODES, describe: 'verbatim as vCenter shows it (the default), as the guest reads it, or a new one for a copy' },
	clock: { choices: ['auto', 'utc', 'localtime'], default: 'auto', describe: 'what the guest takes its clock for' },
	'net-map': {
		type: 'string',
		array: true,
		describe: "which network becomes which, 'name:VM Network=bridge=br0', or a file of such lines; the first that fits",
	},
	'nic-names': { choices: ['keep', 'change'], default: 'keep', describe: "whether a Linux guest's cards stay in slots of the same number" },
	images: { type: 'string', describe: 'folder on the host where the disks will be; /var/lib/libvirt/images where left out' },
	'keep-source-config': {
		choices: ['metadata', 'none'],
		default: 'metadata',
		describe: 'keep what the source says in the domain, for the way back',
	},
	'discard-suspend': { type: 'boolean', describe: 'give up the memory of a suspended machine, as a loss of power does' },
	product: { choices: ['esxi', 'hosted', 'any'], default: 'any', describe: "which of VMware's products will run a VMX" },
	'target-version': { type: 'string', describe: 'the oldest VMware that will run a VMX: esxi=8.0.2, ws=17, fusion=13 or hw=20' },
	'guest-os': { type: 'string', describe: "VMX's guestOS, where a domain does not say its guest" },
	'assume-vmware-drivers': { type: 'boolean', describe: "the guest has VMware's drivers, and starts from a paravirtual disk" },
} as const satisfies Record<string, Options>;

type Said = Arguments<typeof migrateOptions>;

/** What is asked for of a KVM domain. @throws UsageError for a rule of networks that is none. */
export const toLibvirtOptions = (args: Said): MigrateOptions => ({
	devices: args.devices,
	assumeVirtio: args['assume-virtio'],
	uefiScsi: args['uefi-scsi'],
	machine: unlessAuto(args.machine),
	firmware: unlessAuto(args.firmware),
	secureBoot: onOff(args['secure-boot']),
	tpm: onOff(args.tpm),
	uuid: args.uuid,
	clock: unlessAuto(args.clock),
	netMap: (args['net-map'] ?? []).flatMap(readNetMap),
	nicNames: args['nic-names'] === 'keep',
	imageFolder: imageFolder(args.images),
	keepSource: args['keep-source-config'] === 'metadata',
	discardSuspend: args['discard-suspend'],
});

/** What is asked for of a VMX. @throws UsageError for a rule of networks that is none. */
export const toVmxOptions = (args: Said): ToVmxOptions => ({
	product: args.product,
	...(args['target-version'] !== undefined && targetVersion(args['target-version'])),
	guestOs: args['guest-os'],
	networks: new Map((args['net-map'] ?? []).map(splitRule)),
	assumeVmwareDrivers: args['assume-vmware-drivers'],
	firmware: unlessAuto(args.firmware),
	secureBoot: onOff(args['secure-boot']),
	tpm: onOff(args.tpm),
	clock: unlessAuto(args.clock),
	newUuid: args.uuid === 'new',
});

/** What means something in a machine of KVM alone, and what in one of VMware's. */
const MEANT_FOR = {
	libvirt: ['devices', 'assume-virtio', 'uefi-scsi', 'machine', 'nic-names', 'images', 'keep-source-config', 'discard-suspend'],
	vmx: ['product', 'target-version', 'hw-version', 'guest-os', 'assume-vmware-drivers'],
} as const;

/** The options that were given and mean nothing in a machine of this form, as they are written on a command line. */
export const meaninglessOptions = (args: Readonly<Record<string, unknown>>, form: keyof typeof MEANT_FOR): string[] => {
	const specs: Readonly<Record<string, Options>> = migrateOptions;
	return MEANT_FOR[form === 'vmx' ? 'libvirt' : 'vmx']
		.filter((name) => args[name] !== undefined && args[name] !== false && args[name] !== specs[name]?.default)
		.map((name) => `--${name}`);
};

/** Which machines those options are for. */
export const OTHER_FORM = { libvirt: "a machine of VMware's", vmx: 'a machine of KVM' } as const;

const unlessAuto = <T extends string>(said: T): Exclude<T, 'auto'> | undefined =>
	said === 'auto' ? undefined : (said as Exclude<T, 'auto'>);

const onOff = (said: 'auto' | 'on' | 'off'): boolean | undefined => (said === 'auto' ? undefined : said === 'on');

/** A file of rules is what looks like no rule. */
const isNetRule = (said: string): boolean => said.includes('=') || said.includes('->');

/** The files of rules for networks that were named. */
export const netMapFiles = (args: Pick<Said, 'net-map'>): readonly string[] => (args['net-map'] ?? []).filter((said) => !isNetRule(said));

const readNetMap = (said: string): NetRule[] => {
	if (isNetRule(said)) return [parseNetRule(said)];
	if (!fs.existsSync(said))
		throw new UsageError(`'${said}' is neither a rule for networks nor a file of them`, { hint: '--net-map default=network=default' });
	return parseNetRules(readSmallText(said, '--net-map', '--net-map with a file of rules, one a line'));
};

/** What a rule for the cards of a domain looks at: the address, or what libvirt calls the network's kind. */
const CARD_WORDS = [
	...['mac', 'bridge', 'network', 'direct', 'ethernet', 'hostdev'],
	...['internal', 'mcast', 'server', 'client', 'udp', 'vhostuser', 'vdpa'],
];

const splitRule = (said: string): readonly [string, string] => {
	const refuse = (what = ''): never => {
		throw new UsageError(`'${said}' is no rule for networks${what}`, { hint: "--net-map 'bridge:br0=VM Network'" });
	};
	const [, matching, name] = /^(.+?)\s*(?:->|=)\s*(.+)$/.exec(said.trim()) ?? [];
	if (matching === undefined || name === undefined) return refuse();
	const key = matching.replace(/^mac:.*/i, (mac) => mac.toLowerCase());
	const [word = '', value] = key.split(':');
	// A word that was mistyped would never fit, and nobody would hear of it.
	const isKnown = value === undefined ? word === 'default' : key === 'type:user' || CARD_WORDS.includes(word);
	if (!isKnown) refuse(`: '${word}' is none of mac, bridge, network, direct, type:user, default and libvirt's other kinds`);
	return [key, name];
};

const imageFolder = (said: string | undefined): string | undefined => {
	if (said === undefined || said.startsWith('/')) return said;
	throw new UsageError(`--images '${said}' is no whole path on the host`, { hint: '--images /var/lib/libvirt/images' });
};
