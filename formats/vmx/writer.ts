import type { CharPort, DiskDevice, Mac, Network, Nic, SharedFolder, Video, VmSpec } from '../../src/machine/spec.ts';
import { type DictionaryEntry, dictionaryEntry, printDictionary } from './dictionary.ts';
import { encodeName, escapeValue } from './escape.ts';

const MIB = 1 << 20;

/** Takes one pair after the other; what is undefined is left out. */
type Say = (key: string, value: string | number | boolean | undefined) => void;

/** The text of a VMX, its keys in libvirt's order. VMware's own products get TRUE, where libvirt says true. */
export const printVmx = (spec: VmSpec): string => {
	const lines: DictionaryEntry[] = [];
	const { identity, platform, cpu, memory, firmware, chipset } = spec;
	const say: Say = (key, value) => {
		if (value === undefined) return;
		const said = String(value);
		lines.push(dictionaryEntry(key, typeof value === 'boolean' && platform.product !== undefined ? said.toUpperCase() : said));
	};
	say('.encoding', 'UTF-8');
	say('config.version', platform.configVersion);
	say('virtualHW.version', platform.hardwareVersion);
	say('guestOS', spec.guest.vmxGuestOs);
	say('smbios.reflecthost', firmware.smbios === 'host' || undefined);
	sayUuids(spec, say);
	if (identity.name !== undefined) {
		const stored = encodeName(escapeValue(identity.name));
		lines.push({ key: 'displayName', value: identity.name, stored });
	}
	say('annotation', identity.description);
	say('memsize', inMib(memory.size));
	say('sched.mem.max', memory.limit === 'unlimited' ? memory.limit : inMib(memory.limit));
	say('sched.mem.minsize', inMib(memory.reservation));
	say('sched.mem.pin', memory.locked);
	say('mem.hotadd', memory.hotAdd);
	say('numvcpus', cpu.online ?? cpu.count);
	say('cpuid.coresPerSocket', cpu.topology?.cores);
	say('vcpu.hotadd', cpu.hotAdd);
	say('vhv.enable', cpu.nested);
	say('hypervisor.cpuid.v0', platform.hidesHypervisor ? false : undefined);
	say('sched.cpu.affinity', cpu.affinity?.join(','));
	say('sched.cpu.shares', cpu.shares);
	for (const display of spec.displays) {
		say('RemoteDisplay.vnc.enabled', true);
		say('RemoteDisplay.vnc.port', display.port);
		say('RemoteDisplay.vnc.ip', display.listen);
		say('RemoteDisplay.vnc.keymap', display.keymap);
		say('RemoteDisplay.vnc.password', display.password);
	}
	for (const { bus, index, model, pciSlotNumber } of spec.controllers) {
		say(`${bus}${index}.present`, true);
		say(`${bus}${index}.virtualDev`, model);
		say(`${bus}${index}.pciSlotNumber`, pciSlotNumber);
	}
	for (const disk of spec.disks) sayDisk(disk, say);
	say('disk.EnableUUID', spec.showsSerials);
	// A floppy drive is present unless a VMX says that it is not.
	for (const id of ['floppy0', 'floppy1']) if (!spec.disks.some((disk) => disk.id === id)) say(`${id}.present`, false);
	saySharedFolders(spec.sharedFolders, say);
	for (const nic of spec.nics) sayNic(nic, say);
	// Another key says one that the product adds.
	if (spec.tpms.some(({ assumed }) => !assumed)) say('vtpm.present', true);
	for (const video of spec.videos) sayVideo(video, platform.product !== undefined, say);
	saySoundAndUsb(spec, say);
	for (const port of spec.serials) saySerial(port, platform.product === undefined, say);
	for (const port of spec.parallels) sayPort(`parallel${port.index}`, port.backend, platform.product === undefined, say);
	sayFirmware(spec, say);
	if (chipset.pciBridges) {
		say('pciBridge0.present', true);
		for (const index of [4, 5, 6, 7]) {
			say(`pciBridge${index}.present`, true);
			say(`pciBridge${index}.virtualDev`, 'pcieRootPort');
			say(`pciBridge${index}.functions`, 8);
		}
	}
	say('vmci0.present', chipset.vmci);
	say('hpet0.present', chipset.hpet);
	const written = new Set(lines.map(({ key }) => key.toLowerCase()));
	for (const [key, value] of spec.kept ?? []) if (!written.has(key.toLowerCase())) say(key, value);
	return printDictionary(lines);
};

const sayUuids = ({ identity, platform }: VmSpec, say: Say): void => {
	const { biosUuid, instanceUuid, domainUuid, generationId } = identity;
	if (biosUuid === undefined) say('uuid.action', 'create');
	else say('uuid.bios', uuidBytes(biosUuid));
	if (platform.product === undefined) return;
	// Nobody is asked whether the machine was moved or copied, and it keeps its UUID.
	if (biosUuid !== undefined) say('uuid.action', 'keep');
	say('vc.uuid', instanceUuid && uuidBytes(instanceUuid));
	say('vconv.uuid', domainUuid);
	const halves = generationId && new DataView(generationId.buffer, generationId.byteOffset, generationId.byteLength);
	say('vm.genid', halves && String(halves.getBigInt64(0, true)));
	say('vm.genidX', halves && String(halves.getBigInt64(8, true)));
};

const sayVideo = ({ vram, autodetect }: Video, forProduct: boolean, say: Say): void => {
	if (forProduct) {
		say('svga.present', true);
		say('svga.autodetect', autodetect);
	}
	say('svga.vramSize', vram);
};

const saySoundAndUsb = ({ sounds = [], usb }: VmSpec, say: Say): void => {
	for (const { model } of sounds) {
		say('sound.present', true);
		say('sound.virtualDev', model);
	}
	if (usb?.uhci || usb?.ehci) say('usb.present', true);
	say('ehci.present', usb?.ehci);
	say('usb_xhci.present', usb?.xhci);
};

const sayFirmware = ({ firmware, clockOffset, platform }: VmSpec, say: Say): void => {
	const { type, nvram, secureBoot, bootOrder, bootDisks, bootDelay, bootRetry } = firmware;
	say('firmware', type);
	say('nvram', nvram);
	// libvirt reads that secure boot is on, and never writes it.
	if (platform.product !== undefined) say('uefi.secureBoot.enabled', secureBoot);
	say('bios.bootOrder', bootOrder?.join(','));
	say('bios.hddOrder', bootDisks?.join(','));
	say('bios.bootDelay', bootDelay);
	if (bootRetry !== undefined) {
		say('bios.bootRetry.enabled', true);
		say('bios.bootRetry.delay', Math.round(bootRetry / 1000));
	}
	say('rtc.diffFromUTC', clockOffset);
};

const inMib = (bytes: number | undefined): number | undefined => (bytes === undefined ? undefined : Math.ceil(bytes / MIB));

/** `56 4d 9b ef ac d9 b4 e0-c8 f0 ae a8 b9 10 35 15`. */
const uuidBytes = (uuid: string): string => {
	const bytes = uuid.replaceAll('-', '').match(/../g) ?? [];
	return `${bytes.slice(0, 8).join(' ')}-${bytes.slice(8).join(' ')}`;
};

const sayDisk = (disk: DiskDevice, say: Say): void => {
	const { id, bus, deviceType, fileName, media, cache, mode, shareable, connected, client } = disk;
	say(`${id}.present`, true);
	say(`${id}.${bus === 'fdc' ? 'fileType' : 'deviceType'}`, deviceType);
	if (media.type === 'auto') say(`${id}.autodetect`, true);
	say(`${id}.fileName`, fileName);
	if (cache === 'writethrough') say(`${id}.writeThrough`, true);
	say(`${id}.mode`, mode);
	say(`${id}.sharing`, shareable ? 'multi-writer' : undefined);
	say(`${id}.startConnected`, connected);
	say(`${id}.clientDevice`, client);
};

const saySharedFolders = (folders: readonly SharedFolder[], say: Say): void => {
	if (folders.length === 0) return;
	say('isolation.tools.hgfs.disable', false);
	say('sharedFolder.maxNum', Math.max(...folders.map(({ index }, position) => (index ?? position) + 1)));
	for (const [position, { index = position, hostPath, guestName, writable }] of folders.entries()) {
		const id = `sharedFolder${index}`;
		say(`${id}.present`, true);
		say(`${id}.enabled`, true);
		say(`${id}.readAccess`, true);
		say(`${id}.writeAccess`, writable);
		say(`${id}.hostPath`, hostPath);
		say(`${id}.guestName`, guestName);
	}
};

const sayNic = ({ index, model, network, mac, connected, pciSlotNumber }: Nic, say: Say): void => {
	const id = `ethernet${index}`;
	say(`${id}.present`, true);
	say(`${id}.virtualDev`, model === 'vmxnet2' ? 'vmxnet' : model);
	if (model === 'vmxnet2') say(`${id}.features`, 15);
	sayNetwork(id, network, say);
	sayMac(id, mac, say);
	say(`${id}.pciSlotNumber`, pciSlotNumber);
	say(`${id}.startConnected`, connected);
};

const sayNetwork = (id: string, network: Network, say: Say): void => {
	if (network.type === 'dvs') {
		say(`${id}.dvs.switchId`, network.switchId && uuidBytes(network.switchId));
		say(`${id}.dvs.portId`, network.portId);
		say(`${id}.dvs.portgroupId`, network.portgroupId);
		say(`${id}.dvs.connectionId`, network.connectionId);
		return;
	}
	// The name of a LAN segment is its id, which has a key of its own.
	const isSegment = network.type === 'other' && network.said === 'pvn';
	if ('name' in network && !isSegment) say(`${id}.networkName`, network.name);
	if (network.type !== 'none') say(`${id}.connectionType`, network.type === 'other' ? network.said : network.type);
	if (network.type === 'custom') say(`${id}.vnet`, network.device);
};

const sayMac = (id: string, { assignment, address, offset = 0, checked }: Mac, say: Say): void => {
	say(`${id}.addressType`, assignment);
	say(`${id}.${assignment === 'static' ? 'address' : 'generatedAddress'}`, address);
	if (assignment === 'generated' && address !== undefined) say(`${id}.generatedAddressOffset`, offset);
	say(`${id}.checkMACAddress`, checked);
};

const saySerial = ({ index, backend }: CharPort, asLibvirt: boolean, say: Say): void => {
	sayPort(`serial${index}`, backend, asLibvirt, say);
	if (asLibvirt) say(`serial${index}.yieldOnMsrRead`, true);
};

const sayPort = (id: string, backend: CharPort['backend'], asLibvirt: boolean, say: Say): void => {
	say(`${id}.present`, true);
	if (backend.type === 'tcp' || backend.type === 'unclear') {
		say(`${id}.fileType`, 'network');
		say(`${id}.fileName`, backend.type === 'tcp' ? `${backend.protocol}://${hostOf(backend)}:${backend.service}` : backend.said);
		say(`${id}.network.endPoint`, backend.role);
		return;
	}
	say(`${id}.fileType`, backend.type === 'other' ? backend.said : backend.type);
	if (backend.type === 'pipe') {
		say(`${id}.pipe.endPoint`, backend.role ?? 'client');
		if (asLibvirt) say(`${id}.tryNoRxLoss`, false);
	}
	if ('path' in backend) say(`${id}.fileName`, backend.path);
};

/** An address of IPv6 is in brackets, for its colons to be told from that of the port. */
const hostOf = ({ host }: { readonly host: string }): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);
