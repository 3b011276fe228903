import { guidText } from '../../src/bytes/guid.ts';
import { printXml } from '../../src/bytes/print-xml.ts';
import type { XmlElement } from '../../src/bytes/xml.ts';
import type { VmSpec } from '../../src/machine/spec.ts';
import { element, unlessEmpty } from './build.ts';
import { writeOrigin, writeOsinfo } from './metadata.ts';
import { VMWARE_NAMESPACE } from './reader.ts';
import { writeClock, writeCpu, writeFeatures, writeOs } from './write-board.ts';
import { writeDevices } from './write-devices.ts';
import { isSlot, QEMU_NAMESPACE, writeSlots } from './write-slots.ts';

/** The text of a domain, in libvirt's order. */
export const printDomain = (spec: VmSpec): string => printXml(writeDomain(spec));

const writeDomain = (spec: VmSpec): XmlElement => {
	const { identity, platform, cpu, memory, lifecycle, management } = spec;
	const { datacenterPath, moref } = management;
	const slots = spec.controllers.filter(isSlot);
	const inNamespace = datacenterPath !== undefined || moref !== undefined;
	return element(
		'domain',
		{
			type: platform.hypervisor,
			'xmlns:vmware': inNamespace ? VMWARE_NAMESPACE : undefined,
			'xmlns:qemu': slots.length > 0 ? QEMU_NAMESPACE : undefined,
		},
		text('name', identity.name),
		text('uuid', identity.instanceUuid),
		text('hwuuid', identity.biosUuid),
		text('genid', identity.generationId && guidText(identity.generationId)),
		text('title', identity.title),
		text('description', identity.description),
		unlessEmpty(
			element('metadata', {}, spec.guest.osinfo !== undefined && writeOsinfo(spec.guest.osinfo), spec.origin && writeOrigin(spec.origin)),
		),
		inKib('memory', memory.size),
		inKib('currentMemory', memory.current),
		unlessEmpty(element('memtune', {}, inKib('min_guarantee', memory.reservation))),
		element('vcpu', { placement: 'static', cpuset: cpu.affinity && cpuRanges(cpu.affinity) }, cpu.count),
		typeof cpu.shares === 'number' && element('cputune', {}, element('shares', {}, cpu.shares)),
		writeOs(spec),
		writeFeatures(platform),
		writeCpu(cpu),
		writeClock(spec),
		text('on_poweroff', lifecycle.onPoweroff),
		text('on_reboot', lifecycle.onReboot),
		text('on_crash', lifecycle.onCrash),
		element('devices', {}, ...writeDevices(spec)),
		text('vmware:datacenterpath', datacenterPath),
		text('vmware:moref', moref),
		...(slots.length > 0 ? writeSlots(slots) : []),
	);
};

const text = (name: string, value: string | undefined): XmlElement | undefined =>
	value === undefined ? undefined : element(name, {}, value);

const inKib = (name: string, bytes: number | undefined): XmlElement | undefined =>
	bytes === undefined ? undefined : element(name, { unit: 'KiB' }, Math.ceil(bytes / 1024));

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
