import { parseXmlDocument, type XmlNode } from '../../src/bytes/xml.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import type { Machine } from '../../src/machine/format.ts';
import { entry, type ReportEntry } from '../../src/machine/report.ts';
import type { Cpu, Firmware, Lifecycle, Management, Memory, VmSpec } from '../../src/machine/spec.ts';
import { type Dom, dom } from './dom.ts';
import { dispositions } from './parts.ts';
import { readDisplays, readNics, readPorts, readSharedFolders, readTpms, readVideos } from './read-devices.ts';
import { readControllers, readDisks } from './read-disks.ts';
import { countOf, sizeOf, uuidOf, yesOrNo } from './units.ts';

/** What libvirt's VMware driver adds to a domain. */
export const VMWARE_NAMESPACE = 'http://libvirt.org/schemas/domain/vmware/1.0';

/**
 * What a libvirt domain says of a machine.
 * @throws CorruptError for XML that is broken or numbers that are none, UnsupportedError for XML of something else.
 */
export const readDomain = (bytes: Uint8Array, path: string): Machine => {
	const document = parseXmlDocument(bytes, path);
	if (document.root.name !== 'domain') throw new UnsupportedError(`it describes a '${document.root.name}', and no domain`, { path });
	const root = dom(document.root);
	const report: ReportEntry[] = [];
	const comments = commentsIn([...document.before, document.root, ...document.after]);
	if (comments > 0) report.push(entry('COMMENTS_DROPPED', { subject: 'comments', message: `${comments} comments are left out` }));
	const hypervisor = root.attribute('type');
	const os = root.child('os');
	const devices = root.child('devices');
	const hasTwoUuids = root.child('hwuuid') !== undefined;
	const uuid = uuidOf(root.child('uuid'), path);
	const name = root.child('name')?.text();
	const spec: Omit<VmSpec, 'extras'> = {
		identity: {
			name: name === '' ? undefined : name,
			description: root.child('description')?.text(),
			instanceUuid: hasTwoUuids || hypervisor !== 'vmware' ? uuid : undefined,
			biosUuid: hasTwoUuids ? uuidOf(root.child('hwuuid'), path) : uuid,
		},
		guest: { arch: readType(os, path) },
		platform: { hypervisor },
		cpu: readCpu(root, path),
		memory: readMemory(root, path),
		firmware: readFirmware(os, path),
		clock: root.child('clock')?.attribute('offset'),
		lifecycle: readLifecycle(root),
		controllers: readControllers(devices, hypervisor, path),
		disks: readDisks(devices, path),
		nics: readNics(devices, path),
		displays: readDisplays(devices, path),
		videos: readVideos(devices, path),
		serials: readPorts(devices, 'serial', path),
		parallels: readPorts(devices, 'parallel', path),
		sharedFolders: readSharedFolders(devices),
		tpms: readTpms(devices),
		chipset: {},
		management: readManagement(root),
	};
	return { format: 'libvirt', path, spec: { ...spec, extras: dispositions(root.rest()) }, report };
};

const commentsIn = (nodes: readonly XmlNode[]): number =>
	nodes.reduce((sum, node) => {
		if (typeof node === 'string') return sum;
		return sum + ('nodes' in node ? commentsIn(node.nodes) : 'comment' in node ? 1 : 0);
	}, 0);

/** @throws UnsupportedError for a machine that has no hardware of its own: a container. */
const readType = (os: Dom | undefined, path: string): string | undefined => {
	const type = os?.child('type');
	const said = type?.text();
	if (said !== undefined && said !== 'hvm') {
		throw new UnsupportedError(`it describes a guest of type '${said}', and no machine with hardware`, { path, field: 'os/type' });
	}
	return type?.attribute('arch');
};

const readCpu = (root: Dom, path: string): Cpu => {
	const vcpu = root.child('vcpu');
	const count = countOf(vcpu?.text(), 'vcpu', path);
	if (count === 0) throw new CorruptError('it says 0 virtual CPUs', { path, field: 'vcpu' });
	vcpu?.attribute('placement');
	const cpu = root.child('cpu');
	const topology = cpu?.child('topology');
	const part = (name: string) => countOf(topology?.attribute(name), `cpu/topology/@${name}`, path);
	return {
		count,
		online: countOf(vcpu?.attribute('current'), 'vcpu/@current', path),
		affinity: readCpuSet(vcpu?.attribute('cpuset'), path),
		shares: countOf(root.child('cputune')?.child('shares')?.text(), 'cputune/shares', path),
		mode: cpu?.attribute('mode'),
		...(topology && {
			topology: {
				sockets: part('sockets'),
				dies: part('dies'),
				clusters: part('clusters'),
				cores: part('cores') ?? 1,
				threads: part('threads'),
			},
		}),
	};
};

const MAX_CPU = 16384;

/** `0-3,^2,8`. */
const readCpuSet = (said: string | undefined, path: string): readonly number[] | undefined => {
	if (said === undefined) return undefined;
	const set = new Set<number>();
	for (const part of said.split(',')) {
		const [, not, first, last = first] = /^\s*(\^?)(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part) ?? [];
		if (first === undefined || Number(last) >= MAX_CPU) {
			throw new CorruptError(`it says '${part}', which is no range of host CPUs below ${MAX_CPU}`, { path, field: 'vcpu/@cpuset' });
		}
		for (let cpu = Number(first); cpu <= Number(last); cpu++) not ? set.delete(cpu) : set.add(cpu);
	}
	return [...set].sort((a, b) => a - b);
};

const readMemory = (root: Dom, path: string): Memory => {
	const size = sizeOf(root.child('memory'), path);
	if (size === 0) throw new CorruptError('it says no memory at all', { path, field: 'memory' });
	return {
		size,
		current: sizeOf(root.child('currentMemory'), path),
		reservation: sizeOf(root.child('memtune')?.child('min_guarantee'), path),
	};
};

const readFirmware = (os: Dom | undefined, path: string): Firmware => {
	const features = new Map(
		os
			?.child('firmware')
			?.children('feature')
			.map((feature) => [feature.attribute('name'), feature]),
	);
	const enabled = (name: string) => yesOrNo(features.get(name)?.attribute('enabled'), `os/firmware/feature/@enabled`, path);
	return {
		type: os?.attribute('firmware'),
		secureBoot: enabled('secure-boot'),
		enrolledKeys: enabled('enrolled-keys'),
		nvram: os?.child('nvram')?.text(),
		smbios: os?.child('smbios')?.attribute('mode'),
	};
};

const readLifecycle = (root: Dom): Lifecycle => ({
	onPoweroff: root.child('on_poweroff')?.text(),
	onReboot: root.child('on_reboot')?.text(),
	onCrash: root.child('on_crash')?.text(),
});

const readManagement = (root: Dom): Management => {
	const prefix = root.namespacePrefix(VMWARE_NAMESPACE);
	if (prefix === undefined) return {};
	return { datacenterPath: root.child(`${prefix}:datacenterpath`)?.text(), moref: root.child(`${prefix}:moref`)?.text() };
};
