import { UsageError } from '../../errors.ts';
import type { VmSpec } from '../spec.ts';
import type { Migration, ToVmxOptions } from './to-vmx-context.ts';

/** Of ESXi 7.0 U2 and Workstation 16.1, and everything since. */
const USUAL = 19;

/** The highest virtual hardware version of each ESXi. Hardware specification, section 8.1. */
const OF_ESXI: readonly (readonly [version: string, hardware: number])[] = [
	['3.0', 4],
	['4.0', 7],
	['5.0', 8],
	['5.1', 9],
	['5.5', 10],
	['6.0', 11],
	['6.5', 13],
	['6.7', 14],
	['6.7.2', 15],
	['7.0', 17],
	['7.0.1', 18],
	['7.0.2', 19],
	['8.0', 20],
	['8.0.2', 21],
	['9.0', 22],
];

const OF_WORKSTATION: readonly (readonly [version: string, hardware: number])[] = [
	['10', 10],
	['11', 11],
	['12', 12],
	['14', 14],
	['15', 16],
	['16', 18],
	['16.1', 19],
	['17', 20],
	['17.5', 21],
];

const OF_FUSION: readonly (readonly [version: string, hardware: number])[] = [
	['6', 10],
	['7', 11],
	['8', 12],
	['10', 14],
	['11', 16],
	['12', 18],
	['12.1', 19],
	['13', 20],
	['13.5', 21],
];

const PRODUCTS = {
	esxi: ['esxi', OF_ESXI],
	ws: ['hosted', OF_WORKSTATION],
	fusion: ['hosted', OF_FUSION],
} as const;

/**
 * What `esxi=8.0.2`, `ws=17`, `fusion=13` or `hw=20` says.
 * @throws UsageError for anything else, and for a product older than any that is known.
 */
export const targetVersion = (said: string): Pick<ToVmxOptions, 'product' | 'hardwareVersion'> => {
	const hint = 'esxi=8.0.2, ws=17, fusion=13 or hw=20';
	const [, name = '', version = ''] = /^([a-z]+)=(\d{1,3}(?:\.\d{1,3}){0,2})$/.exec(said) ?? [];
	if (name === 'hw' && !version.includes('.')) return { hardwareVersion: checkedVersion(Number(version)) };
	const [product, versions] = PRODUCTS[name as keyof typeof PRODUCTS] ?? [];
	if (!product || !versions) throw new UsageError(`'${said}' is no version of a VMware product`, { hint });
	const hardwareVersion = versions.findLast(([known]) => number(known) <= number(version))?.[1];
	if (hardwareVersion === undefined) {
		throw new UsageError(`${name} ${version} is older than any whose virtual hardware is known`, { hint: `${name}=${versions[0]?.[0]}` });
	}
	return { product, hardwareVersion };
};

/** Versions in their order. */
const number = (version: string): number => {
	const [major = 0, minor = 0, update = 0] = version.split('.').map(Number);
	return (major * 1000 + minor) * 1000 + update;
};

const NEWEST = OF_ESXI.at(-1) as readonly [version: string, hardware: number];

/** The newest version of virtual hardware that is known. */
export const NEWEST_HARDWARE = NEWEST[1];

/** A virtual hardware version that some product has. @throws UsageError for what is none. */
export const checkedVersion = (version: number): number => {
	if (Number.isInteger(version) && version >= 4 && version <= NEWEST_HARDWARE) return version;
	throw new UsageError(`${version} is no virtual hardware version that is known`, {
		hint: `a whole number from 4 to ${NEWEST_HARDWARE}, the newest, of ESXi ${NEWEST[0]}`,
	});
};

type Need = { readonly what: string; readonly version: number; readonly keys: readonly string[] };

/** What of a machine wants a virtual hardware version, whichever devices are chosen for it. Hardware specification, section 8.1. */
const needs = ({ spec, isEfi }: { readonly spec: VmSpec; readonly isEfi: boolean }): Need[] => {
	const cpus = spec.cpu.count ?? 1;
	const forCpus = [
		[768, 22],
		[128, 18],
		[64, 11],
		[32, 9],
		[8, 8],
		[0, 4],
	] as const;
	return [
		...(isEfi ? [{ what: 'EFI', version: 8, keys: ['os/@firmware'] }] : []),
		...(spec.firmware.secureBoot ? [{ what: 'secure boot', version: 13, keys: ['os/firmware'] }] : []),
		...(spec.tpms.length > 0 ? [{ what: 'a TPM', version: 14, keys: ['devices/tpm'] }] : []),
		...(spec.nics.length > 4 ? [{ what: 'more than four network cards', version: 7, keys: ['devices/interface'] }] : []),
		{ what: `${cpus} virtual CPUs`, version: forCpus.find(([above]) => cpus > above)?.[1] ?? 4, keys: ['vcpu'] },
	];
};

/** The virtual hardware version to write. @throws UsageError for what is none. */
export const hardwareVersionFor = (spec: VmSpec, isEfi: boolean, origin: VmSpec | undefined, { hardwareVersion }: ToVmxOptions): number => {
	if (hardwareVersion !== undefined) return checkedVersion(hardwareVersion);
	const least = Math.max(4, ...needs({ spec, isEfi }).map(({ version }) => version));
	return Math.max(origin?.platform.hardwareVersion ?? USUAL, least);
};

/** Devices, by VMware's names of them, and the virtual hardware version that each came with. Hardware specification, section 8.1. */
const DEVICES = [
	{ name: 'sata', what: 'SATA', version: 10, keys: ['devices/disk'] },
	{ name: 'nvme', what: 'NVMe', version: 13, keys: ['devices/disk'] },
	{ name: 'pvscsi', what: 'pvscsi', version: 7, keys: ['devices/disk'] },
	{ name: 'lsisas1068', what: 'lsisas1068', version: 7, keys: ['devices/disk'] },
	{ name: 'vmxnet3', what: 'vmxnet3', version: 7, keys: ['devices/interface'] },
	{ name: 'e1000e', what: 'e1000e', version: 8, keys: ['devices/interface'] },
	{ name: 'xhci', what: 'xHCI', version: 8, keys: ['devices/controller'] },
] as const;

type Planned = Pick<VmSpec, 'controllers' | 'nics' | 'usb'>;

/** What devices want, which are chosen to fit unless they are those of the VMX that the machine came from. */
const deviceNeeds = ({ controllers, nics, usb }: Planned): Need[] => {
	const found = [...controllers.flatMap(({ bus, model }) => [bus, model]), ...nics.map(({ model }) => model), usb?.xhci && 'xhci'];
	return DEVICES.filter(({ name }) => found.includes(name));
};

/** What the hardware version that was asked for is too low for. */
export const tellTooLow = (planned: Planned, m: Migration, isEfi: boolean): void => {
	// What a VMX has at its own version, it has.
	const isLowered = m.hardwareVersion < (m.origin?.platform.hardwareVersion ?? USUAL);
	for (const { what, version, keys } of [...needs({ spec: m.spec, isEfi }), ...(isLowered ? deviceNeeds(planned) : [])]) {
		if (version <= m.hardwareVersion) continue;
		const message = `${what} wants hardware version ${version}, and ${m.hardwareVersion} is written`;
		m.tell('HW_TOO_LOW', 'platform', message, { keys, remedy: `--hw-version ${version}`, action: 'none' });
	}
};
