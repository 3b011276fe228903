import { printXml } from '../../src/bytes/print-xml.ts';
import type { XmlElement } from '../../src/bytes/xml.ts';
import type { Cpu, Firmware, VmSpec } from '../../src/machine/spec.ts';
import { element, unlessEmpty } from './build.ts';
import { VMWARE_NAMESPACE } from './reader.ts';
import { writeDevices } from './write-devices.ts';

/** The text of a domain, in libvirt's order. */
export const printDomain = (spec: VmSpec): string => printXml(writeDomain(spec));

const writeDomain = (spec: VmSpec): XmlElement => {
	const { identity, platform, cpu, memory, lifecycle, management } = spec;
	const { datacenterPath, moref } = management;
	const inNamespace = datacenterPath !== undefined || moref !== undefined;
	return element(
		'domain',
		{ type: platform.hypervisor, 'xmlns:vmware': inNamespace ? VMWARE_NAMESPACE : undefined },
		text('name', identity.name),
		text('uuid', identity.instanceUuid),
		text('hwuuid', identity.biosUuid),
		text('genid', identity.generationId && guidText(identity.generationId)),
		text('description', identity.description),
		inKib('memory', memory.size),
		inKib('currentMemory', memory.current),
		unlessEmpty(element('memtune', {}, inKib('min_guarantee', memory.reservation))),
		element('vcpu', { placement: 'static', cpuset: cpu.affinity && cpuRanges(cpu.affinity) }, cpu.count),
		typeof cpu.shares === 'number' && element('cputune', {}, element('shares', {}, cpu.shares)),
		writeOs(spec),
		writeCpu(cpu),
		element('clock', { offset: spec.clock }),
		text('on_poweroff', lifecycle.onPoweroff),
		text('on_reboot', lifecycle.onReboot),
		text('on_crash', lifecycle.onCrash),
		element('devices', {}, ...writeDevices(spec)),
		text('vmware:datacenterpath', datacenterPath),
		text('vmware:moref', moref),
	);
};

const text = (name: string, value: string | undefined): XmlElement | undefined =>
	value === undefined ? undefined : element(name, {}, value);

const inKib = (name: string, bytes: number | undefined): XmlElement | undefined =>
	bytes === undefined ? undefined : element(name, { unit: 'KiB' }, Math.ceil(bytes / 1024));

/** The text form of 16 bytes in the guest's memory: the first three fields are little-endian there. */
const guidText = (bytes: Uint8Array): string => {
	const field = (start: number, end: number, swapped: boolean): string => {
		const part = [...bytes.subarray(start, end)];
		return (swapped ? part.reverse() : part).map((byte) => byte.toString(16).padStart(2, '0')).join('');
	};
	return [field(0, 4, true), field(4, 6, true), field(6, 8, true), field(8, 10, false), field(10, 16, false)].join('-');
};

/** `0-2,5` of ascending numbers. */
const cpuRanges = (cpus: readonly number[]): string => {
	const ranges: [number, number][] = [];
	for (const cpu of [...new Set(cpus)].sort((a, b) => a - b)) {
		const last = ranges.at(-1);
		if (last && last[1] === cpu - 1) last[1] = cpu;
		else ranges.push([cpu, cpu]);
	}
	return ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(',');
};

const writeOs = ({ guest, firmware }: VmSpec): XmlElement =>
	element(
		'os',
		{ firmware: firmware.type },
		element('type', { arch: guest.arch }, 'hvm'),
		unlessEmpty(element('firmware', {}, ...writeFeatures(firmware))),
		text('nvram', firmware.nvram),
		firmware.smbios !== undefined && element('smbios', { mode: firmware.smbios }),
	);

const writeFeatures = ({ enrolledKeys, secureBoot }: Firmware): XmlElement[] =>
	Object.entries({ 'enrolled-keys': enrolledKeys, 'secure-boot': secureBoot }).flatMap(([name, enabled]) =>
		enabled === undefined ? [] : [element('feature', { enabled: enabled ? 'yes' : 'no', name })],
	);

const writeCpu = ({ mode, topology }: Cpu): XmlElement | undefined =>
	unlessEmpty(
		element(
			'cpu',
			{ mode },
			topology &&
				element('topology', {
					sockets: topology.sockets,
					dies: topology.dies,
					clusters: topology.clusters,
					cores: topology.cores,
					threads: topology.threads,
				}),
		),
	);
