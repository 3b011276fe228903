import type { CharBackend, DiskDevice, Network, Nic, VmSpec } from '../spec.ts';

/** A network card of a domain, by what it is found by on the way back: its address, or its number where it says none. */
export const cardOf = ({ mac, index }: Nic): string => `card ${mac.address ?? index}`;

/** The adapter of a drive, by libvirt's name of the drive. */
export const adapterOf = (target: string): string => `adapter ${target}`;

/**
 * What a domain says in words of its own for what a VMX says in others, by what it is about. It is kept beside the original: on the way
 * back the original's words count where it is still the same, and the domain's where somebody changed it. What libvirt adds by itself,
 * addresses and paths of terminals, is not in it.
 */
export const writtenWords = (spec: VmSpec): readonly (readonly [about: string, words: string])[] => {
	const { identity, guest, cpu, clock, clockOffset, clockStart } = spec;
	const usb = spec.controllers.filter(({ bus }) => bus === 'usb');
	// The domain's controllers count without the gaps that a VMX may have.
	const adapter = ({ bus, controller, address = [controller, 0, 0, 0] }: DiskDevice): string =>
		words(bus, bus === 'scsi' && spec.controllers.find((known) => known.bus === bus && known.index === address[0])?.model);
	const said = [
		['name', words(identity.name)],
		['title', words(identity.title)],
		['guest', words(guest.osinfo)],
		['processors', words(cpu.count, cpu.topology?.sockets, cpu.topology?.cores, cpu.topology?.threads)],
		['shares', words(cpu.shares)],
		['affinity', words(cpu.affinity?.join(','))],
		['clock', words(clock, clockOffset, clockStart)],
		['video', spec.videos.map(({ model, vram, heads = 1 }) => words(model, vram, heads)).join('; ')],
		['screen', spec.displays.map(({ type, port, listen, keymap }) => words(type, port, listen, keymap)).join('; ')],
		['sound', (spec.sounds ?? []).map(({ model }) => words(model)).join('; ')],
		['usb', usb.map(({ model }) => words(model)).join('; ')],
		...spec.disks.map((disk) => [adapterOf(disk.target ?? ''), adapter(disk)] as const),
		...spec.nics.flatMap((nic) => [
			[`${cardOf(nic)} model`, words(nic.model)] as const,
			[`${cardOf(nic)} network`, words(...wordsOfNetwork(nic.network), nic.vlans?.join(','))] as const,
			[`${cardOf(nic)} link`, nic.connected === false ? 'down' : ''] as const,
		]),
		...spec.serials.map(({ index, backend }) => [`serial${index}`, words(...wordsOfBackend(backend))] as const),
		...spec.parallels.map(({ index, backend }) => [`parallel${index}`, words(...wordsOfBackend(backend))] as const),
	] as const;
	return said.filter(([, value]) => value !== '');
};

type Word = string | number | false | undefined;

const words = (...said: readonly Word[]): string => said.filter((word) => word !== undefined && word !== false && word !== '').join(' ');

const wordsOfNetwork = (network: Network): readonly Word[] => {
	// libvirt says the host's end of a bridge's card while the machine runs.
	if (network.type === 'bridged' || network.type === 'custom') return ['bridge', network.name];
	if (network.type === 'other') return [network.said, network.name, network.portgroup];
	return network.type === 'dvs' ? [network.type, network.switchId, network.portgroupId, network.portId] : [network.type];
};

const wordsOfBackend = (backend: CharBackend): readonly Word[] => {
	switch (backend.type) {
		case 'tcp':
			return [backend.type, backend.protocol, backend.host, backend.service, backend.role];
		case 'other':
			return [backend.said, backend.path, backend.role];
		case 'unclear':
			return [backend.type, backend.said];
		default:
			return [backend.type, 'path' in backend && backend.path];
	}
};

/** Whether a domain says what was written into it, about one of the things of `writtenWords`. */
export const asWritten = (spec: VmSpec): ((about: string) => boolean) => {
	const [before, now] = [new Map(spec.origin?.written), new Map(writtenWords(spec))];
	return (about) => spec.origin !== undefined && before.get(about) === now.get(about);
};
