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
import { element } from './build.ts';

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
		...spec.tpms.map(writeTpm),
		...spec.displays.map(writeDisplay),
		...spec.videos.map(writeVideo),
	];
};

const writeDisk = ({ kind, media, target, bus, cache, mode, readOnly, address }: DiskDevice): XmlElement =>
	element(
		'disk',
		{ type: media.type === 'none' ? media.of : media.type === 'auto' ? 'block' : media.type, device: kind },
		cache !== undefined && element('driver', { cache }),
		media.type === 'file' && element('source', { file: media.path }),
		media.type === 'block' && element('source', { dev: media.path }),
		media.type === 'auto' && element('source', { startupPolicy: 'optional' }),
		element('target', { dev: target, bus }),
		readOnly && element('readonly', {}),
		mode === 'independent-nonpersistent' && element('transient', {}),
		address && element('address', { type: 'drive', controller: address[0], bus: address[1], target: address[2], unit: address[3] }),
	);

const writeController = ({ bus, index, model, pci }: Controller): XmlElement =>
	element('controller', { type: bus, index, model: model === 'pvscsi' ? 'vmpvscsi' : model }, pci && writePciAddress(pci));

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

const writeNic = ({ mac, network, model, pci }: Nic): XmlElement =>
	element(
		'interface',
		{ type: network.type === 'other' ? network.said : NETWORK_TYPES[network.type] },
		element('mac', {
			address: mac.address,
			type: mac.assignment,
			check: mac.checked === undefined ? undefined : mac.checked ? 'yes' : 'no',
		}),
		...writeNetwork(network),
		model !== undefined && element('model', { type: model }),
		pci && writePciAddress(pci),
	);

const writeNetwork = (network: Network): XmlElement[] => {
	if (network.type === 'bridged') return [element('source', { bridge: network.name })];
	if (network.type === 'custom') return [element('source', { bridge: network.name }), element('target', { dev: network.device })];
	if (network.type !== 'dvs') return [];
	const { switchId, portId, portgroupId, connectionId } = network;
	return [element('source', { switchid: switchId, portid: portId, portgroupid: portgroupId, connectionid: connectionId })];
};

const writePort = (name: string, { index, backend }: CharPort, targetType?: string): XmlElement =>
	element(
		name,
		{ type: backend.type === 'device' ? 'dev' : backend.type },
		...writeBackend(backend),
		element('target', { type: targetType, port: index }),
	);

/** libvirt's words for VMware's schemes. */
const PROTOCOLS: ReadonlyMap<string, string> = new Map([
	['tcp', 'raw'],
	['ssl', 'tls'],
]);

const writeBackend = (backend: CharBackend): XmlElement[] => {
	if ('path' in backend) return backend.path === undefined ? [] : [element('source', { path: backend.path })];
	if (backend.type !== 'tcp') return [];
	const { role, host, service, protocol } = backend;
	return [
		element('source', { mode: role === 'client' ? 'connect' : 'bind', host, service }),
		element('protocol', { type: PROTOCOLS.get(protocol) ?? protocol }),
	];
};

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
