import type { Network, Nic } from '../spec.ts';
import type { Context } from './context.ts';
import type { NetRule } from './net-map.ts';
import { type PlannedNetwork, planNames } from './nic-names.ts';

const idOf = ({ index }: Nic): string => `ethernet${index}`;

/** The network cards. Hardware specification, section 7.6. */
export const planNetwork = (machine: string, places: ReadonlyMap<string, number>, c: Context): PlannedNetwork => {
	const { nics } = c.source;
	const gap = nics.find((nic, position) => nic.index !== position);
	if (gap)
		c.tell('NIC_RENUMBERED', idOf(gap), `${idOf(gap)} is card ${nics.indexOf(gap)} of the domain`, { keys: [`${idOf(gap)}.present`] });
	reportUnused(nics, c);
	const addresses = new Set<string>();
	const planned = nics.map((nic, position): Nic => {
		const id = idOf(nic);
		const rule = c.options.netMap?.find((candidate) => fits(candidate, nic));
		const network = planTarget(nic, rule, c);
		c.honour(`${id}.startConnected`, `${id}.opaqueNetwork.id`, `${id}.pvnID`);
		const isolated = network.down ?? false;
		if (nic.connected === false)
			c.tell('NIC_LINK_DOWN', id, 'its cable is not plugged in', { keys: [`${id}.startConnected`], action: 'none' });
		return {
			index: position,
			model: planModel(nic, rule, c),
			mac: { address: planMac(nic, addresses, c) },
			network: network.network,
			vlans: rule?.vlan === undefined ? undefined : [rule.vlan],
			connected: nic.connected === false || isolated ? false : undefined,
			bootOrder: places.get(id),
		};
	});
	return planNames(machine, planned, c);
};

/** One map is for many machines, so that this is no warning; of one machine it may be a slip. */
const reportUnused = (nics: readonly Nic[], c: Context): void => {
	for (const rule of c.options.netMap ?? []) {
		if (nics.length === 0 || nics.some((nic) => fits(rule, nic))) continue;
		const message = `the rule '${rule.match}:${rule.value}' for ${rule.said} fits no card of this machine`;
		c.tell('NET_RULE_UNUSED', 'networks', message, { action: 'none' });
	}
};

/** Of a UUID, however it is written: VMware puts spaces between. */
const digitsOf = (uuid = ''): string => uuid.replaceAll(/[\s-]/g, '');

/** Whether a rule speaks of a card. */
const fits = ({ match, value }: NetRule, { network, mac, otherAddress, opaqueNetwork }: Nic): boolean => {
	switch (match) {
		case 'mac':
			return (mac.address ?? otherAddress) === value;
		case 'dvpg':
			return network.type === 'dvs' && network.portgroupId?.toLowerCase() === value;
		case 'dvs':
			return network.type === 'dvs' && digitsOf(network.switchId) === digitsOf(value);
		case 'nsx':
			return opaqueNetwork?.toLowerCase() === value;
		case 'name':
			return 'name' in network && network.name === value;
		case 'vnet':
			return network.type === 'custom' && network.device?.toLowerCase() === value;
		case 'type':
			return (network.type === 'other' ? network.said : network.type) === value;
		default:
			return true;
	}
};

/** libvirt's own network, which every host has at first. */
const USUAL: Network = { type: 'other', said: 'network', name: 'default' };

/** Kinds of networks that keep a machine from others. */
const ISOLATED = ['hostonly', 'pvn'];

/** Whether the card would reach more in libvirt's own network than it did, or not what it did: its cable is unplugged there. */
const isUnpluggedThere = ({ network, opaqueNetwork }: Nic): boolean =>
	network.type === 'other' ? ISOLATED.includes(network.said) : network.type === 'none' && opaqueNetwork === undefined;

type Target = { readonly network: Network; readonly down?: boolean };

/** A bridge of the host is never called as VMware calls a network: without a rule it is libvirt's own network, and that is said. */
const planTarget = (nic: Nic, rule: NetRule | undefined, c: Context): Target => {
	const id = idOf(nic);
	if (rule) {
		if (rule.vlan !== undefined && !(rule.network.type === 'bridged' && rule.network.openVswitch)) {
			c.tell('VLAN_NEEDS_OVS', id, `VLAN ${rule.vlan} on ${rule.said} works on Open vSwitch, and on plain bridges from libvirt 11 on`, {
				action: 'none',
			});
		}
		return rule.network.type === 'none' ? { network: USUAL, down: true } : { network: rule.network };
	}
	const { network } = nic;
	const keys = ['networkName', 'connectionType', 'vnet', 'dvs.switchId', 'dvs.portgroupId', 'dvs.portId', 'dvs.connectionId'].map(
		(field) => `${id}.${field}`,
	);
	if (network.type === 'nat') return { network: USUAL };
	const what = nic.opaqueNetwork === undefined ? describe(network) : `the NSX network ${nic.opaqueNetwork}`;
	const unplugged = isUnpluggedThere(nic);
	if (unplugged && network.type === 'none') {
		// Which of them it comes from cannot always be told.
		const message = "it names no network, which is bridged to Workstation and none to ESXi: it is in libvirt's own, its cable unplugged";
		c.tell('NET_UNMAPPED', id, message, { keys, action: 'defaulted' });
		return { network: USUAL, down: true };
	}
	const how = unplugged ? ', its cable unplugged, for that reaches more' : '';
	c.tell('NET_UNMAPPED', id, `nothing says what ${what} is here: it is in libvirt's network 'default'${how}`, {
		keys,
		action: 'defaulted',
		...(unplugged && { severity: 'error' }),
	});
	return unplugged ? { network: USUAL, down: true } : { network: USUAL };
};

const describe = (network: Network): string => {
	if (network.type === 'dvs')
		return `the port group ${network.portgroupId ?? '(not said)'} of the distributed switch ${network.switchId ?? '(not said)'}`;
	const kind = network.type === 'other' ? network.said : network.type;
	return `the ${kind} network${'name' in network && network.name !== undefined ? ` '${network.name}'` : ''}`;
};

/** The address, as the guest knows it. */
const planMac = ({ mac, otherAddress, ...nic }: Nic, taken: Set<string>, c: Context): string | undefined => {
	const id = `ethernet${nic.index}`;
	const address = mac.address ?? otherAddress;
	if (mac.assignment !== undefined || mac.checkedSaid !== undefined) {
		const keys = ['addressType', 'checkMACAddress', 'generatedAddressOffset'].map((field) => `${id}.${field}`);
		c.tell('NIC_OPTION_LOST', id, 'whether VMware made and checks its address has no meaning here', { keys, action: 'dropped' });
	}
	if (otherAddress !== undefined && mac.address === undefined) c.honour(`${id}.address`, `${id}.generatedAddress`);
	const keys = [`${id}.address`, `${id}.generatedAddress`];
	if (address === undefined) {
		c.tell('MAC_MISSING', id, 'it says no address: libvirt makes one', { action: 'defaulted' });
		return undefined;
	}
	const multicast = (Number.parseInt(address.slice(0, 2), 16) & 1) === 1;
	const why = multicast
		? 'is one of a group'
		: address === '00:00:00:00:00:00'
			? 'is no address'
			: taken.has(address)
				? 'is that of another card'
				: undefined;
	if (why !== undefined) {
		c.tell('MAC_INVALID', id, `${address} ${why}: libvirt makes another`, { keys, action: 'defaulted' });
		return undefined;
	}
	taken.add(address);
	return address;
};

/** What Windows, Linux and the others have a driver for from the beginning. */
const safeModel = (c: Context): string => {
	const { profile, family } = c.guest;
	if (profile === 'win-legacy') return 'rtl8139';
	return profile === 'win-modern' || profile === 'linux-modern' || (family === 'linux' && profile !== 'linux-24') ? 'e1000e' : 'e1000';
};

/** The model that the same driver drives, as far as QEMU has it. */
const TWINS: ReadonlyMap<string, string> = new Map([
	['vmxnet3', 'vmxnet3'],
	['e1000', 'e1000'],
	['e1000e', 'e1000e'],
	['vlance', 'pcnet'],
	['flexible', 'pcnet'],
]);

/** The order in which KVM is asked for what a guest has a driver for. */
const PREFERENCE = ['virtio', 'vmxnet3', 'e1000e', 'e1000', 'rtl8139'];

const planModel = (nic: Nic, rule: NetRule | undefined, c: Context): string => {
	const id = idOf(nic);
	const { profile, bits, family } = c.guest;
	const source = nic.model ?? (bits === 64 ? 'e1000' : 'flexible');
	const model = rule?.model ?? chooseModel(source, c);
	if (model === TWINS.get(source)) return model;
	c.tell('NIC_MODEL_CHANGED', id, `${nic.model === undefined ? 'the usual card' : source} becomes ${model}`, {
		keys: [`${id}.virtualDev`, `${id}.features`],
	});
	const facts = c.options.guest?.nic?.[model];
	const known = facts === 'boot' || facts === 'installed';
	const builtIn =
		model === safeModel(c) ||
		(model === 'virtio' && family === 'linux' && profile !== 'linux-24') ||
		(model === 'e1000' && profile !== 'win-legacy');
	if (!known && !builtIn) c.tell('NIC_DRIVER_RISK', id, `the guest may have no driver for ${model}`, { action: 'none' });
	return model;
};

const chooseModel = (source: string, c: Context): string => {
	const { devices = 'auto', guest: facts, assumeVirtio } = c.options;
	const { family, profile } = c.guest;
	const twin = TWINS.get(source);
	if (devices === 'virtio') return 'virtio';
	if (devices === 'safe') return safeModel(c);
	if (devices !== 'auto') return twin ?? (profile === 'linux-modern' ? 'virtio' : profile === 'win-legacy' ? 'pcnet' : 'e1000');
	const states = facts?.nic;
	const found =
		states &&
		PREFERENCE.find((model) => (states[model] === 'boot' || states[model] === 'installed') && (model !== 'vmxnet3' || source === model));
	if (found) return found;
	if (profile === 'linux-modern' || (family === 'windows' && assumeVirtio)) return 'virtio';
	if (profile === 'win-modern') return 'e1000e';
	return profile === 'win-legacy' ? (twin === 'pcnet' ? 'pcnet' : 'rtl8139') : 'e1000';
};
