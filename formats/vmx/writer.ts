import type { CharPort, DiskDevice, Mac, Network, Nic, SharedFolder, VmSpec } from '../../src/machine/spec.ts';
import { type DictionaryEntry, dictionaryEntry, printDictionary } from './dictionary.ts';
import { encodeName, escapeValue } from './escape.ts';

const MIB = 1 << 20;

/** Takes one pair after the other; what is undefined is left out. */
type Say = (key: string, value: string | number | boolean | undefined) => void;

/** The text of a VMX, its keys in libvirt's order. */
export const printVmx = (spec: VmSpec): string => {
	const lines: DictionaryEntry[] = [];
	const say: Say = (key, value) => {
		if (value !== undefined) lines.push(dictionaryEntry(key, String(value)));
	};
	const { identity, platform, cpu, memory, firmware, chipset } = spec;
	say('.encoding', 'UTF-8');
	say('config.version', platform.configVersion);
	say('virtualHW.version', platform.hardwareVersion);
	say('guestOS', spec.guest.vmxGuestOs);
	say('smbios.reflecthost', firmware.smbios === 'host' || undefined);
	if (identity.biosUuid === undefined) say('uuid.action', 'create');
	else say('uuid.bios', uuidBytes(identity.biosUuid));
	if (identity.name !== undefined) {
		const stored = encodeName(escapeValue(identity.name));
		lines.push({ key: 'displayName', value: identity.name, stored });
	}
	say('annotation', identity.description);
	say('memsize', inMib(memory.size));
	say('sched.mem.max', memory.limit === 'unlimited' ? memory.limit : inMib(memory.limit));
	say('sched.mem.minsize', inMib(memory.reservation));
	say('numvcpus', cpu.count);
	say('cpuid.coresPerSocket', cpu.topology?.cores);
	say('sched.cpu.affinity', cpu.affinity?.join(','));
	say('sched.cpu.shares', cpu.shares);
	for (const display of spec.displays) {
		say('RemoteDisplay.vnc.enabled', true);
		say('RemoteDisplay.vnc.port', display.port);
		say('RemoteDisplay.vnc.ip', display.listen);
		say('RemoteDisplay.vnc.keymap', display.keymap);
		say('RemoteDisplay.vnc.password', display.password);
	}
	for (const { bus, index, model } of spec.controllers) {
		say(`${bus}${index}.present`, true);
		say(`${bus}${index}.virtualDev`, model);
	}
	for (const disk of spec.disks) sayDisk(disk, say);
	// A floppy drive is present unless a VMX says that it is not.
	for (const id of ['floppy0', 'floppy1']) if (!spec.disks.some((disk) => disk.id === id)) say(`${id}.present`, false);
	saySharedFolders(spec.sharedFolders, say);
	for (const nic of spec.nics) sayNic(nic, say);
	if (spec.tpms.length > 0) say('vtpm.present', true);
	for (const { vram } of spec.videos) say('svga.vramSize', vram);
	for (const port of spec.serials) saySerial(port, say);
	for (const port of spec.parallels) sayPort(`parallel${port.index}`, port.backend, say);
	say('firmware', firmware.type);
	say('nvram', firmware.nvram);
	if (chipset.pciBridges) {
		say('pciBridge0.present', true);
		for (const index of [4, 5, 6, 7]) {
			say(`pciBridge${index}.present`, true);
			say(`pciBridge${index}.virtualDev`, 'pcieRootPort');
			say(`pciBridge${index}.functions`, 8);
		}
	}
	say('vmci0.present', chipset.vmci);
	return printDictionary(lines);
};

const inMib = (bytes: number | undefined): number | undefined => (bytes === undefined ? undefined : Math.ceil(bytes / MIB));

/** `56 4d 9b ef ac d9 b4 e0-c8 f0 ae a8 b9 10 35 15`. */
const uuidBytes = (uuid: string): string => {
	const bytes = uuid.replaceAll('-', '').match(/../g) ?? [];
	return `${bytes.slice(0, 8).join(' ')}-${bytes.slice(8).join(' ')}`;
};

const sayDisk = ({ id, bus, deviceType, fileName, media, cache, mode }: DiskDevice, say: Say): void => {
	say(`${id}.present`, true);
	say(`${id}.${bus === 'fdc' ? 'fileType' : 'deviceType'}`, deviceType);
	if (media.type === 'auto') say(`${id}.autodetect`, true);
	say(`${id}.fileName`, fileName);
	if (cache === 'writethrough') say(`${id}.writeThrough`, true);
	say(`${id}.mode`, mode);
};

const saySharedFolders = (folders: readonly SharedFolder[], say: Say): void => {
	if (folders.length === 0) return;
	say('isolation.tools.hgfs.disable', false);
	say('sharedFolder.maxNum', folders.length);
	for (const [index, { hostPath, guestName, writable }] of folders.entries()) {
		const id = `sharedFolder${index}`;
		say(`${id}.present`, true);
		say(`${id}.enabled`, true);
		say(`${id}.readAccess`, true);
		say(`${id}.writeAccess`, writable);
		say(`${id}.hostPath`, hostPath);
		say(`${id}.guestName`, guestName);
	}
};

const sayNic = ({ index, model, network, mac }: Nic, say: Say): void => {
	const id = `ethernet${index}`;
	say(`${id}.present`, true);
	say(`${id}.virtualDev`, model === 'vmxnet2' ? 'vmxnet' : model);
	if (model === 'vmxnet2') say(`${id}.features`, 15);
	sayNetwork(id, network, say);
	sayMac(id, mac, say);
};

const sayNetwork = (id: string, network: Network, say: Say): void => {
	if (network.type === 'dvs') {
		say(`${id}.dvs.switchId`, network.switchId && uuidBytes(network.switchId));
		say(`${id}.dvs.portId`, network.portId);
		say(`${id}.dvs.portgroupId`, network.portgroupId);
		say(`${id}.dvs.connectionId`, network.connectionId);
		return;
	}
	if ('name' in network) say(`${id}.networkName`, network.name);
	if (network.type !== 'none') say(`${id}.connectionType`, network.type);
	if (network.type === 'custom') say(`${id}.vnet`, network.device);
};

const sayMac = (id: string, { assignment, address, checked }: Mac, say: Say): void => {
	say(`${id}.addressType`, assignment);
	say(`${id}.${assignment === 'static' ? 'address' : 'generatedAddress'}`, address);
	if (assignment === 'generated' && address !== undefined) say(`${id}.generatedAddressOffset`, 0);
	say(`${id}.checkMACAddress`, checked);
};

const saySerial = ({ index, backend }: CharPort, say: Say): void => {
	sayPort(`serial${index}`, backend, say);
	say(`serial${index}.yieldOnMsrRead`, true);
};

const sayPort = (id: string, backend: CharPort['backend'], say: Say): void => {
	say(`${id}.present`, true);
	if (backend.type === 'tcp') {
		const { protocol, host, service, role } = backend;
		say(`${id}.fileType`, 'network');
		say(`${id}.fileName`, `${protocol}://${host}:${service}`);
		say(`${id}.network.endPoint`, role);
		return;
	}
	say(`${id}.fileType`, backend.type);
	if (backend.type === 'pipe') {
		say(`${id}.pipe.endPoint`, 'client');
		say(`${id}.tryNoRxLoss`, false);
	}
	if ('path' in backend) say(`${id}.fileName`, backend.path);
};
