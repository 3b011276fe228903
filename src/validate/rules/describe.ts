import { humanSize } from '../../bytes/size.ts';
import type { Code } from '../../machine/codes.ts';
import { startsByEfi } from '../../machine/firmware.ts';
import { shown } from '../../machine/report.ts';
import type { RawEntry, SaidImage, VmSpec } from '../../machine/spec.ts';
import type { Facts, MachineFacts, Problem } from '../facts.ts';
import type { Evidence } from '../rule.ts';
import type { Target } from '../targets.ts';

/** Whether a machine stays with VMware: it goes there with its folder, its NVRAM and its adapters. */
export const staysWithVmware = ({ machine }: Pick<Facts, 'machine'>, { id }: Pick<Target, 'id'>): boolean =>
	machine?.format === 'vmx' && ['esxi', 'workstation'].includes(id);

/** Whether the target reads the very description that a machine has. */
export const keepsDescription = (facts: Pick<Facts, 'machine'>, target: Pick<Target, 'id'>): boolean =>
	staysWithVmware(facts, target) || (facts.machine?.format === 'libvirt' && target.id === 'libvirt');

/** Whether a machine starts by EFI: as its disks are made for, or as its description says. */
export const wantsEfi = ({ machine, guest }: Pick<Facts, 'machine' | 'guest'>): boolean =>
	guest?.firmware.type === 'uefi' || (machine !== undefined && startsByEfi(machine.spec));

/** CPUs that run the same guests, by the name of one of them as uname says it. */
export const cpuFamily = (arch: string): string => {
	if (/^(i[3-6]86|x86_64|amd64|x86)$/.test(arch)) return 'x86_64';
	return { arm64: 'aarch64', ppc64el: 'ppc64le' }[arch] ?? arch;
};

/** Where libvirt says what VMware has under these keys. */
const LIBVIRT: Readonly<Record<string, string>> = {
	displayName: 'name',
	'uuid.bios': 'uuid',
	numvcpus: 'vcpu',
	memsize: 'memory',
	firmware: 'os/@firmware',
	nvram: 'os/nvram',
	'uefi.secureBoot.enabled': 'os/firmware/feature',
	'vcpu.hotadd': 'vcpu/@current',
	'mem.hotadd': 'maxMemory',
	'sched.cpu.affinity': 'vcpu/@cpuset',
	'sched.cpu.shares': 'cputune/shares',
	'sched.mem.max': 'memtune/hard_limit',
	'sched.mem.minsize': 'memtune/min_guarantee',
	'sched.mem.pin': 'memoryBacking/locked',
	'vhv.enable': 'cpu/feature',
	usb: 'devices/controller',
	sound: 'devices/sound',
	'scsi*.virtualDev': 'devices/controller/@model',
};

/** The place of a setting in a description, by VMware's key for it. */
export const keyIn = (machine: MachineFacts | undefined, vmx: string): string => {
	if (machine?.format !== 'libvirt') return vmx;
	const device = /^([a-z]+?)(\d+)$/.exec(vmx);
	const element = device && { ethernet: 'interface', serial: 'serial', parallel: 'parallel' }[device[1] ?? ''];
	if (element) return `devices/${element}[${Number(device[2]) + 1}]`;
	return LIBVIRT[vmx] ?? vmx;
};

/** A size against a limit: in bytes where the two would read the same. */
export const sizeAgainst = (size: number, words: string, limit: number): string => {
	const told = humanSize(size) === humanSize(limit) ? (bytes: number) => `${bytes} bytes` : humanSize;
	return `${told(size)}, and ${words} ${told(limit)}`;
};

/** More of one kind are not shown. */
const SHOWN = 8;

/** Evidence for the pieces of a description that the report has under a code; those of one device of libvirt are told together. */
export const coded = (machine: MachineFacts | undefined, code: Code): Evidence[] => {
	const told = (machine?.spec.extras ?? []).filter((extra) => extra.code === code);
	const isPart = ({ key, subject }: RawEntry): boolean => key.startsWith(`${subject}/`) && subject.startsWith('devices/');
	const devices = new Set(told.filter(isPart).map(({ subject }) => subject));
	const whole = [...devices].slice(0, SHOWN).map((device): Evidence => {
		const said = told.filter((piece) => isPart(piece) && piece.subject === device);
		const parts = said.map((piece) => `${piece.key.slice(device.length + 1).replace('@', '')} ${shown(piece)}`);
		return { what: `${device}: ${parts.slice(0, SHOWN).join(', ')}`, file: machine?.path, key: device };
	});
	const single = told
		.filter((piece) => !isPart(piece))
		.map((piece) => ({ what: `${piece.key} is ${shown(piece)}`, file: machine?.path, key: keyIn(machine, piece.key) }));
	return [...whole, ...single].slice(0, SHOWN);
};

/** Evidence for each disk that has this against it. */
export const problems = (disks: Facts['disks'], kind: Problem['kind']): Evidence[] =>
	disks.flatMap(({ name, path, device, problem }) => {
		if (problem?.kind !== kind) return [];
		return [
			{
				what: `${device ? `${name}: ` : ''}${problem.message}`,
				named: [path, ...namesUnder(device?.chain)],
				hint: problem.hint,
				file: problem.path ?? path,
				offset: problem.offset,
				key: problem.field,
			},
		];
	});

/** The files that a description says a disk is made of, beneath its image. */
const namesUnder = (chain: SaidImage | undefined): readonly string[] => {
	if (!chain) return [];
	const { dataFile, backing = 'none' } = chain;
	const media = [dataFile, backing === 'none' ? undefined : backing.media];
	const names = media.flatMap((one) => (one && 'path' in one ? [one.path] : []));
	return backing === 'none' ? names : [...names, ...namesUnder(backing)];
};

/** The pieces that the model has no field for whose keys are so. */
export const pieces = (machine: Facts['machine'], wanted: RegExp): readonly RawEntry[] =>
	(machine?.spec.extras ?? []).filter(({ key }) => wanted.test(key));

/** The first piece that the model has no field for whose key is so. */
export const keyed = ({ extras }: VmSpec, key: RegExp) => extras.find((extra) => key.test(extra.key));

/** A setting of the description, by VMware's key for it. */
export const inDescription = (machine: Facts['machine'], what: string, key?: string): Evidence => ({
	what,
	file: machine?.path,
	key: key === undefined ? undefined : keyIn(machine, key),
});
