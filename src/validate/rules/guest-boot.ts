import type { DiskFlag, DriverFact, GuestReport, NicModel, PartitionFacts, VolumeFacts } from '../../guest/facts.ts';
import { isFallback, startsByBios } from '../../guest/firmware.ts';
import { startsByEfi } from '../../machine/firmware.ts';
import type { Facts } from '../facts.ts';
import { plannedForKvm } from '../planned.ts';
import type { Evidence, Rule } from '../rule.ts';
import type { Target } from '../targets.ts';
import { cpuOf } from './architecture.ts';
import { asksVirtio, type BusFact, bootBuses, factsOf, VIRTIO } from './boot-bus.ts';
import { cpuFamily, keyIn, staysWithVmware, wantsEfi } from './describe.ts';

/** Whether the guest starts at the target: drivers, firmware, partition tables. */
export const bootRules: readonly Rule[] = [
	{
		id: 'vconv.guest.disk.driver',
		category: 'Critical',
		label: 'No driver at boot for the disk bus at the target',
		assessment: 'The guest does not find its system disk at the target: Linux stops in its initramfs, Windows with 0x7B.',
		remedy:
			'Put a driver in before the move: on Linux the modules of one of these buses, or of virtio, into the initramfs (`dracut -f --add-drivers "MODULE …"`, or /etc/initramfs-tools/modules and `update-initramfs -u`), on Windows the drivers of the target, started at boot. One that is there and disabled is started by `sc config NAME start= boot` and `reg delete HKLM\\SYSTEM\\CurrentControlSet\\Services\\NAME\\StartOverride /f`; on Linux its name comes off the blacklist in the boot menu or in modprobe.d, and the initramfs is made anew. With --devices the bus was chosen for it: auto takes one that the guest starts from, where there is one.',
		find: (facts, target) => (asksVirtio(facts, target) || target.has.includes('import-drivers') ? [] : lacking(bootBuses(facts, target))),
	},
	{
		id: 'vconv.guest.disk.import',
		category: 'Warning',
		label: 'No driver at boot for the disks of the target, which its import adds',
		assessment:
			'The guest starts only if the import puts the driver in, as it does for the systems that it knows; an import of snapshots alone changes nothing in the guest.',
		remedy: 'Import it as an image (ImportImage), or put a driver in before the move.',
		targets: ['aws'],
		find: (facts, target) => (target.has.includes('import-drivers') ? lacking(bootBuses(facts, target)) : []),
	},
	{
		id: 'vconv.guest.disk.virtio',
		category: 'Critical',
		label: 'The guest cannot start from virtio',
		assessment: 'Virtio was asked for, and the guest has no driver for it that is there when it starts.',
		remedy:
			'Leave the choice to vconv (--devices auto), which takes a bus that the guest starts from; or put the driver in before the move.',
		targets: ['libvirt', 'kubevirt', 'proxmox', 'gcp'],
		find: (facts, target) => (asksVirtio(facts, target) ? lacking(bootBuses(facts, target)) : []),
	},
	{
		id: 'vconv.guest.disk.unknown',
		category: 'Warning',
		label: 'Whether the guest starts from a disk bus of the target is not known',
		assessment: 'The drivers that the guest has when it starts could not be judged.',
		remedy: 'See in the guest that its initramfs, or Windows, starts with a driver for the bus.',
		find: (facts, target) => {
			const buses = bootBuses(facts, target).map(([bus, fact = NOT_KNOWN]) => [bus, fact] as const);
			const isKnown = buses.some(([, { state }]) => state === 'boot') || buses.every(([, { state }]) => state !== 'unknown');
			// Of a disk that nothing starts from nobody asks for drivers.
			const starts = facts.guest?.os || (facts.guest?.firmware.type ?? 'unknown') !== 'unknown';
			return starts && !isKnown ? buses.map(([bus, fact]) => driver(bus, fact)) : [];
		},
	},
	{
		id: 'vconv.guest.disk.slower',
		category: 'Warning',
		label: 'The guest has no driver at boot for the fastest disk bus',
		assessment: 'The disks come to another bus of the target that the guest starts from, which is slower.',
		remedy:
			'Put the driver in (Linux: its modules into the initramfs, by dracut or update-initramfs; Windows: the drivers of the target), then change the bus.',
		find: (facts, target) => {
			if ((facts.choices?.devices ?? 'auto') !== 'auto' || staysWithVmware(facts, target)) return [];
			const taken = bootBuses(facts, target).find(([, fact]) => fact?.state === 'boot')?.[0];
			const fast = fastest(target.buses);
			return taken === undefined || fast.some((bus) => bus === taken) ? [] : lacking(factsOf(facts, fast));
		},
	},
	{
		id: 'vconv.guest.disk.staged',
		category: 'Warning',
		label: 'Driver in the store and not in use',
		assessment: 'The driver for this bus was put into the driver store of Windows, and Windows does not start with it yet.',
		remedy: 'Start once with the system disk on SATA and a small second disk on the new bus, then change the bus.',
		find: ({ guest }, { buses }) =>
			buses.flatMap((bus) => {
				const fact = guest?.drivers?.disk[bus];
				return fact?.state === 'staged' ? [driver(bus, fact)] : [];
			}),
	},
	{
		id: 'vconv.guest.network.driver',
		category: 'Warning',
		label: 'No driver for any network card of the target',
		assessment: 'The guest has no network at the target until a driver is put in.',
		remedy: 'Put the driver in before the move.',
		find: ({ guest }, { nics }) => {
			const facts = nics.map((model): readonly [NicModel, DriverFact | undefined] => [model, guest?.drivers?.network[model]]);
			if (!guest?.drivers || facts.some(([, fact]) => !fact || TAKEN.includes(fact.state))) return [];
			return facts.flatMap(([model, fact]) => (fact ? [{ what: `${model}: ${fact.state}, ${fact.evidence}` }] : []));
		},
	},
	{
		id: 'vconv.guest.firmware.mismatch',
		category: 'Critical',
		label: 'The description and the disks want different firmware',
		assessment: 'The machine is said to start by one firmware, and its disks are made for the other: it does not start.',
		remedy: 'Correct the firmware of the description.',
		find: ({ machine, guest }) => {
			const said = machine && startsByEfi(machine.spec) ? 'uefi' : 'bios';
			const seen = guest?.firmware.type;
			if (!machine || (seen !== 'bios' && seen !== 'uefi') || seen === said) return [];
			return [{ what: `the description says ${said}, the disks say ${seen}`, file: machine.path, key: keyIn(machine, 'firmware') }];
		},
	},
	{
		id: 'vconv.guest.firmware.fallback',
		category: 'Critical',
		label: 'No boot loader where firmware without boot entries looks',
		assessment:
			'Boot entries stay behind with the NVRAM, and EFI/BOOT/BOOTX64.EFI (on ARM BOOTAA64.EFI) is not there, is a shim without what it starts, or is GRUB itself, which the keys of the firmware do not let start under Secure Boot: the firmware finds nothing to start.',
		remedy:
			'Put one there before the move: Debian and Ubuntu by `grub-install --force-extra-removable`; others by copying shimx64.efi to EFI/BOOT/BOOTX64.EFI on the EFI system partition, and grubx64.efi, which it starts, beside it; Windows by copying EFI/Microsoft/Boot/bootmgfw.efi there. Or add a boot entry at the target.',
		find: (facts, target) => {
			const firmware = facts.guest?.firmware;
			if (!firmware || staysWithVmware(facts, target) || !asksForLoader(facts)) return [];
			if (firmware.fallbackIsGrub && keepsSecureBoot(facts))
				return [{ what: 'Secure Boot is on, and it has GRUB there', key: firmware.esp }];
			const arch = cpuOf(facts);
			const isOther = firmware.loaders?.some((path) => isFallback(path, arch && cpuFamily(arch))) === false;
			if (firmware.fallbackLoader === undefined || (firmware.fallbackLoader && !isOther)) return [];
			return [{ what: `it has ${firmware.loaders?.slice(0, 4).join(', ') || 'no loaders'}`, key: firmware.esp }];
		},
	},
	{
		id: 'vconv.guest.firmware.bus',
		category: 'Critical',
		label: 'The firmware of the target does not find the system disk',
		assessment:
			'The machine starts by EFI, and the controller that the move gives its system disk is one for which UEFI firmware as it is packaged has no driver: the machine does not start, whatever drivers the guest has.',
		remedy:
			'Leave out --devices preserve: auto takes a bus that the firmware and the guest start from. Where the firmware of the host has the driver, --accept this, and --uefi-scsi for vconv migrate.',
		targets: ['libvirt'],
		find: (facts) => {
			const planned = plannedForKvm(facts);
			return !planned || planned.isFound ? [] : [{ what: `the system disk comes to ${planned.attachment}` }];
		},
	},
	{
		id: 'vconv.guest.boot.none',
		category: 'Warning',
		label: 'Nothing to start from',
		assessment: 'No disk has a boot sector with code or an EFI system partition: the machine starts from something else, or not at all.',
		remedy: 'See whether the system disk is among the disks given, and the first of them.',
		find: ({ guest }) =>
			guest && guest.disks.length > 0 && guest.firmware.type === 'unknown'
				? [{ what: guest.disks.length === 1 ? 'one disk, without a boot loader' : `${guest.disks.length} disks, none with a boot loader` }]
				: [],
	},
	{
		id: 'vconv.guest.partitions.damaged',
		category: 'Warning',
		label: 'Partition table not in order',
		assessment: 'The partition table contradicts itself or its copy; firmware and systems differ in what they make of it.',
		remedy: 'Repair it with gdisk or the like, on a copy.',
		find: ({ guest }) =>
			flagged(guest, [
				'gpt-primary-bad',
				'gpt-backup-bad',
				'gpt-copies-differ',
				'gpt-backup-not-at-end',
				'hybrid-mbr',
				'no-protective-mbr',
				'ebr-chain-broken',
				'partitions-overlap',
			]),
	},
	{
		id: 'vconv.guest.partitions.leftover',
		category: 'Information',
		label: 'Partition table of an earlier use of the disk',
		assessment:
			'A GPT without a protective MBR lies on a disk that holds something else on the whole of it. Systems do not believe it, and neither does vconv; tools that make partitions may.',
		remedy: 'Nothing for the move. Do not let gdisk or the like repair it: that would overwrite what is there.',
		find: ({ guest }) => flagged(guest, ['gpt-leftover']),
	},
	{
		id: 'vconv.guest.partitions.outside',
		category: 'Critical',
		label: 'Partition that ends after its disk',
		assessment: 'The disk was cut off, or its size was taken for another: what is behind its end is lost.',
		remedy: 'Take the image from the source once more.',
		find: ({ guest }) => flagged(guest, ['partition-outside']),
	},
	{
		id: 'vconv.guest.partitions.sectors',
		category: 'Critical',
		label: 'Partition table made for sectors of another size',
		assessment: 'The table counts in sectors of another size than the disk has: firmware does not find the partitions.',
		remedy:
			"Show the disk with the sectors that its table was made for: in a domain of libvirt `<blockio logical_block_size='4096' physical_block_size='4096'/>` in its <disk>, or none for 512; of KubeVirt `blockSize`; for Hyper-V a VHDX, by `vconv convert -O vhdx --sector-size 4096`, or 512. A target that has sectors of 512 bytes alone does not start a disk that was made for 4096: make the machine anew there.",
		find: ({ guest }) =>
			(guest?.disks ?? [])
				.filter(({ flags }) => flags.includes('gpt-sector-size-mismatch'))
				.map(({ image, sectorSize }) => ({
					what: `the table was made for ${sectorSize === 512 ? 4096 : 512}, and the disk has ${sectorSize}`,
					file: image,
				})),
	},
	{
		id: 'vconv.guest.volume.cut',
		category: 'Critical',
		label: 'File system, physical volume of LVM or member of an array larger than its partition or disk',
		assessment: 'The end of it is not there.',
		remedy: 'Take the image from the source once more.',
		find: ({ guest }) =>
			(guest?.volumes ?? []).flatMap(({ id, size, fileSystemSize = 0 }) =>
				fileSystemSize > size ? [{ what: `${fileSystemSize} bytes on ${size}`, key: id }] : [],
			),
	},
	{
		id: 'vconv.guest.root.spread',
		category: 'Warning',
		label: 'The system is spread over several disks',
		assessment: 'The target wants the system on one disk.',
		remedy: 'Bring the system together on one disk before the move.',
		targets: ['aws', 'azure', 'gcp'],
		find: ({ guest }) => {
			const volumes = guest?.volumes ?? [];
			const disks = new Set(
				volumes.filter(({ mountpoint }) => /^\/(boot(\/efi)?|usr)?$/.test(mountpoint ?? '')).flatMap(({ id }) => disksUnder(id, volumes)),
			);
			return disks.size > 1 ? [{ what: [...disks].sort().join(', ') }] : [];
		},
	},
	{
		id: 'vconv.guest.root.several',
		category: 'Warning',
		label: 'Several operating systems',
		assessment: 'More than one system was found; drivers and settings are judged by the one that starts by default.',
		remedy: 'See that it is the right one.',
		find: ({ guest }) =>
			guest && guest.otherSystems.length > 0 ? guest.otherSystems.map(({ name, root }) => ({ what: name, key: root })) : [],
	},
];

/** Whether firmware looks for a loader on the ESP. Without a description the first disk decides that firmware starts anything from. */
const asksForLoader = (facts: Facts): boolean => {
	const isEsp = ({ type }: PartitionFacts): boolean => type === 'esp';
	const first = facts.guest?.disks.find((disk) => startsByBios(disk) || disk.partitions.some(isEsp));
	return wantsEfi(facts) || (!facts.machine && first !== undefined && !startsByBios(first));
};

/** Whether the machine has Secure Boot in force, and nobody asked to go without it. */
const keepsSecureBoot = ({ machine, choices }: Facts): boolean => {
	const { secureBoot = false, enrolledKeys = true } = machine?.spec.firmware ?? {};
	return choices?.secureBoot ?? (secureBoot && enrolledKeys);
};

/** The disks that hold a volume: those of what it is put together from, if it is. */
const disksUnder = (id: string, volumes: readonly VolumeFacts[]): readonly string[] => {
	const disk = /^disk\d+/.exec(id)?.[0];
	if (disk !== undefined) return [disk];
	return (volumes.find((volume) => volume.id === id)?.on ?? []).flatMap((part) => disksUnder(part, volumes));
};

/** Windows takes what is in its store when it sees the card. */
const TAKEN: readonly DriverFact['state'][] = ['boot', 'installed', 'staged', 'unknown'];

const NOT_KNOWN: DriverFact = { state: 'unknown', evidence: 'its drivers could not be read' };

/** Made for speed, and none as a rule faster than another. */
const FAST: Target['buses'] = [...VIRTIO, 'nvme', 'hyperv-scsi', 'hyperv-nvme'];

/** The fast buses of a target, its own first; none where that imitates old hardware: the others are not slower than it. */
const fastest = (buses: Target['buses']): Target['buses'] => {
	const [first] = buses;
	// VMware's own: on QEMU pvscsi is there for guests that come from VMware.
	const fast = first === 'pvscsi' ? [...FAST, first] : FAST;
	return first && fast.includes(first) ? buses.filter((bus) => fast.includes(bus)) : [];
};

const driver = (bus: string, { state, evidence }: DriverFact): Evidence => ({ what: `${bus}: ${state}, ${evidence}` });

/** Evidence for each bus, if none of them is there at boot. */
const lacking = (facts: readonly BusFact[]): Evidence[] =>
	facts.some(([, fact]) => !fact || fact.state === 'boot' || fact.state === 'unknown')
		? []
		: facts.flatMap(([bus, fact]) => (fact ? [driver(bus, fact)] : []));

const flagged = (guest: GuestReport | undefined, flags: readonly DiskFlag[]): Evidence[] =>
	(guest?.disks ?? []).flatMap((disk) =>
		disk.flags.filter((flag) => flags.includes(flag)).map((flag) => ({ what: flag.replaceAll('-', ' '), file: disk.image })),
	);
