import { UsageError } from '../../errors.ts';
import type { Network } from '../spec.ts';

/** Which network of the host a network of VMware's becomes. Hardware specification, section 7.6. */
export type NetRule = {
	/** What it looks at; `default` fits everything. */
	readonly match: (typeof KINDS)[number];
	/** In lower case, except for names. */
	readonly value: string;
	readonly network: Network;
	/** What was said, for the report. */
	readonly said: string;
	readonly vlan?: number | undefined;
	/** libvirt's model of the card, where the rule says one. */
	readonly model?: string | undefined;
};

const KINDS = ['mac', 'dvpg', 'dvs', 'nsx', 'name', 'vnet', 'type', 'default'] as const;

const HINT = "--net-map 'name:VM Network=bridge=br0', --net-map default=network=default";

/**
 * A rule: `name:VM Network=bridge=br0,vlan=120`, with `->` for the first `=` where that is clearer.
 * @throws UsageError for what is none.
 */
export const parseNetRule = (said: string): NetRule => {
	const refuse = (what: string): never => {
		throw new UsageError(`'${said}' is no rule for networks: ${what}`, { hint: HINT });
	};
	const arrow = said.indexOf('->');
	const at = arrow >= 0 ? arrow : said.indexOf('=');
	if (at < 0) return refuse('it says no network of the host');
	const key = said.slice(0, at).trim();
	const target = said.slice(at + (arrow >= 0 ? 2 : 1)).trim();
	const colon = key.indexOf(':');
	const kind = KINDS.find((known) => known === (colon < 0 ? key : key.slice(0, colon)).toLowerCase());
	// A name with a colon in it says that it is one: a word that was mistyped would never fit, and nobody would hear of it.
	if (kind === undefined && colon >= 0) return refuse(`'${key.slice(0, colon)}' is none of ${KINDS.join(', ')}`);
	const match = kind ?? 'name';
	const value = kind === undefined || kind === 'default' ? key : key.slice(colon + 1).trim();
	return { match, value: match === 'name' ? value : value.toLowerCase(), said: target, ...parseTarget(target, refuse) };
};

/** The rules of a file: one a line, `#` before comments. */
export const parseNetRules = (text: string): NetRule[] =>
	text
		.split(/\r?\n/)
		.map((line) => line.replace(/(^|\s)#.*$/, '').trim())
		.filter((line) => line !== '')
		.map(parseNetRule);

/** What a network of each type may have said besides its name. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
	bridge: ['vlan', 'model'],
	ovs: ['vlan', 'model'],
	network: ['portgroup', 'vlan', 'model'],
	direct: ['mode', 'vlan', 'model'],
	user: ['model'],
	none: ['model'],
};

/** libvirt's words for how a card of the host is shared. */
const MODES = ['vepa', 'bridge', 'private', 'passthrough'];

/** What QEMU has for a PC, as libvirt calls it; of the kinds of i8255x all. */
const MODELS =
	/^(virtio(-(non-)?transitional)?|e1000(-82544gc|-82545em)?|e1000e|igb|vmxnet3|rtl8139|pcnet|ne2k_(pci|isa)|tulip|usb-net|i82(55[01]|55[7-9][ab]|55[79]c|559er|562|801))$/;

const parseTarget = (target: string, refuse: (what: string) => never): Pick<NetRule, 'network' | 'vlan' | 'model'> => {
	const [first = '', ...more] = target.split(',').map((part) => part.trim());
	const [type = '', name = ''] = pair(first);
	const options = new Map(more.map(pair));
	const network = networkOf(type, name, options);
	if (!network) return refuse('it is none of bridge=NAME, ovs=NAME, network=NAME, direct=CARD, user, none');
	const known = OPTIONS[type] ?? [];
	for (const [option, value] of options) {
		if (!known.includes(option)) refuse(`'${option}' is none of ${known.join(', ')}, which ${type} has`);
		if (value === '') refuse(`${option} is empty`);
	}
	const { vlan, mode = 'bridge', model = 'virtio' } = Object.fromEntries(options);
	if (vlan !== undefined && !(/^\d{1,4}$/.test(vlan) && Number(vlan) > 0 && Number(vlan) < 4095))
		refuse(`'${vlan}' is no VLAN from 1 to 4094`);
	if (!MODES.includes(mode)) refuse(`'${mode}' is none of ${MODES.join(', ')}`);
	if (!MODELS.test(model))
		refuse(`QEMU has no network card '${model}': it has virtio, e1000, e1000e, igb, vmxnet3, rtl8139, pcnet and others`);
	return { network, vlan: vlan === undefined ? undefined : Number(vlan), model: options.get('model') };
};

const pair = (part: string): [string, string] => {
	const at = part.indexOf('=');
	return at < 0 ? [part, ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
};

const networkOf = (type: string, name: string, options: ReadonlyMap<string, string>): Network | undefined => {
	if (type === 'user') return { type: 'nat' };
	if (type === 'none') return { type: 'none' };
	if (name === '') return undefined;
	if (type === 'bridge') return { type: 'bridged', name };
	if (type === 'ovs') return { type: 'bridged', name, openVswitch: true };
	if (type === 'network') return { type: 'other', said: 'network', name, portgroup: options.get('portgroup') };
	return type === 'direct' ? { type: 'other', said: 'direct', name, mode: options.get('mode') ?? 'bridge' } : undefined;
};
