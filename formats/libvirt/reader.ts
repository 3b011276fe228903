import { guidBytes } from '../../src/bytes/guid.ts';
import { parseXmlDocument, type XmlElement, type XmlNode } from '../../src/bytes/xml.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import type { Machine } from '../../src/machine/format.ts';
import { entry, type ReportEntry } from '../../src/machine/report.ts';
import type { Cpu, Lifecycle, Management, Memory, Platform, VmSpec } from '../../src/machine/spec.ts';
import { type Dom, dom } from './dom.ts';
import { readOrigin, readOsinfo } from './metadata.ts';
import { dispositions } from './parts.ts';
import { readDisplays, readPorts, readSharedFolders, readSounds, readTpms, readUsb, readVideos } from './read-devices.ts';
import { disksLackingImages, readControllers, readDisks } from './read-disks.ts';
import { readFirmware } from './read-firmware.ts';
import { readNics } from './read-nics.ts';
import { readSlots } from './read-slots.ts';
import { bytesOf, countOf, secondsOf, sizeOf, uuidOf } from './units.ts';

/** What libvirt's VMware driver adds to a domain. */
export const VMWARE_NAMESPACE = 'http://libvirt.org/schemas/domain/vmware/1.0';

/**
 * What a libvirt domain says of a machine.
 * @throws CorruptError for XML that is broken or numbers that are none, UnsupportedError for XML of something else.
 */
export const readDomain = (bytes: Uint8Array, path: string): Machine => {
	const document = parseXmlDocument(bytes, path);
	if (document.root.name !== 'domain') throw new UnsupportedError(`it describes a '${document.root.name}', and no domain`, { path });
	refuseTooMany(document.root, path);
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
	const origin = readOrigin(root);
	if (origin) readSlots(root);
	const clock = root.more().child('clock');
	// It is what libvirt takes where nothing is said.
	if (clock?.unread().attribute('basis') === 'utc') clock.attribute('basis');
	const spec: Omit<VmSpec, 'extras'> = {
		identity: {
			name: name === '' ? undefined : name,
			title: root.more().child('title')?.text(),
			description: root.child('description')?.text(),
			instanceUuid: hasTwoUuids || hypervisor !== 'vmware' ? uuid : undefined,
			biosUuid: hasTwoUuids ? uuidOf(root.child('hwuuid'), path) : uuid,
			generationId: hypervisor === 'vmware' ? undefined : readGenerationId(root),
		},
		guest: { arch: readType(os, path), osinfo: readOsinfo(root) },
		platform: readPlatform(root, hypervisor),
		cpu: readCpu(root, path),
		memory: readMemory(root, path),
		firmware: readFirmware(os, path),
		clock: root.child('clock')?.attribute('offset'),
		clockStart: secondsOf(clock?.attribute('start')),
		clockOffset: secondsOf(clock?.attribute('adjustment')),
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
		sounds: readSounds(devices),
		usb: readUsb(devices),
		chipset: {},
		management: readManagement(root),
		origin,
	};
	report.push(...disksLackingImages(spec.disks));
	return { format: 'libvirt', path, spec: { ...spec, extras: dispositions(root.rest()) }, report };
};

/** Elements outside its metadata; the largest machines that libvirt runs, of some 4000 CPUs and 1000 devices, have fewer. */
const MAX_ELEMENTS = 20_000;

/** Each costs an object or two, and what one says that nobody reads an entry in the report. */
const refuseTooMany = ({ children }: XmlElement, path: string): void => {
	const count = elementsIn(children.filter(({ name }) => name !== 'metadata'));
	if (count <= MAX_ELEMENTS) return;
	throw new UnsupportedError(`it is a domain of ${count} elements without its metadata, over ${MAX_ELEMENTS}`, { path });
};

const elementsIn = (elements: readonly XmlElement[]): number => elements.reduce((sum, { children }) => sum + 1 + elementsIn(children), 0);

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

const readPlatform = (root: Dom, hypervisor: string | undefined): Platform => {
	const more = root.more();
	const features = more.child('features');
	const hyperv = features?.child('hyperv');
	const hidden = features?.child('kvm')?.child('hidden')?.attribute('state') === 'on';
	return {
		hypervisor,
		machine: more.child('os')?.child('type')?.attribute('machine'),
		hidesHypervisor: hidden || cpuFeature(root, ['hypervisor'], ['disable', 'forbid']) || undefined,
		enlightenments: hyperv?.all().flatMap((child) => (child.attribute('state') === 'off' ? [] : [child.name])),
	};
};

/** Whether a feature of the CPU is said in one of these ways. */
const cpuFeature = (root: Dom, names: readonly string[], policies: readonly string[]): boolean => {
	const features = root.more().child('cpu')?.unread().children('feature') ?? [];
	return features.some((feature, index) => {
		if (!names.includes(feature.attribute('name') ?? '') || !policies.includes(feature.attribute('policy') ?? 'require')) return false;
		const said = root.more().child('cpu')?.children('feature')[index];
		said?.attribute('name');
		said?.attribute('policy');
		return true;
	});
};

/** QEMU's text of the 16 bytes in the guest's memory: the first three fields are little-endian there. */
const readGenerationId = (root: Dom): Uint8Array | undefined => {
	const more = root.more().child('genid');
	const digits = more?.unread().text().replaceAll('-', '') ?? '';
	// libvirt takes one with hyphens anywhere, or nowhere.
	const bytes = guidBytes(digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
	if (bytes) more?.text();
	return bytes;
};

const readCpu = (root: Dom, path: string): Cpu => {
	const vcpu = root.child('vcpu');
	const count = countOf(vcpu?.text(), 'vcpu', path);
	if (count === 0) throw new CorruptError('it says 0 virtual CPUs', { path, field: 'vcpu' });
	vcpu?.attribute('placement');
	const cpu = root.child('cpu');
	const topology = cpu?.child('topology');
	const online = countOf(vcpu?.attribute('current'), 'vcpu/@current', path);
	const part = (name: string) => countOf(topology?.attribute(name), `cpu/topology/@${name}`, path);
	return {
		count,
		online,
		// The others are there to be added.
		hotAdd: (online !== undefined && count !== undefined && online < count) || undefined,
		affinity: readCpuSet(vcpu?.attribute('cpuset'), path),
		shares: countOf(root.child('cputune')?.child('shares')?.text(), 'cputune/shares', path),
		mode: cpu?.attribute('mode'),
		nested: cpuFeature(root, ['vmx', 'svm'], ['require', 'optional', 'force']) || undefined,
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

/** The memory of all NUMA cells, which is the machine's where nothing else says one. */
const readCells = (root: Dom, path: string): number => {
	const cells = root.child('cpu')?.child('numa')?.children('cell') ?? [];
	return cells.reduce(
		(sum, cell) => sum + bytesOf(cell.attribute('memory') ?? '', cell.attribute('unit'), `${cell.path}/@memory`, path),
		0,
	);
};

const readMemory = (root: Dom, path: string): Memory => {
	const size = sizeOf(root.child('memory'), path) || readCells(root, path);
	if (size === 0) throw new CorruptError('it says no memory at all', { path, field: 'memory' });
	const hotAdd = root.more().child('maxMemory');
	hotAdd?.attribute('unit');
	hotAdd?.attribute('slots');
	return {
		size,
		current: sizeOf(root.child('currentMemory'), path),
		reservation: sizeOf(root.child('memtune')?.child('min_guarantee'), path),
		hotAdd: hotAdd?.text() ? true : undefined,
		locked: root.more().child('memoryBacking')?.child('locked') && true,
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
