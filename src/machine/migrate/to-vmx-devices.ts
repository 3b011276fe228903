import { toVmxPath } from '../faithful/paths.ts';
import type { CharBackend, CharPort, SharedFolder, Sound, Tpm, Usb, Video } from '../spec.ts';
import type { Migration } from './to-vmx-context.ts';
import { hasBackend } from './to-vmx-product.ts';

const KIB64 = 64 << 10;
const LEAST_VRAM = 8 << 20;

/** Everything has VMware's adapter. */
export const planVideos = (m: Migration): Video[] => {
	const { videos, displays } = m.spec;
	const was = m.origin?.videos[0];
	for (const [index, { model, heads = 1 }] of videos.entries()) {
		if (index === 0 && model === 'vmvga' && heads === 1) continue;
		const message = `video '${model}' of ${heads} heads becomes VMware's adapter${index > 0 ? ', of which there is one' : ''}`;
		m.tell('VIDEO_CHANGED', 'video', message, { keys: [field('video', index, videos.length)] });
	}
	for (const [index, { type, listen }] of displays.entries()) {
		const message = `the screen is seen in VMware's console, and not by ${type}${listen === undefined ? '' : ` at ${listen}`}`;
		m.tell('GRAPHICS_CHANGED', 'graphics', message, { keys: [field('graphics', index, displays.length)], action: 'dropped' });
	}
	if (was && m.isAsWritten('video')) return [was];
	const said = videos[0]?.vram;
	const vram = Math.max(LEAST_VRAM, Math.ceil((said ?? 0) / KIB64) * KIB64);
	if (said !== undefined && vram !== said) {
		const message = `the video memory is raised from ${said} bytes to ${vram}`;
		m.tell('VIDEO_CHANGED', 'video memory', message, { keys: [field('video', 0, videos.length)] });
	}
	return [{ model: 'vmvga', vram, autodetect: false }];
};

const field = (name: string, index: number, count: number): string => `devices/${name}${count === 1 ? '' : `[${index + 1}]`}`;

export const planSounds = (m: Migration): Sound[] => {
	const [sound] = m.spec.sounds ?? [];
	if (!sound) return [];
	const keys = (m.spec.sounds ?? []).map((_, index, all) => field('sound', index, all.length));
	if (m.product === 'esxi') {
		m.tell('DEVICE_DROPPED', 'sound', `ESXi has no sound card for '${sound.model}'`, { keys, action: 'dropped' });
		return [];
	}
	const was = m.origin?.sounds?.[0];
	if (was && m.isAsWritten('sound')) return [was];
	const isOld = m.guest.profile === 'win-legacy' || m.guest.profile === 'linux-24';
	const model = isOld ? 'es1371' : 'hdaudio';
	m.tell('SOUND_CHANGED', 'sound', `the sound card '${sound.model}' becomes ${model}`, { keys });
	return [{ model }];
};

export const planUsb = (m: Migration): Usb | undefined => {
	// What is there for a mouse of KVM's is not what the machine had.
	if (m.origin && m.isAsWritten('usb')) return m.origin.usb;
	const { usb } = m.spec;
	return usb && (m.hardwareVersion < 8 ? { uhci: true, ehci: usb.ehci || usb.xhci } : { ...usb, uhci: usb.uhci || usb.ehci });
};

const MOST_PORTS = { serial: 4, parallel: 3 } as const;

/** Ports whose other end there is in VMware. */
export const planPorts = (kind: 'serial' | 'parallel', m: Migration): CharPort[] => {
	const ports = kind === 'serial' ? m.spec.serials : m.spec.parallels;
	const were = (kind === 'serial' ? m.origin?.serials : m.origin?.parallels) ?? [];
	const leftOut = were.filter((was) => !ports.some(({ index }) => index === was.index) && isInNoDomain(kind, was));
	const planned = ports.flatMap(({ index, backend }, position): CharPort[] => {
		const was = were.find((port) => port.index === index);
		const id = `${kind}${index}`;
		if (was && m.isAsWritten(id) && hasBackend(was.backend, m.product)) return [was];
		const keys = [field(kind, position, ports.length)];
		const planned = index < MOST_PORTS[kind] ? planBackend(backend, id, keys, m) : undefined;
		if (planned && (kind === 'serial' || planned.type === 'device' || planned.type === 'file')) return [{ index, backend: planned }];
		const said = backend.type === 'other' ? backend.said : backend.type;
		m.tell('SERIAL_DROPPED', id, `VMware has no ${kind} port ${index} that is a '${said}'`, { keys, action: 'dropped' });
		return [];
	});
	for (const { index, backend } of leftOut.filter((was) => !hasBackend(was.backend, m.product))) {
		const said = backend.type === 'other' ? backend.said : backend.type;
		m.tell('SERIAL_DROPPED', `${kind}${index}`, `the port of the VMX is a '${said}' of another host`, { action: 'dropped' });
	}
	return [...planned, ...leftOut.filter((was) => hasBackend(was.backend, m.product))];
};

/** Ports that no domain of KVM's has: parallel ones, VMware's printer, and more than a PC has. */
const isInNoDomain = (kind: 'serial' | 'parallel', { index, backend }: CharPort): boolean =>
	kind === 'parallel' || index >= MOST_PORTS.serial || (backend.type === 'other' && backend.said === 'thinprint');

const SCHEMES = ['tcp', 'telnet', 'telnets', 'ssl'];

const planBackend = (backend: CharBackend, id: string, keys: readonly string[], m: Migration): CharBackend | undefined => {
	switch (backend.type) {
		case 'tcp':
			return SCHEMES.includes(backend.protocol) && backend.service !== '' ? backend : undefined;
		case 'file': {
			if (backend.path === undefined) return undefined;
			const path = /^\[|^[^/\\]*$/.test(backend.path) ? toVmxPath(backend.path) : (backend.path.split(/[/\\]/).at(-1) ?? '');
			if (path !== toVmxPath(backend.path)) m.tell('SERIAL_FILE_MOVED', id, `${backend.path} becomes ${path} beside the VMX`, { keys });
			return { type: 'file', path };
		}
		case 'device':
			if (backend.path === undefined) return undefined;
			m.tell('SERIAL_HOST_DEVICE', id, `${backend.path} is a device of the old host`, { keys, action: 'none' });
			return backend;
		case 'other':
			if (backend.said !== 'unix' || backend.path === undefined) return undefined;
			m.tell('SERIAL_PIPE', id, `the socket ${backend.path} is what VMware calls a pipe`, { keys });
			return { type: 'pipe', path: backend.path, role: backend.role ?? 'server' };
		default:
			return undefined;
	}
};

export const planFolders = (m: Migration): readonly SharedFolder[] => {
	// A domain of KVM's has them where somebody wanted them there.
	const isBack = m.origin !== undefined && m.spec.sharedFolders.length === 0;
	const folders = isBack ? m.origin.sharedFolders : m.spec.sharedFolders;
	return folders.flatMap((folder, index, all) => {
		if (folder.type === 'mount' && m.product !== 'esxi' && folder.hostPath !== '') return [folder];
		const message = `the folder '${folder.hostPath}' (${folder.type}) is not shared as '${folder.guestName}'`;
		m.tell('SHARED_FOLDER_DROPPED', 'shared folders', message, {
			keys: isBack ? [] : [field('filesystem', index, all.length)],
			action: 'dropped',
		});
		return [];
	});
};

export const planTpms = (isEfi: boolean, m: Migration): Tpm[] => {
	const { tpms } = m.spec;
	return tpms.flatMap(({ model, backend, version }, index): Tpm[] => {
		const keys = [field('tpm', index, tpms.length)];
		const said = [model, backend, version].filter((part) => part !== undefined).join(', ');
		const is2 = version === '2.0' || (version === undefined && model === 'tpm-crb');
		if (!isEfi || backend !== 'emulator' || !is2 || index > 0) {
			const message = `VMware has an emulated TPM 2.0, with EFI: '${said}' is left out`;
			m.tell('TPM_UNSUPPORTED', 'tpm', message, { keys, action: 'dropped' });
			return [];
		}
		if (m.product !== 'esxi' && m.origin?.tpms[0]?.assumed) {
			m.tell('TPM_STATE_LOST', 'tpm', `the TPM (${said}) starts empty: Workstation or Fusion adds it at the next start`, { keys });
			return [{ model: 'tpm-crb', backend, version: '2.0', assumed: true }];
		}
		const message = `the TPM (${said}) starts empty, and VMware starts it where the machine is encrypted or vCenter has a key provider`;
		m.tell('TPM_NEEDS_PROVIDER', 'tpm', message, { keys });
		return [{ model: 'tpm-crb', backend, version: '2.0' }];
	});
};
