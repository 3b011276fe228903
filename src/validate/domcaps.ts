import { child, children, parseXml, type XmlElement } from '../bytes/xml.ts';
import { UnrecognizedError } from '../errors.ts';
import type { DomainCapabilities } from './facts.ts';

/** What is to be run on a host: of itself virsh describes the machine type `pc`, which has no Secure Boot and fewer CPUs. */
export const DOMCAPABILITIES = 'virsh domcapabilities --virttype kvm --machine q35';

/**
 * What `virsh domcapabilities` has printed (libvirt, "Domain capabilities XML format").
 * @param path what to call the file in a message.
 * @throws UnrecognizedError for another document, CorruptError, UnsupportedError as `parseXml`.
 */
export const readDomainCapabilities = (bytes: Uint8Array, path: string): DomainCapabilities => {
	const root = parseXml(bytes, path);
	if (root.name !== 'domainCapabilities') {
		throw new UnrecognizedError(`it is a <${root.name}> and not the capabilities of a host`, {
			path,
			hint: `${DOMCAPABILITIES} > domcaps.xml, on the host`,
		});
	}
	const os = supported(child(root, 'os'));
	const loader = supported(child(os, 'loader'));
	const devices = child(root, 'devices');
	const cpus = Number(child(root, 'vcpu')?.attributes.get('max'));
	// Firmware that is described to libvirt is listed; SeaBIOS is there without, wherever a ROM can be loaded.
	const firmware = new Set([...valuesOf(os, 'firmware'), ...(valuesOf(loader, 'type').includes('rom') ? ['bios'] : [])]);
	return {
		path,
		arch: textOf(root, 'arch'),
		machine: textOf(root, 'machine'),
		maxCpus: Number.isSafeInteger(cpus) && cpus > 0 ? cpus : undefined,
		firmware: [...firmware],
		secureBoot: valuesOf(loader, 'secure').includes('yes'),
		cpuModes: children(child(root, 'cpu'), 'mode').flatMap((mode) => (supported(mode) ? [mode.attributes.get('name') ?? ''] : [])),
		diskBuses: valuesOf(supported(child(devices, 'disk')), 'bus'),
		videoModels: valuesOf(supported(child(devices, 'video')), 'modelType'),
		tpmBackends: valuesOf(supported(child(devices, 'tpm')), 'backendModel'),
	};
};

const supported = (element: XmlElement | undefined): XmlElement | undefined =>
	element?.attributes.get('supported') === 'no' ? undefined : element;

const textOf = (element: XmlElement, name: string): string | undefined => child(element, name)?.text.trim() || undefined;

const valuesOf = (element: XmlElement | undefined, name: string): readonly string[] =>
	children(element, 'enum')
		.filter(({ attributes }) => attributes.get('name') === name)
		.flatMap((list) => children(list, 'value').map(({ text }) => text.trim()));
