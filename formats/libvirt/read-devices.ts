import type { CharBackend, CharPort, Display, SharedFolder, Sound, Tpm, Usb, Video } from '../../src/machine/spec.ts';
import type { Dom } from './dom.ts';
import { countOf, wordOf, yesOrNo } from './units.ts';

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
	if (type !== 'tcp') return readOther(port.more(), type);
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

const readOther = (port: Dom, said: string): CharBackend => {
	const source = said === 'unix' ? port.child('source') : undefined;
	const mode = source?.attribute('mode');
	return { type: 'other', said, path: source?.attribute('path'), role: mode === 'bind' ? 'server' : mode && 'client' };
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

/** A sound card; a device for what is heard of it, `audio`, is none. */
export const readSounds = (devices: Dom | undefined): Sound[] =>
	(devices?.more().children('sound') ?? []).map((sound): Sound => ({ model: sound.attribute('model') }));

/** What the models of USB controllers speak: USB 1, 2 or 3. */
const SPEAKS = [
	['uhci', /uhci|ohci/],
	['ehci', /ehci/],
	['xhci', /xhci/],
] as const;

export const readUsb = (devices: Dom | undefined): Usb | undefined => {
	const controllers = (devices?.more().children('controller') ?? []).filter((controller) => controller.attribute('type') === 'usb');
	const models = controllers.map((controller) => controller.attribute('model') ?? 'uhci');
	const spoken = SPEAKS.filter(([, pattern]) => models.some((model) => pattern.test(model)));
	return spoken.length > 0 ? Object.fromEntries(spoken.map(([name]) => [name, true])) : undefined;
};
