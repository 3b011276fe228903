import path from 'node:path';
import type { GuestReport } from '../../guest/facts.ts';
import type { Code } from '../../machine/codes.ts';
import type { Machine } from '../../machine/format.ts';
import { guestFacts, inspectedOnce } from '../../machine/migrate/guest-facts.ts';
import { guestOfOsinfo } from '../../machine/migrate/guests.ts';
import type { ToVmxOptions } from '../../machine/migrate/to-vmx-context.ts';
import { type MachinePlan, planMachine } from '../../machine/plan.ts';
import type { DiskDevice } from '../../machine/spec.ts';
import type { SnapshotFacts } from '../../validate/facts.ts';
import { DESTINATIONS, type PlanOptions } from './options.ts';
import type { PlannedDisk } from './planned-disk.ts';

type Surroundings = {
	/** Where everything goes. */
	readonly folder: string;
	readonly guest: GuestReport | undefined;
	readonly snapshots: readonly SnapshotFacts[] | undefined;
	readonly options: PlanOptions;
};

/** Longer names of files are cut, in characters. */
const LONGEST = 80;

/** What the files of a machine are called: its name, without what a shell, an option or a path could stumble over. */
export const nameFor = ({ spec, path: file }: Machine): string => {
	const clean = (said: string): string =>
		said
			.normalize('NFC')
			.replaceAll(/[^\p{L}\p{N}._+@-]+/gu, '-')
			.replaceAll(/^[.-]+|[.-]+$/g, '')
			.slice(0, LONGEST);
	return clean(spec.identity.name ?? '') || clean(path.parse(file).name) || 'machine';
};

/**
 * The new description, over the images that the disks become.
 * @returns the plan, and the new device of each disk by the name of its image.
 */
export const describe = (
	machine: Machine,
	disks: readonly PlannedDisk[],
	{ folder, guest, snapshots, options }: Surroundings,
): { readonly plan: MachinePlan; readonly places: ReadonlyMap<string, DiskDevice> } => {
	const facts =
		guest &&
		guestFacts(
			guest,
			inspectedOnce(disks, ({ chain: [image = ''] }) => image).map(({ device }) => device.id),
		);
	const { form, product } = DESTINATIONS[options.to];
	const there = options.kvm?.imageFolder ?? hereAsThere(folder);
	const pathOf = (name: string): string => (form === 'vmx' ? name : path.posix.join(there, name));
	const plan =
		form === 'vmx'
			? planMachine(machine, {
					intent: 'migrate',
					to: 'vmx',
					...options.vmware,
					...(guest && vmwareGuest(machine, guest, options.vmware)),
					guest: facts,
					product,
					images: new Map(disks.map(({ device, files }) => [device.target ?? device.id, files[0]])),
				})
			: planMachine(machine, {
					intent: 'migrate',
					to: 'libvirt',
					...options.kvm,
					imageFolder: there,
					discardSuspend: options.discardSuspend,
					snapshots: snapshots?.map(({ name }) => name),
					guest: facts,
					drives: new Map(
						disks.map(({ device, files, format, uuid, chain }) => {
							return [device.id, { path: pathOf(files[0]), format, uuid, delta: chain.length > 1 }];
						}),
					),
				});
	const places = disks.flatMap(({ files: [name] }) => {
		const device = plan.spec.disks.find(({ media }) => media.type === 'file' && media.path === pathOf(name));
		return device ? [[name, device] as const] : [];
	});
	return { plan: { ...plan, report: plan.report.filter(({ code }) => !DONE.includes(code)) }, places: new Map(places) };
};

/** What is for a translation of the description alone: here disks are converted, and their chains compared with what the domain says. */
const DONE: readonly Code[] = ['DISK_TO_CONVERT', 'DISK_CHAIN_LOST'];

/** A folder of this computer as libvirt wants it: from the root. One of Windows is on no host of libvirt's. */
const hereAsThere = (folder: string): string => (process.platform === 'win32' ? '/var/lib/libvirt/images' : path.resolve(folder));

/** What the guest on the disks says where the domain does not. */
const vmwareGuest = (
	{ spec }: Machine,
	guest: GuestReport,
	said: Pick<ToVmxOptions, 'guestOs' | 'assumeVmwareDrivers' | 'hardwareVersion'> = {},
): Pick<ToVmxOptions, 'guestOs' | 'assumeVmwareDrivers'> => {
	const { disk, nic, osinfo, bits = spec.guest.arch === 'i686' ? 32 : 64 } = guestFacts(guest, []);
	const ready = disk?.pvscsi === 'boot' && (nic?.['vmxnet3'] === 'boot' || nic?.['vmxnet3'] === 'installed');
	const known = spec.guest.osinfo ?? spec.origin;
	const found = known || osinfo === undefined ? undefined : guestOfOsinfo(osinfo, bits, said.hardwareVersion);
	return {
		guestOs: said.guestOs ?? found?.key,
		assumeVmwareDrivers: said.assumeVmwareDrivers ?? (ready || undefined),
	};
};
