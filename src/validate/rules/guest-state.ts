import type { DiskFacts, GuestReport, VolumeFacts } from '../../guest/facts.ts';
import type { Evidence, Rule } from '../rule.ts';

const DYNAMIC = ['kubevirt', 'aws', 'gcp', 'proxmox', 'libvirt'];

/** In what state the guest's file systems are, and what is encrypted. */
export const guestStateRules: readonly Rule[] = [
	{
		id: 'vconv.guest.hibernated',
		category: 'Critical',
		label: 'The guest is hibernated',
		assessment:
			'Memory and open files of a running system are on its disk. On other hardware it does not wake up, and its file systems are not in order.',
		remedy: 'Start it at the source and shut it down whole: on Windows `shutdown /s /t 0` after `powercfg /h off`.',
		find: ({ guest }) => volumes(guest, ({ state }) => state.includes('hibernated') && 'it holds the memory of a hibernated system'),
	},
	{
		id: 'vconv.guest.fast_startup',
		category: 'Warning',
		label: 'Windows with Fast Startup',
		assessment: 'Shutting down leaves Windows half hibernated, with file systems that others must not write to.',
		remedy: 'Switch it off (`powercfg /h off`) and shut down once more.',
		find: ({ guest }) => marked(guest, 'fast-startup'),
	},
	{
		id: 'vconv.guest.filesystem.unclean',
		category: 'Warning',
		label: 'File system that was not unmounted',
		assessment:
			'The guest was switched off rather than shut down. Its journal sets most of it right at the next start; what was being written is lost.',
		remedy: 'Start it at the source once more and shut it down in order.',
		find: ({ guest }) =>
			volumes(
				guest,
				({ clean, state, type }) =>
					clean === false &&
					!state.includes('hibernated') &&
					type !== 'swap' &&
					!hasErrorsAlone(state) &&
					(state.filter((word) => !ERRORS.includes(word)).join(', ') || 'not clean'),
			),
	},
	{
		id: 'vconv.guest.filesystem.errors',
		category: 'Critical',
		label: 'File system with errors',
		assessment: 'The file system itself says that it found errors, which a move neither mends nor hides.',
		remedy: 'Have it checked at the source: fsck, xfs_repair or chkdsk.',
		find: ({ guest }) => volumes(guest, ({ state }) => ERRORS.find((word) => state.includes(word)) ?? false),
	},
	{
		id: 'vmware.guestDisks.btrfs.unsupported',
		category: 'Information',
		label: 'btrfs',
		assessment: 'vconv does not look into btrfs: whether the guest has the drivers that it needs is not known.',
		remedy: 'See to the drivers in the guest before the move.',
		find: ({ guest }) => volumes(guest, ({ type }) => type === 'btrfs' && 'btrfs'),
	},
	{
		id: 'vconv.guest.filesystem.unread',
		category: 'Information',
		label: 'Volume that vconv does not look into',
		assessment: 'What is on it was not judged. It is copied like everything else.',
		remedy: 'See to it in the guest where it holds the system.',
		find: ({ guest }) =>
			volumes(guest, ({ unsupported, encrypted, type }) => unsupported !== undefined && !encrypted && type !== 'btrfs' && unsupported),
	},
	{
		id: 'vconv.guest.encrypted.bitlocker',
		category: 'Warning',
		label: 'BitLocker',
		assessment: 'Other hardware and another TPM: Windows asks for the recovery key at the first start.',
		remedy: 'Have the recovery key at hand, or suspend the protectors (`manage-bde -protectors -disable C:`) before shutting down.',
		find: ({ guest }) => [...volumes(guest, ({ type }) => type === 'BitLocker' && 'encrypted'), ...marked(guest, 'bitlocker')],
	},
	{
		id: 'vconv.guest.encrypted.luks',
		category: 'Warning',
		label: 'LUKS',
		assessment:
			'The volume is copied as it is, and vconv does not look into it. Somebody types its passphrase at the first start, even where a TPM did it before.',
		remedy: 'Have the passphrase and a console at hand.',
		find: ({ guest }) => volumes(guest, ({ type, state }) => type === 'crypto_LUKS' && (state.join(', ') || 'encrypted')),
	},
	{
		id: 'vconv.guest.encrypted.tpm',
		category: 'Critical',
		label: 'Volume that is unlocked by a TPM',
		assessment: 'The TPM stays behind, and with it what unlocks the volume, which no passphrase does: the guest does not start.',
		remedy:
			'Add a passphrase to it before the move, in the running guest: `cryptsetup luksAddKey --token-type systemd-tpm2 DEVICE`, with cryptsetup 2.6 or later (Debian 12, RHEL 9.2, Ubuntu 24.04); an older one asks for a present passphrase. Of clevis `clevis luks list -d DEVICE` names the slots, and `clevis luks pass -d DEVICE -s SLOT` tells what `cryptsetup luksAddKey DEVICE` then asks for.',
		find: ({ guest }) =>
			volumes(
				guest,
				({ state, type }) =>
					type === 'crypto_LUKS' &&
					!state.includes('passphrase') &&
					!state.includes(TANG) &&
					(state.find((word) => /tpm2|clevis/.test(word)) ?? false),
			),
	},
	{
		id: 'vconv.guest.encrypted.network',
		category: 'Warning',
		label: 'Volume that a server on the network unlocks',
		assessment:
			'The guest starts at the target only if its card there gets an address in the initramfs and reaches the Tang server; no passphrase unlocks the volume.',
		remedy:
			'See that the server is reached from the network of the target. Add a passphrase before the move, in the running guest: `clevis luks list -d DEVICE` names the slots, and `clevis luks pass -d DEVICE -s SLOT` tells what `cryptsetup luksAddKey DEVICE` then asks for.',
		find: ({ guest }) => volumes(guest, ({ state }) => !state.includes('passphrase') && state.includes(TANG) && TANG),
	},
	{
		id: 'vconv.guest.encrypted.target',
		category: 'Critical',
		label: 'Encrypted volume that the target refuses',
		assessment: 'The import of the target changes the guest, which it cannot in an encrypted volume.',
		remedy: 'Decrypt it before the move.',
		targets: ['aws'],
		find: ({ guest }) => volumes(guest, ({ encrypted, type }) => encrypted === true && type),
	},
	{
		id: 'vconv.guest.dynamic_disk',
		category: 'Critical',
		label: 'Dynamic disk of Windows',
		assessment: 'Windows starts from dynamic disks only as it was installed on them, and tools of the target do not read them.',
		remedy: 'Back the data up and make it a basic disk, or move the machine and check it at the target.',
		targets: DYNAMIC,
		find: ({ guest }) => dynamic(guest, (disk) => isWindowsBoot(guest, disk)),
	},
	{
		id: 'vconv.guest.dynamic_disk.data',
		category: 'Warning',
		label: 'Dynamic disk of Windows with data',
		assessment: 'Its volumes are copied as they are, and neither vconv nor tools of the target look into them.',
		remedy: 'See that Windows brings the disk online at the target (Import Foreign Disks), with all disks that its volumes are on.',
		targets: DYNAMIC,
		find: ({ guest }) => dynamic(guest, (disk) => !isWindowsBoot(guest, disk)),
	},
	{
		id: 'vconv.guest.lvm.missing',
		category: 'Critical',
		label: 'Part of a volume group is not there',
		assessment: 'Disks that the group is spread over were not given, so that its volumes cannot be opened.',
		remedy: 'Give all disks of the machine.',
		find: ({ guest }) =>
			(guest?.incomplete ?? [])
				.filter(({ where, what }) => where.startsWith('vg:') && what === 'physical volumes')
				.map(({ where, why }) => ({ what: why, key: where })),
	},
	{
		id: 'vconv.guest.md.degraded',
		category: 'Warning',
		label: 'Degraded array',
		assessment: 'Disks of the array were not given, or failed at the source.',
		remedy: 'Give all disks of the machine, or repair the array first.',
		find: ({ guest }) => volumes(guest, ({ state }) => state.includes('degraded') && 'members are missing'),
	},
	{
		id: 'vmware.guestDisks.freespace',
		category: 'Warning',
		label: 'Little free space in the guest',
		assessment: 'Drivers and agents that are put in after the move need some room; tools that change the guest during a move refuse.',
		remedy: 'Free some space: 100 MiB on the system volume, 50 MiB on /boot, 10 MiB elsewhere.',
		find: ({ guest }) =>
			volumes(guest, ({ mountpoint, free }) => {
				if (mountpoint === undefined || free === undefined) return false;
				const least = /^(\/|c:\\?)$/i.test(mountpoint) ? 100 : mountpoint === '/boot' ? 50 : 10;
				return free < least * 2 ** 20 && !mountpoint.startsWith('/boot/efi') && `${mountpoint} has ${Math.floor(free / 2 ** 20)} MiB`;
			}),
	},
	{
		id: 'vconv.guest.inodes',
		category: 'Warning',
		label: 'No room for further files in the guest',
		assessment: 'The file system has hardly any inodes left, however many bytes are free.',
		remedy: 'Remove files.',
		find: ({ guest }) => volumes(guest, ({ freeInodes }) => freeInodes !== undefined && freeInodes < 100 && `${freeInodes} inodes`),
	},
	{
		id: 'vconv.guest.incomplete',
		category: 'Information',
		label: 'Parts of the guest that could not be read',
		assessment: 'What is here was not judged; everything else was.',
		remedy: 'Look at these in the guest.',
		find: ({ guest }) => (guest?.incomplete ?? []).map(({ where, what, why }) => ({ what: `${what}: ${why}`, key: where })),
	},
];

/** The word for a token of clevis that asks a server for the key. */
const TANG = 'clevis-tang';

const dynamic = (guest: GuestReport | undefined, is: (disk: DiskFacts) => boolean): Evidence[] =>
	(guest?.disks ?? [])
		.filter(({ partitions }) => partitions.some(({ mbrType, type }) => mbrType === 0x42 || /^ldm/.test(type)))
		.filter(is)
		.map(({ image }) => ({ what: 'it is dynamic', file: image }));

/** Whether Windows may start from this disk: its root is on it, or it has what firmware starts from and no other system was found. */
const isWindowsBoot = (guest: GuestReport | undefined, { index, partitions }: DiskFacts): boolean => {
	const os = guest?.os;
	if (os && os.family !== 'windows') return false;
	return os?.root.match(/^disk(\d+)/)?.[1] === String(index) || partitions.some(({ bootable, type }) => bootable || type === 'esp');
};

const ERRORS: readonly string[] = ['errors', 'needs-repair', 'chkdsk-underway'];

/** Whether a volume is not clean for its errors, and was unmounted for all that. */
const hasErrorsAlone = (state: readonly string[]): boolean =>
	state.some((word) => ERRORS.includes(word)) && !state.some((word) => ['needs-recovery', 'not-unmounted', 'dirty'].includes(word));

const volumes = (guest: GuestReport | undefined, seen: (volume: VolumeFacts) => string | false): Evidence[] =>
	(guest?.volumes ?? []).flatMap((volume) => {
		const what = seen(volume);
		return what === false ? [] : [{ what, key: volume.mountpoint === undefined ? volume.id : `${volume.id} (${volume.mountpoint})` }];
	});

/** Evidence for each mark of the system under this code. */
export const marked = (guest: GuestReport | undefined, ...codes: readonly string[]): Evidence[] =>
	(guest?.os?.marks ?? []).filter(({ code }) => codes.includes(code)).map(({ evidence, where }) => ({ what: evidence, key: where }));
