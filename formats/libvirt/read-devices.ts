import type { CharBackend, CharPort, Display, Network, Nic, SharedFolder, Tpm, Video } from '../../src/machine/spec.ts';
import type { Dom } from './dom.ts';
import { countOf, wordOf, yesOrNo } from './units.ts';

export const readNics = (devices: Dom | undefined, path: string): Nic[] =>
	(devices?.children('interface') ?? []).map((card, index): Nic => {
		const mac = card.child('mac');
		return {
			index,
			model: card.child('model')?.attribute('type'),
			mac: {
				address: mac?.attribute('address')?.toLowerCase(),
				assignment: mac?.attribute('type'),
				checked: yesOrNo(mac?.attribute('check'), `${card.path}/mac/@check`, path),
			},
			network: readNetwork(card),
		};
	});

const readNetwork = (card: Dom): Network => {
	const type = card.attribute('type') ?? '';
	const source = card.child('source');
	if (type === 'user') return { type: 'nat' };
	if (type === 'null') return { type: 'none' };
	if (type === 'bridge') {
		const name = source?.attribute('bridge') || undefined;
		const device = card.child('target')?.attribute('dev');
		return device === undefined ? { type: 'bridged', name } : { type: 'custom', name, device };
	}
	if (type !== 'vds') return { type: 'other', said: type };
	return {
		type: 'dvs',
		switchId: source?.attribute('switchid')?.toLowerCase(),
		portId: source?.attribute('portid'),
		portgroupId: source?.attribute('portgroupid'),
		connectionId: source?.attribute('connectionid'),
	};
};

export const readDisplays = (devices: Dom | undefined, path: string): Display[] =>
	(devices?.children('graphics') ?? []).map((graphics): Display => {
		const said = graphics.attribute('port');
		const port = said === '-1' ? undefined : countOf(said, `${graphics.path}/@port`, path);
		const auto = yesOrNo(graphics.attribute('autoport'), `${graphics.path}/@autoport`, path);
		const listen = graphics.children('listen').find((child) => child.attribute('type') === 'address');
		const listenSaid = graphics.attribute('listen');
		return {
			type: graphics.attribute('type') ?? '',
			port: auto ? undefined : port,
			listen: listen?.attribute('address') ?? listenSaid,
			keymap: graphics.attribute('keymap'),
			password: graphics.attribute('passwd'),
		};
	});

export const readVideos = (devices: Dom | undefined, path: string): Video[] =>
	(devices?.children('video') ?? []).map((video): Video => {
		const model = video.child('model');
		const kib = countOf(model?.attribute('vram'), `${video.path}/model/@vram`, path);
		model?.attribute('primary');
		return {
			model: model?.attribute('type') ?? '',
			vram: kib === undefined ? undefined : kib * 1024,
			heads: countOf(model?.attribute('heads'), `${video.path}/model/@heads`, path),
		};
	});

/** VMware's schemes for libvirt's protocols. */
const SCHEMES: ReadonlyMap<string, string> = new Map([
	['raw', 'tcp'],
	['tls', 'ssl'],
]);

export const readPorts = (devices: Dom | undefined, kind: 'serial' | 'parallel', path: string): CharPort[] => {
	const ports = (devices?.children(kind) ?? []).map((port, position): CharPort => {
		const target = port.child('target');
		const index = countOf(target?.attribute('port'), `${port.path}/target/@port`, path) ?? position;
		return { index, backend: readBackend(port, path) };
	});
	const console = kind === 'serial' ? devices?.child('console') : undefined;
	if (console && isCopy(console, ports[0], path)) {
		readBackend(console, path);
		const target = console.child('target');
		target?.attribute('type');
		target?.attribute('port');
	}
	return ports;
};

/** Whether a console is the first serial port shown once more, as libvirt does. */
const isCopy = (console: Dom, first: CharPort | undefined, path: string): boolean => {
	const copy = console.unread();
	const isSerial = copy.child('target')?.attribute('type') === 'serial';
	return isSerial && first !== undefined && JSON.stringify(readBackend(copy, path)) === JSON.stringify(first.backend);
};

const readBackend = (port: Dom, path: string): CharBackend => {
	const type = port.attribute('type') ?? '';
	const source = port.child('source');
	if (type === 'null') return { type };
	if (type === 'dev' || type === 'file' || type === 'pipe') {
		return { type: type === 'dev' ? 'device' : type, path: source?.attribute('path') };
	}
	if (type !== 'tcp') return { type: 'other', said: type };
	const mode = wordOf(source?.attribute('mode'), ['bind', 'connect'], `${port.path}/source/@mode`, path);
	const protocol = port.child('protocol')?.attribute('type') ?? 'raw';
	return {
		type,
		protocol: SCHEMES.get(protocol) ?? protocol,
		host: source?.attribute('host') ?? '',
		service: source?.attribute('service') ?? '',
		role: mode === 'bind' ? 'server' : 'client',
	};
};

export const readSharedFolders = (devices: Dom | undefined): SharedFolder[] =>
	(devices?.children('filesystem') ?? []).map((folder): SharedFolder => {
		folder.attribute('accessmode');
		return {
			type: folder.attribute('type') ?? 'mount',
			hostPath: folder.child('source')?.attribute('dir') ?? '',
			guestName: folder.child('target')?.attribute('dir') ?? '',
			writable: folder.child('readonly') === undefined,
		};
	});

export const readTpms = (devices: Dom | undefined): Tpm[] =>
	(devices?.children('tpm') ?? []).map((tpm): Tpm => {
		const backend = tpm.child('backend');
		return { model: tpm.attribute('model'), backend: backend?.attribute('type'), version: backend?.attribute('version') };
	});
