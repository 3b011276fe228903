import type { Mac, Network, Nic } from '../spec.ts';
import type { Migration } from './to-vmx-context.ts';
import { hasNetwork } from './to-vmx-product.ts';
import { cardOf } from './written.ts';

/** VMware's network cards. */
const OURS = ['vlance', 'vmxnet', 'vmxnet2', 'vmxnet3', 'e1000', 'e1000e'];

/** The port group that every ESXi begins with. */
const USUAL_NETWORK = 'VM Network';

/** What libvirt calls a custom network is the host's end of a card, which every running domain has: VMware's have such names. */
const VMNET = /^(\/dev\/)?vmnet\d+$/i;

/** The network cards as VMware will have them. Hardware specification, section 8.4. */
export const planNics = (m: Migration): Nic[] => {
	const most = m.hardwareVersion < 7 ? 4 : 10;
	const { nics } = m.spec;
	const fieldOf = (index: number): string => (nics.length === 1 ? 'devices/interface' : `devices/interface[${index + 1}]`);
	for (const nic of nics.slice(most)) {
		const message = `VMware has ${most} network cards, and the one with ${nic.mac.address ?? 'no address'} is left out`;
		m.tell('NIC_LIMIT', `network card ${nic.index + 1}`, message, { keys: [fieldOf(nic.index)], action: 'dropped' });
	}
	const kept = nics.slice(0, most);
	const used = new Set(kept.flatMap((nic) => originNic(nic, m)?.index ?? []));
	const planned = kept.map((nic): Nic => {
		const was = originNic(nic, m);
		let index = was?.index ?? 0;
		while (!was && used.has(index)) index++;
		used.add(index);
		return planNic(nic, index, fieldOf(nic.index), was, m);
	});
	tellNames(kept, m);
	return planned;
};

/** Whether a card that came from a VMX is plugged in: one that is where it was, and that nobody plugged in or out, is as it was. */
const planCable = (nic: Nic, was: Nic, network: Network, field: string, m: Migration): boolean | undefined => {
	if (network === was.network && m.isAsWritten(`${cardOf(nic)} link`)) return was.connected;
	if (nic.connected !== false) return network.type === 'none' ? false : undefined;
	if (was.connected === false) return false;
	const message = `ethernet${was.index} was plugged in, and is not, as in the domain`;
	m.tell('NIC_LINK_DOWN', `ethernet${was.index}`, message, { keys: [`${field}/link`] });
	return false;
};

/** The card of the VMX that the machine came from which has the same address, or has none either and is the same in number. */
const originNic = ({ mac, index }: Nic, { origin }: Migration): Nic | undefined =>
	origin?.nics.find((nic, position) => nic.mac.address === mac.address && (mac.address !== undefined || position === index));

const planNic = (nic: Nic, index: number, field: string, was: Nic | undefined, m: Migration): Nic => {
	const id = `ethernet${index}`;
	const isIn = was && m.isAsWritten(`${cardOf(nic)} network`) && hasNetwork(was, m.product) ? was.network : undefined;
	const network = planNetwork(nic, field, m, isIn);
	if (nic.vlans && nic.vlans.length > 0 && network !== isIn) {
		const message = `VLAN ${nic.vlans.join(', ')} has to be set at the port group that ${id} is connected to`;
		m.tell('VLAN_TO_PORTGROUP', id, message, { keys: [`${field}/vlan`], action: 'dropped' });
	}
	const connected = nic.connected === false || network.type === 'none' ? false : undefined;
	return {
		...was,
		index,
		model: was && m.isAsWritten(`${cardOf(nic)} model`) ? was.model : modelFor(nic, id, field, m),
		network,
		opaqueNetwork: network === was?.network ? was.opaqueNetwork : undefined,
		connected: was ? planCable(nic, was, network, field, m) : connected,
		mac: was ? was.mac : planMac(nic.mac, id, field, m),
	};
};

/** The model that it has in VMware, and a word where that is another. */
const modelFor = ({ model, mac }: Nic, id: string, field: string, m: Migration): string => {
	const planned = planModel(model, m);
	if (planned !== model) {
		const message = `the network card ${model ?? 'of no model'} (${mac.address ?? 'no address'}) becomes ${planned}`;
		m.tell('NIC_MODEL_CHANGED', id, message, { keys: [`${field}/model`] });
	}
	return planned;
};

const planModel = (model: string | undefined, m: Migration): string => {
	const { guest, hardwareVersion, options } = m;
	const newest = (wished: string): string => {
		const isNew = (wished === 'vmxnet3' && hardwareVersion < 7) || (wished === 'e1000e' && hardwareVersion < 8);
		return isNew ? 'e1000' : wished;
	};
	if (model !== undefined && OURS.includes(model)) return newest(model);
	if (model === 'pcnet') return 'vlance';
	if (!model?.startsWith('virtio')) return 'e1000';
	if (options.assumeVmwareDrivers) return newest('vmxnet3');
	const known = knownCard(m);
	if (known !== undefined) return newest(known);
	switch (guest.profile) {
		case 'linux-modern':
		case 'bsd':
			return newest('vmxnet3');
		case 'win-modern':
			return newest('e1000e');
		case 'win-legacy':
			return guest.bits === 32 ? 'vlance' : 'e1000';
		default:
			return 'e1000';
	}
};

/** Whose address it is shows in its range; one of somebody else's is kept, and VMware is told not to mind. */
const planMac = ({ address, assignment, checked }: Mac, id: string, field: string, m: Migration): Mac => {
	if (address === undefined) {
		m.tell('MAC_MISSING', id, 'it says no address: VMware will make one', { action: 'defaulted' });
		return { assignment: 'generated' };
	}
	const isMulticast = Number.parseInt(address.slice(0, 2), 16) % 2 === 1;
	if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(address) || isMulticast || /^[0:]+$/.test(address)) {
		m.tell('MAC_INVALID', id, `${address} is no address of a card: VMware will make one`, { keys: [`${field}/mac`] });
		return { assignment: 'generated' };
	}
	if (assignment !== undefined) return { address, assignment, checked };
	if (address.startsWith('00:0c:29')) return { address, assignment: 'generated', checked };
	if (/^00:50:56:[89ab]/.test(address)) return { address, assignment: 'vpx', checked };
	const isVmware = /^00:50:56:[0-3]/.test(address);
	return { address, assignment: 'static', checked: checked ?? (isVmware ? undefined : false) };
};

/** What a map says of the network of a card. */
const mapped = ({ mac, network }: Nic, networks: ReadonlyMap<string, string>): string | undefined => {
	const name = 'name' in network ? network.name : undefined;
	const kind = network.type === 'other' ? network.said : network.type === 'bridged' || network.type === 'custom' ? 'bridge' : 'type';
	const said = network.type === 'nat' ? 'type:user' : `${kind}:${name ?? ''}`;
	return networks.get(`mac:${mac.address ?? ''}`) ?? networks.get(said) ?? networks.get('default');
};

const planNetwork = (nic: Nic, field: string, m: Migration, was: Network | undefined): Network => {
	const { network } = nic;
	const to = mapped(nic, m.options.networks ?? new Map());
	if (to === 'none') return { type: 'none' };
	if (to === 'nat') return { type: 'nat' };
	if (to === 'hostonly') return { type: 'other', said: 'hostonly' };
	if (to !== undefined) return { type: 'bridged', name: to };
	if (was) return was;
	return isOfVmware(network, m) && hasNetwork(nic, m.product) ? network : unmapped(nic, field, m);
};

/** Whether a domain names a network as VMware does. */
const isOfVmware = (network: Network, { spec }: Migration): boolean => {
	if (network.type === 'custom') return VMNET.test(network.device ?? '');
	const isNamed = network.type === 'bridged' && spec.platform.hypervisor === 'vmware' && network.name !== undefined;
	return isNamed || network.type === 'none' || network.type === 'dvs';
};

/** Where a card is connected whose network VMware does not know. */
const unmapped = ({ network, mac }: Nic, field: string, m: Migration): Network => {
	const kind = network.type === 'other' ? network.said : network.type === 'nat' ? 'user' : 'bridge';
	const name = 'name' in network && network.name !== undefined ? ` '${network.name}'` : '';
	const portgroup = network.type === 'other' && network.portgroup !== undefined ? ` (${network.portgroup})` : '';
	const isNat = network.type === 'nat' || (network.type === 'other' && network.said === 'network' && network.name === 'default');
	const nat = isNat && m.product !== 'esxi';
	const to: Network = nat ? { type: 'nat' } : { type: 'bridged', name: m.product === 'hosted' ? undefined : USUAL_NETWORK };
	const where = nat ? 'VMware NAT' : m.product === 'hosted' ? "the host's network" : `'${USUAL_NETWORK}'`;
	const message = `the ${kind}${name}${portgroup} of ${mac.address ?? 'a card'} is not known to VMware: it is connected to ${where}`;
	const keys = [`${field}/@type`, `${field}/source`, `${field}/target`];
	const severity = isNat && !nat ? 'error' : 'warning';
	m.tell('NET_UNMAPPED', `network of ${mac.address ?? field}`, message, { keys, severity, action: nat ? 'changed' : 'defaulted' });
	return to;
};

/** Linux names cards after their places, which are others. */
const tellNames = (nics: readonly Nic[], m: Migration): void => {
	const moved = nics.filter((nic) => !originNic(nic, m));
	if (moved.length === 0 || m.guest.profile !== 'linux-modern') return;
	const addresses = moved.map(({ mac }) => mac.address ?? 'one without an address').join(', ');
	m.tell('NIC_NAME_CHANGES', 'network', `the guest may name these cards differently: ${addresses}`);
};

/** The newest card that the guest was found to have a driver for. */
const knownCard = ({ options: { guest } }: Migration): string | undefined =>
	['vmxnet3', 'e1000e', 'e1000'].find((model) => ['boot', 'installed'].includes(guest?.nic?.[model] ?? 'unknown'));
