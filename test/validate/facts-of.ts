import { machineFormats } from '../../formats/machines.ts';
import type { CheckReport } from '../../src/core/format.ts';
import type { DiskFlag, Mark } from '../../src/guest/facts.ts';
import type { Code } from '../../src/machine/codes.ts';
import { parseMachine } from '../../src/machine/plan.ts';
import type { Facts, Problem } from '../../src/validate/facts.ts';
import { targetNamed, validate } from '../../src/validate/validate.ts';
import { disk, guest, healthy, host, image, machine, system, volume } from './healthy.ts';

export const TiB = 2 ** 40;

export const vm = (...lines: readonly string[]): Facts => healthy({ machine: machine(...lines) });
export const nic = (...lines: readonly string[]): Facts =>
	vm(
		'ethernet0.present = "TRUE"',
		'ethernet0.virtualDev = "vmxnet3"',
		'ethernet0.addressType = "static"',
		'ethernet0.address = "00:50:56:00:00:01"',
		...lines,
	);
export const card = (model: string): Facts => vm('ethernet0.present = "TRUE"', `ethernet0.virtualDev = "${model}"`);
export const img = (changes: Parameters<typeof image>[0]): Facts => healthy({ disks: [disk({ image: image(changes) })] });
export const checked = (check: CheckReport): Facts =>
	img({ chain: [{ path: 'web.vmdk', format: 'vmdk', info: { format: 'vmdk' }, check }] });
export const broken = (kind: Problem['kind']): Facts =>
	healthy({ disks: [disk({ image: undefined, problem: { kind, message: 'seen', hint: 'do' } })] });
export const inside = (changes: Parameters<typeof guest>[0]): Facts => healthy({ guest: guest(changes) });
export const os = (changes: Parameters<typeof system>[0]): Facts => inside({ os: system(changes) });
export const vol = (...all: Parameters<typeof volume>[0][]): Facts => inside({ volumes: all.map((changes) => volume(changes)) });
export const flag = (...flags: DiskFlag[]): Facts =>
	inside({ disks: [{ ...(guest().disks[0] as NonNullable<unknown> & ReturnType<typeof guest>['disks'][number]), flags }] });
export const mark = (code: Mark['code'], evidence = 'seen'): Facts => os({ marks: [{ code, evidence, where: 'somewhere' }] });
export const mount = (device: string, more: object = {}): Facts =>
	os({ mounts: [{ device, mountpoint: '/data', type: 'ext4', options: [], where: '/etc/fstab:2', ...more }] });
export const windows = (changes: Parameters<typeof system>[0] = {}): ReturnType<typeof system> =>
	system({ family: 'windows', name: 'Windows 11', version: '10.0', ...changes });
/** A guest whose only disk is dynamic. */
export const dynamicDisk = (found: ReturnType<typeof windows> | null, bootable: boolean): Facts =>
	inside({
		os: found,
		disks: [
			{
				...(guest().disks[0] as ReturnType<typeof guest>['disks'][number]),
				partitions: [{ number: 1, start: 512, size: 2 ** 20, type: 'ldm', mbrType: 0x42, bootable }],
			},
		],
	});
export const domcaps = (changes: object): ReturnType<typeof host> => {
	const found = host();
	return { ...found, capabilities: { ...(found.capabilities as NonNullable<typeof found.capabilities>), ...changes } };
};
export const absent = { state: 'absent', evidence: 'the list of modules' } as const;

/** A domain for CPUs of this kind. */
export const made = (arch: string): Facts =>
	healthy({ machine: { ...machine(), format: 'libvirt', spec: { ...machine().spec, guest: { arch } } } });

/** A machine with a piece of its description that the report has under a code. */
export const extra = (key: string, value: string, code: Code): Facts =>
	healthy({ machine: { ...machine(), spec: { ...machine().spec, extras: [{ key, value, subject: key, code }] } } });

export const luks = (...words: string[]): Facts =>
	vol({}, { id: 'disk0p2', type: 'crypto_LUKS', encrypted: true, state: ['luks2', ...words] });

/** A root on a logical volume that these hold; there is an array over two disks. */
export const spread = (on: readonly string[]): Facts =>
	vol({ id: 'lv:vg/root', on }, { id: 'md:1', on: ['disk0p5', 'disk1p5'], mountpoint: undefined });

/** A domain of libvirt with these devices. */
export const domain = (devices: string, more = ''): Facts => {
	const text = `<domain type="kvm"><name>web</name><memory>1048576</memory>${more}${more.includes('<os>') ? '' : '<os><type>hvm</type></os>'}<devices>${devices}</devices></domain>`;
	const { format, spec, report } = parseMachine(new TextEncoder().encode(text), 'web.xml', machineFormats);
	return healthy({ machine: { path: 'web.xml', format, spec, report, locks: [], suspended: [] } });
};

export const NVDIMM = ['nvdimm0.present = "TRUE"', 'nvdimm0:0.present = "TRUE"', 'nvdimm0:0.fileName = "pmem.vmdk"'];

const target = (id: string) => (id === 'none' ? { ...targetNamed('libvirt'), id, secureBoot: false, firmware: [] } : targetNamed(id));

export const fired = (facts: Facts, to: string): readonly string[] => validate(facts, target(to)).map(({ id }) => id);
