import { plainText } from '../../bytes/xml-text.ts';
import type { CharBackend, CharPort, Controller, Display, Input, Sound, Video, VmSpec } from '../spec.ts';
import type { Context } from './context.ts';
import { folderOf } from './media.ts';

const isModern = (c: Context): boolean => c.guest.profile === 'linux-modern' || c.guest.profile === 'win-modern';

/** Hardware specification, section 7.7. */
export const planVideos = (c: Context): readonly Video[] => {
	const vram = c.source.videos[0]?.vram;
	const model = c.guest.profile === 'linux-modern' ? 'virtio' : 'vga';
	// QEMU takes powers of two, of which 256 MiB is the most that guests expect.
	const size = 2 ** Math.ceil(Math.log2(Math.min(Math.max(vram ?? 0, 16 << 20), 256 << 20)));
	const message = `VMware's SVGA becomes ${model}${model === 'vga' ? ` with ${size >> 20} MiB` : ''}: the drivers for the one do not fit the other's`;
	c.tell('VIDEO_CHANGED', 'video', message, { keys: ['svga.vramSize'] });
	return [{ model, vram: model === 'vga' ? size : undefined }];
};

/** A screen for the host alone: a port and a password are the host's to choose. */
export const planDisplays = (c: Context): readonly Display[] => {
	const [said] = c.source.displays;
	if (said) {
		const keys = ['enabled', 'port', 'ip'].map((field) => `RemoteDisplay.vnc.${field}`);
		c.tell('GRAPHICS_CHANGED', 'graphics', 'its screen is on a free port of VNC, for the host alone', { keys });
	}
	if (said?.password !== undefined) {
		const message = 'the password of VNC is not taken over';
		c.tell('VNC_PASSWORD_DROPPED', 'graphics', message, { keys: ['RemoteDisplay.vnc.password'], action: 'dropped' });
	}
	return [{ type: 'vnc', listen: '127.0.0.1', keymap: said?.keymap && plainText(said.keymap) }];
};

export const planSounds = (machine: string, c: Context): readonly Sound[] =>
	(c.source.sounds ?? []).map(({ model }) => {
		const legacy = c.guest.profile === 'win-legacy' || c.guest.profile === 'linux-24';
		const source = model ?? (isModern(c) || c.guest.profile === 'win-nt6' ? 'hdaudio' : 'es1371');
		const hd = machine === 'q35' ? 'ich9' : 'ich6';
		const target = source === 'sb16' ? 'sb16' : source === 'es1371' && legacy ? 'ac97' : hd;
		c.honour('sound.present', 'sound.virtualDev');
		if (source !== 'hdaudio' && source !== target)
			c.tell('SOUND_CHANGED', 'sound', `${source} becomes ${target}`, { keys: ['sound.virtualDev'] });
		return { model: target };
	});

/** One controller of the newest kind that the guest drives: there is always one, for the tablet. */
export const planUsb = (c: Context): readonly Controller[] => {
	c.honour('usb.present', 'ehci.present', 'usb_xhci.present');
	const model = isModern(c) ? 'qemu-xhci' : c.guest.profile === 'win-legacy' ? 'piix3-uhci' : 'ich9-ehci1';
	return [{ bus: 'usb', index: 0, model, keys: [] }];
};

/** A tablet knows where the pointer is; the others have no driver for one. */
export const planInputs = (c: Context): readonly Input[] =>
	c.guest.family === 'windows' || c.guest.profile === 'linux-modern' ? [{ type: 'tablet', bus: 'usb' }] : [];

/** What QEMU's guest agent and drivers take the place of VMware's Tools with. */
export const planHelpers = (c: Context): Pick<VmSpec, 'channels' | 'balloon' | 'rng'> => {
	const agent = c.guest.family === 'windows' || (c.guest.family === 'linux' && c.guest.profile !== 'linux-24');
	if (agent) c.tell('TOOLS_REPLACED', 'guest', "the channel of QEMU's guest agent takes the place of VMware Tools", { action: 'none' });
	return { channels: agent ? ['org.qemu.guest_agent.0'] : undefined, balloon: 'virtio', rng: 'virtio' };
};

/** VMware's shared folders are files of its host. */
export const planFolders = (c: Context): VmSpec['sharedFolders'] => {
	c.source.sharedFolders.forEach(({ hostPath, guestName, index }) => {
		const id = `sharedFolder${index}`;
		const keys = ['present', 'enabled', 'hostPath', 'guestName', 'writeAccess'].map((field) => `${id}.${field}`);
		const more = ['sharedFolder.maxNum', 'isolation.tools.hgfs.disable'];
		c.tell('SHARED_FOLDER_DROPPED', id, `the host's folder '${hostPath}', '${guestName}' in the guest, is not shared`, {
			keys: [...keys, ...more],
			action: 'dropped',
			remedy: 'share it by virtiofs',
		});
	});
	return [];
};

/** A PC has so many ports. */
const MOST = { serial: 4, parallel: 3 } as const;

/** Hardware specification, section 7.8. */
export const planPorts = (kind: 'serial' | 'parallel', c: Context): readonly CharPort[] => {
	const planned = c.source[kind === 'serial' ? 'serials' : 'parallels'].flatMap((port): CharPort[] => {
		const id = `${kind}${port.index}`;
		if (port.index >= MOST[kind]) {
			c.tell('DEVICE_DROPPED', id, `a PC has ${MOST[kind]} ${kind} ports: it is left out`, { keys: keysOf(id), action: 'dropped' });
			return [];
		}
		const backend = planBackend(kind, port.backend, id, c);
		return backend ? [{ index: port.index, backend }] : [];
	});
	if (kind === 'parallel' || planned.length > 0 || c.guest.family !== 'linux') return planned;
	return [{ index: 0, backend: { type: 'other', said: 'pty' } }];
};

const keysOf = (id: string): string[] =>
	['present', 'fileType', 'fileName', 'network.endPoint', 'pipe.endPoint'].map((field) => `${id}.${field}`);

/** What is at the other end. Undefined: the port is left out. */
const planBackend = (kind: string, backend: CharBackend, id: string, c: Context): CharBackend | undefined => {
	const keys = keysOf(id);
	const file = `${folderOf(c)}/${c.source.identity.name?.replaceAll(/[^\p{L}\p{N}._-]/gu, '-') || 'machine'}-${id}`;
	if (backend.type === 'file') {
		c.tell('SERIAL_FILE_MOVED', id, `what it writes goes to ${file}.log, and no longer to '${backend.path ?? ''}'`, { keys });
		return { type: 'file', path: `${file}.log` };
	}
	if (kind === 'parallel') {
		c.tell(
			'SERIAL_HOST_DEVICE',
			id,
			`it was a device of the old host${'path' in backend && backend.path ? `, '${backend.path}'` : ''}: it is left out`,
			{ keys, action: 'dropped' },
		);
		return undefined;
	}
	if (backend.type === 'device') {
		c.tell('SERIAL_HOST_DEVICE', id, `it was a device of the old host, '${backend.path ?? 'any'}': it is a terminal of the new one`, {
			keys,
		});
		return { type: 'other', said: 'pty' };
	}
	if (backend.type === 'pipe') {
		const path = backend.path?.startsWith('/') ? backend.path : `${file}.sock`;
		c.tell('SERIAL_PIPE', id, `VMware's pipe is a Unix socket here, ${path}`, { keys });
		return { type: 'other', said: 'unix', path, role: backend.role === 'client' ? 'client' : 'server' };
	}
	if (backend.type === 'other' && backend.said === 'thinprint') {
		c.tell('THINPRINT_DROPPED', id, "VMware's virtual printer is left out", { keys, action: 'dropped' });
		return undefined;
	}
	const protocol = backend.type === 'tcp' ? PROTOCOLS.get(backend.protocol) : undefined;
	if (backend.type === 'tcp' && protocol !== undefined && backend.host !== '') return { ...backend, protocol };
	if (backend.type === 'tcp' && protocol !== undefined && backend.role === 'server') return { ...backend, protocol, host: '0.0.0.0' };
	if (backend.type !== 'null') {
		const what =
			backend.type === 'tcp' ? `${backend.protocol}://${backend.host}:${backend.service}` : "a proxy of VMware's, or something else";
		c.tell('SERIAL_PROXY_DROPPED', id, `it was connected to ${what}: it is connected to nothing`, { keys });
	}
	return { type: 'null' };
};

/** VMware's schemes that libvirt has a protocol for. */
const PROTOCOLS: ReadonlyMap<string, string> = new Map([
	...['tcp', 'tcp4', 'tcp6'].map((scheme) => [scheme, 'tcp'] as const),
	['telnet', 'telnet'],
	...['ssl', 'tcp+ssl', 'tcp4+ssl', 'tcp6+ssl'].map((scheme) => [scheme, 'ssl'] as const),
]);
