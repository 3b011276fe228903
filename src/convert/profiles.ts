import { humanSize } from '../bytes/size.ts';
import type { DiskFormat, OptionValues } from '../core/format.ts';
import { UnsupportedError, UsageError } from '../errors.ts';

/** What a hypervisor or a cloud takes: data, by which `--for` chooses the format and its options, and refuses what would be refused there. */
export type Profile = {
	/** What `--for` says. */
	readonly id: string;
	/** For people. */
	readonly name: string;
	/** The formats it takes, the one that it gets unasked first. */
	readonly takes: readonly Shape[];
	/** Of the virtual disk, in bytes; `multipleOf` 1 where any will do. */
	readonly size: { readonly multipleOf: number; readonly least: number; readonly most: number };
	/** What is left to do with the output, and why vconv does not do it. */
	readonly next?: { readonly what: string; readonly why: string };
	/** Where it says so. */
	readonly source: string;
};

type Shape = {
	/** By its id. */
	readonly format: string;
	/** The values that an option may have, the one that it gets unasked first. Options that are not here are free. */
	readonly options?: Readonly<Record<string, readonly string[]>>;
	/** What free options are unasked, where that is not the format's own default. */
	readonly defaults?: OptionValues;
};

const MiB = 2 ** 20;
const GiB = 2 ** 30;
const TiB = 2 ** 40;

/** When the sources were last looked at. */
export const PROFILES_AS_OF = '2026-08';

export const profiles: readonly Profile[] = [
	{
		id: 'azure',
		name: 'Azure',
		// The footer and nothing dynamic; the size that Azure believes is the current size, so no rounding to cylinders.
		takes: [{ format: 'vhd', options: { subformat: ['fixed'], force_size: ['on'] }, defaults: { align: '1M' } }],
		// A VHD holds no more, though Azure has data disks of 32 TiB.
		size: { multipleOf: MiB, least: 20 * MiB, most: 2040 * GiB },
		source: 'https://learn.microsoft.com/azure/virtual-machines/linux/create-upload-generic',
	},
	{
		id: 'aws',
		name: 'AWS',
		// All four import alike, and streamOptimized is the smallest to upload.
		takes: [{ format: 'vmdk', options: { subformat: ['streamOptimized'] } }, { format: 'raw' }, { format: 'vhd' }, { format: 'vhdx' }],
		size: { multipleOf: 1, least: 512, most: 16 * TiB },
		source: 'https://docs.aws.amazon.com/vm-import/latest/userguide/prerequisites.html',
	},
	{
		id: 'gcp',
		name: 'Google Cloud',
		takes: [{ format: 'raw', defaults: { align: '1G' } }],
		size: { multipleOf: GiB, least: GiB, most: 64 * TiB },
		next: {
			what: 'that `tar --format=oldgnu -Sczf disk.tar.gz disk.raw` is next',
			why: 'Google Cloud takes a disk under the name disk.raw in such an archive, and vconv writes no archives',
		},
		source: 'https://cloud.google.com/compute/docs/import/import-existing-image',
	},
	{
		id: 'hyperv',
		name: 'Hyper-V',
		takes: [{ format: 'vhdx' }, { format: 'vhd' }],
		size: { multipleOf: 1, least: 3 * MiB, most: 64 * TiB },
		source: 'https://learn.microsoft.com/windows-server/virtualization/hyper-v/maximum-scale-limits',
	},
	{
		id: 'esxi',
		name: 'ESXi',
		// Hosted sparse VMDKs are not for VMFS; streamOptimized is what its upload and OVF import unpack.
		takes: [{ format: 'vmdk', options: { subformat: ['vmfs', 'streamOptimized'] } }],
		size: { multipleOf: 1, least: 512, most: 62 * TiB },
		source: 'https://configmax.broadcom.com',
	},
	{
		id: 'virtualbox',
		name: 'VirtualBox',
		takes: [
			{ format: 'vdi' },
			{
				format: 'vmdk',
				options: {
					subformat: ['monolithicSparse', 'streamOptimized', 'monolithicFlat', 'twoGbMaxExtentSparse', 'twoGbMaxExtentFlat'],
				},
			},
			{ format: 'vhd' },
		],
		size: { multipleOf: 1, least: 512, most: 64 * TiB },
		source: 'https://www.virtualbox.org/manual/ch05.html',
	},
	{
		id: 'proxmox',
		name: 'Proxmox VE',
		takes: [{ format: 'qcow2' }, { format: 'raw' }, { format: 'vmdk', options: { subformat: ['monolithicSparse'] } }],
		size: { multipleOf: 1, least: 512, most: 64 * TiB },
		source: 'https://pve.proxmox.com/pve-docs/chapter-qm.html',
	},
	{
		id: 'libvirt',
		name: 'libvirt and QEMU',
		// Of all that QEMU opens, the two that it recommends for running machines.
		takes: [{ format: 'qcow2' }, { format: 'raw' }],
		size: { multipleOf: 1, least: 512, most: 64 * TiB },
		source: 'https://www.qemu.org/docs/master/system/images.html',
	},
];

/** The profile of this id. @throws UsageError naming those there are. */
export const profileNamed = (name: string): Profile => {
	const found = profiles.find(({ id }) => id === name.toLowerCase());
	if (!found) throw new UsageError(`--for ${name} is not known`, { hint: `one of ${profiles.map(({ id }) => id).join(', ')}` });
	return found;
};

/**
 * The options of an image for it: what was said, and what it wants of what was not.
 * @throws UsageError for a format that it does not take, and for options with which it does not.
 */
export const profileOptions = ({ name, takes }: Profile, format: DiskFormat, said: OptionValues): OptionValues => {
	const shape = takes.find((one) => one.format === format.id);
	if (!shape) {
		throw new UsageError(`${name} takes no ${format.name}`, { hint: `-O ${takes.map((one) => one.format).join(' or ')}, or no --for` });
	}
	const wanted: Record<string, string> = { ...shape.defaults };
	for (const [option, [first = '', ...others]] of Object.entries(shape.options ?? {})) {
		const value = said[option] ?? first;
		if (value !== first && !others.includes(value)) {
			throw new UsageError(`${name} takes a ${format.name} with ${option}=${[first, ...others].join(' or ')}, not ${value}`, {
				hint: `the same without ${option}=${value}`,
			});
		}
		wanted[option] = value;
	}
	return { ...wanted, ...said };
};

/** @throws UnsupportedError for a disk that is too large for it, whatever its image. */
export const refuseTooLarge = ({ name, size }: Profile, disk: number): void => {
	if (disk <= size.most) return;
	throw new UnsupportedError(`${name} takes disks of up to ${humanSize(size.most)}, and this one has ${humanSize(disk)}`, {
		hint: 'a smaller disk: move data to a second one, or shrink its last file system and partition, then the disk',
	});
};

/** @param disk virtual size of the image to be, in bytes. @throws UnsupportedError for one of a size that it does not take. */
export const checkSize = (profile: Profile, disk: number): void => {
	const { name, size } = profile;
	refuseTooLarge(profile, disk);
	if (disk < size.least) {
		throw new UnsupportedError(`${name} takes disks from ${humanSize(size.least)}, and this one has ${humanSize(disk)}`, {
			hint: growing(profile),
		});
	}
	if (disk % size.multipleOf !== 0) {
		throw new UnsupportedError(`${name} takes disks of whole multiples of ${humanSize(size.multipleOf)}, and this one has ${disk} bytes`, {
			hint: `-o align=${size.multipleOf}`,
		});
	}
};

/** How a disk becomes large enough. */
const growing = ({ size, takes }: Profile): string =>
	`${takes[0]?.defaults?.['align'] ? '' : 'by way of -O raw '}-o align=${size.least}, which adds zeros at its end`;
