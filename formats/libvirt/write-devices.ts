import type { XmlElement } from '../../src/bytes/xml.ts';
import type {
	CharBackend,
	CharPort,
	Controller,
	DiskDevice,
	Display,
	Network,
	Nic,
	PciAddress,
	SharedFolder,
	Tpm,
	Video,
	VmSpec,
} from '../../src/machine/spec.ts';
import { element, unlessEmpty } from './build.ts';
import { isSlot, slotAlias } from './write-slots.ts';

/** The devices in libvirt's order. */
export const writeDevices = (spec: VmSpec): XmlElement[] => {
	const [first] = spec.serials;
	return [
		...spec.disks.map(writeDisk),
		...spec.controllers.map(writeController),
		...spec.sharedFolders.map(writeSharedFolder),
		...spec.nics.map(writeNic),
		...spec.serials.map((port) => writePort('serial', port)),
		...spec.parallels.map((port) => writePort('parallel', port)),
		// libvirt shows the first serial port once more.
		...(first ? [writePort('console', first, 'serial')] : []),
		...(spec.channels ?? []).map(writeChannel),
		...(spec.inputs ?? []).map(({ type, bus }) => element('input', { type, bus })),
		...spec.tpms.map(writeTpm),
		...spec.displays.map(writeDisplay),
		...(spec.sounds ?? []).map(({ model }) => element('sound', { model })),
		...spec.videos.map(writeVideo),
		...(spec.balloon === undefined ? [] : [element('memballoon', { model: spec.balloon })]),
		...(spec.rng === undefined ? [] : [element('rng', { model: spec.rng }, element('backend', { model: 'random' }, '/dev/urandom'))]),
	];
};

const writeDisk = ({ kind, media, target, bus, cache, mode, readOnly, address, ...disk }: DiskDevice): XmlElement =>
	element(
		'disk',
		{
			type: media.type === 'none' ? media.of : media.type === 'auto' ? 'block' : media.type,
			device: kind,
			snapshot: disk.snapshots === false ? 'no' : undefined,
		},
		unlessEmpty(element('driver', { name: disk.format && 'qemu', type: disk.format, cache })),
		media.type === 'file' && element('source', { file: media.path }),
		media.type === 'block' && element('source', { dev: media.path }),
		media.type === 'auto' && element('source', { startupPolicy: 'optional' }),
		element('target', { dev: target, bus }),
		readOnly && element('readonly', {}),
		disk.shareable && element('shareable', {}),
		mode === 'independent-nonpersistent' && element('transient', {}),
		disk.serial !== undefined && element('serial', {}, disk.serial),
		disk.wwn !== undefined && element('wwn', {}, disk.wwn),
		disk.bootOrder !== undefined && element('boot', { order: disk.bootOrder }),
		address && element('address', { type: 'drive', controller: address[0], bus: address[1], target: address[2], unit: address[3] }),
	);

/** libvirt's names for adapters that the model calls otherwise. */
const MODELS: ReadonlyMap<string, string> = new Map([
	['pvscsi', 'vmpvscsi'],
	['lsi53c895a', 'lsilogic'],
]);

const writeController = (controller: Controller): XmlElement => {
	const { bus, index, model, pci } = controller;
	return element(
		'controller',
		{ type: bus, index, model: MODELS.get(model ?? '') ?? model },
		isSlot(controller) && element('alias', { name: slotAlias(controller) }),
		pci && writePciAddress(pci),
	);
};

const writePciAddress = ({ domain, bus, slot, fn }: PciAddress): XmlElement => {
	const hex = (value: number, digits: number) => `0x${value.toString(16).padStart(digits, '0')}`;
	return element('address', { type: 'pci', domain: hex(domain, 4), bus: hex(bus, 2), slot: hex(slot, 2), function: hex(fn, 1) });
};

const writeSharedFolder = ({ hostPath, guestName, writable }: SharedFolder): XmlElement =>
	element(
		'filesystem',
		{ type: 'mount', accessmode: 'passthrough' },
		element('source', { dir: hostPath }),
		element('target', { dir: guestName }),
		!writable && element('readonly', {}),
	);

/** libvirt's words for kinds of networks. */
const NETWORK_TYPES = { none: 'null', bridged: 'bridge', custom: 'bridge', nat: 'user', dvs: 'vds' } as const;

const writeNic = ({ mac, network, model, pci, vlans, connected, bootOrder }: Nic): XmlElement =>
	element(
		'interface',
		{ type: network.type === 'other' ? network.said : NETWORK_TYPES[network.type] },
		unlessEmpty(
			element('mac', {
				address: mac.address,
				type: mac.assignment,
				check: mac.checked === undefined ? undefined : mac.checked ? 'yes' : 'no',
			}),
		),
		...writeNetwork(network),
		model !== undefined && element('model', { type: model }),
		vlans !== undefined && element('vlan', {}, ...vlans.map((id) => element('tag', { id }))),
		connected === false && element('link', { state: 'down' }),
		bootOrder !== undefined && element('boot', { order: bootOrder }),
		pci && writePciAddress(pci),
	);

const writeNetwork = (network: Network): XmlElement[] => {
	if (network.type === 'bridged') {
		const source = element('source', { bridge: network.name });
		return network.openVswitch ? [source, element('virtualport', { type: 'openvswitch' })] : [source];
	}
	if (network.type === 'other' && network.said === 'network') {
		return [element('source', { network: network.name, portgroup: network.portgroup })];
	}
	if (network.type === 'other' && network.said === 'direct') return [element('source', { dev: network.name, mode: network.mode })];
	if (network.type === 'custom') return [element('source', { bridge: network.name }), element('target', { dev: network.device })];
	if (network.type !== 'dvs') return [];
	const { switchId, portId, portgroupId, connectionId } = network;
	return [element('source', { switchid: switchId, portid: portId, portgroupid: portgroupId, connectionid: connectionId })];
};

const writePort = (name: string, { index, backend }: CharPort, targetType?: string): XmlElement =>
	element(
		name,
		{ type: backend.type === 'device' ? 'dev' : backend.type === 'other' ? backend.said : backend.type },
		...writeBackend(backend),
		element('target', { type: targetType, port: index }),
	);

/** libvirt's words for VMware's schemes. */
const PROTOCOLS: ReadonlyMap<string, string> = new Map([
	['tcp', 'raw'],
	['ssl', 'tls'],
]);

const writeBackend = (backend: CharBackend): XmlElement[] => {
	if (backend.type === 'other') {
		const { path, role } = backend;
		return path === undefined ? [] : [element('source', { mode: role === 'client' ? 'connect' : 'bind', path })];
	}
	if ('path' in backend) return backend.path === undefined ? [] : [element('source', { path: backend.path })];
	if (backend.type !== 'tcp') return [];
	const { role, host, service, protocol } = backend;
	return [
		element('source', { mode: role === 'client' ? 'connect' : 'bind', host, service }),
		element('protocol', { type: PROTOCOLS.get(protocol) ?? protocol }),
	];
};

const writeChannel = (name: string): XmlElement => element('channel', { type: 'unix' }, element('target', { type: 'virtio', name }));

const writeTpm = ({ model, backend, version }: Tpm): XmlElement =>
	element('tpm', { model }, element('backend', { type: backend, version }));

const writeDisplay = ({ type, port, listen, keymap, password }: Display): XmlElement =>
	element(
		'graphics',
		{ type, port: port ?? -1, autoport: port === undefined ? 'yes' : 'no', listen, keymap, passwd: password },
		element('listen', { type: 'address', address: listen }),
	);

const writeVideo = ({ model, vram }: Video): XmlElement =>
	element('video', {}, element('model', { type: model, vram: vram === undefined ? undefined : Math.ceil(vram / 1024), primary: 'yes' }));
