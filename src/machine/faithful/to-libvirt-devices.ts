import type { CharBackend, CharPort, Mac, Network, Nic } from '../spec.ts';
import type { Context } from './context.ts';
import { fromVmxPath } from './paths.ts';
import { pciAddress } from './to-libvirt-disks.ts';

/** VMware's network cards, all that libvirt takes. */
const NIC_MODELS = ['vlance', 'vmxnet', 'vmxnet2', 'vmxnet3', 'e1000', 'e1000e'];

/** The network cards as libvirt shows them. */
export const planNics = (nics: readonly Nic[], c: Context): Nic[] =>
	nics.map((nic) => {
		const id = `ethernet${nic.index}`;
		if (nic.model !== undefined && !NIC_MODELS.includes(nic.model)) c.refuse(`${id}.virtualDev`, `it is '${nic.model}'`);
		if (nic.pciSlotNumber !== undefined && !c.profile.allControllers) {
			c.tell('ADDRESS_DROPPED', id, `${c.profile.name} does not show PCI addresses`, [`${id}.pciSlotNumber`]);
		}
		return {
			index: nic.index,
			model: nic.model,
			mac: planMac(nic.mac, id, c),
			network: planNetwork(nic.network, id, c),
			pci: c.profile.allControllers ? pciAddress(nic.pciSlotNumber) : undefined,
		};
	});

const planMac = ({ address, assignment, checked, checkedSaid }: Mac, id: string, c: Context): Mac => {
	if (address === undefined) {
		c.tell('MAC_MISSING', id, `${id} says no address: libvirt shows zeros`, [], 'defaulted');
	}
	if (assignment !== undefined && !['static', 'generated', 'vpx'].includes(assignment)) {
		c.refuse(`${id}.addressType`, `it is '${assignment}'`);
	}
	const asRead = checkedSaid === undefined ? undefined : checkedSaid === 'true';
	if (asRead !== checked) {
		const key = `${id}.checkMACAddress`;
		c.tell('NIC_OPTION_LOST', id, `libvirt takes '${checkedSaid}' for ${key} as a no, and VMware as a yes`, [key], 'changed');
	}
	// That vCenter gave the address shows in its range alone.
	return { address: address ?? '00:00:00:00:00:00', assignment: assignment === 'vpx' ? 'generated' : assignment, checked: asRead };
};

const planNetwork = (network: Network, id: string, c: Context): Network => {
	if (network.type === 'other') return c.refuse(`${id}.connectionType`, `it is '${network.said}'`);
	if (network.type === 'bridged' || network.type === 'custom') {
		if (network.name === undefined) c.refuse(`${id}.networkName`, 'it is not said');
		if (network.type === 'custom' && network.device === undefined) c.refuse(`${id}.vnet`, 'it is not said');
	}
	if (network.type === 'nat' && network.name !== undefined) {
		c.tell('NET_OPTION_LOST', id, `a domain does not say the name of a NAT network, ${network.name}`, [`${id}.networkName`]);
		return { type: 'nat' };
	}
	if (network.type !== 'dvs') return network;
	for (const [field, key] of [
		['portgroupId', 'dvs.portgroupId'],
		['portId', 'dvs.portId'],
		['connectionId', 'dvs.connectionId'],
	] as const) {
		const value = network[field];
		if (value === undefined && !c.profile.partialDvs) c.refuse(`${id}.${key}`, 'it is not said', '--profile libvirt-11.3');
		if (value !== undefined && field !== 'portgroupId' && !/^-?\d{1,19}$/.test(value)) c.refuse(`${id}.${key}`, `'${value}' is no number`);
	}
	return network;
};

/** The ports as libvirt shows them; it looks at so many. */
export const planPorts = (kind: 'serial' | 'parallel', ports: readonly CharPort[], most: number, c: Context): CharPort[] =>
	ports.flatMap((port): CharPort[] => {
		const id = `${kind}${port.index}`;
		if (port.index >= most) {
			c.tell('DEVICE_DROPPED', id, `libvirt looks at ${most} ${kind} ports: ${id} is left out`, portKeys(id));
			return [];
		}
		return [{ index: port.index, backend: planBackend(port.backend, id, kind, c) }];
	});

const portKeys = (id: string): string[] => ['present', 'fileType', 'fileName', 'network.endPoint'].map((field) => `${id}.${field}`);

const planBackend = (backend: CharBackend, id: string, kind: string, c: Context): CharBackend => {
	const refuse = (said: string): never => c.refuse(`${id}.fileType`, `libvirt knows no ${kind} port of type '${said}'`);
	if (backend.type === 'other') return refuse(backend.said);
	if (backend.type === 'null') return backend;
	if (kind === 'parallel' && backend.type !== 'device' && backend.type !== 'file') return refuse(backend.type);
	if (backend.type === 'file') {
		return { ...backend, path: backend.path === undefined ? undefined : fromVmxPath(backend.path, `${id}.fileName`, c) };
	}
	if (backend.type === 'unclear') {
		if (!c.profile.unclearSerial) c.refuse(`${id}.fileName`, 'the address says no port', '--profile libvirt-11.3');
		c.tell('SERIAL_UNCLEAR', id, `${id} has an address without a port: libvirt connects it to nothing`, portKeys(id));
		return { type: 'null' };
	}
	if (backend.type !== 'tcp') return backend;
	if (backend.role !== 'server' && backend.role !== 'client') c.refuse(`${id}.network.endPoint`, `it is '${backend.role}'`);
	const protocol = PROTOCOLS.get(backend.protocol);
	return protocol ? { ...backend, protocol } : c.refuse(`${id}.fileName`, `libvirt does not know the scheme '${backend.protocol}'`);
};

/** The schemes that libvirt tells apart, of those that it knows. */
const PROTOCOLS: ReadonlyMap<string, string> = new Map([
	...['tcp', 'tcp4', 'tcp6'].map((scheme) => [scheme, 'tcp'] as const),
	['telnet', 'telnet'],
	['telnets', 'telnets'],
	...['ssl', 'tcp+ssl', 'tcp4+ssl', 'tcp6+ssl'].map((scheme) => [scheme, 'ssl'] as const),
]);
