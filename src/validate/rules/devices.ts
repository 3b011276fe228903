import type { Code } from '../../machine/codes.ts';
import { isHardDisk, isTransient } from '../../machine/hard-disks.ts';
import { decideGuest } from '../../machine/migrate/guest.ts';
import { isToolsDisc } from '../../machine/migrate/media.ts';
import { modelOf } from '../../machine/migrate/storage-policy.ts';
import type { DiskDevice } from '../../machine/spec.ts';
import type { DiskState, Facts } from '../facts.ts';
import type { Evidence, Rule } from '../rule.ts';
import { coded, keyed, keyIn, pieces, problems } from './describe.ts';

/** Where a description says that a disk is; by its target where libvirt finds the place. */
const placeOf = ({ bus, controller, unit, address, target }: DiskDevice): string =>
	address ? `${bus}${address.join(':')}` : (target ?? `${bus}${controller}:${unit}`);

/** What is peculiar about the disks and drives that a description names. */
export const deviceRules: readonly Rule[] = [
	{
		id: 'vmware.disk.count.exceeds.limit',
		category: 'Critical',
		label: 'More disks than the target takes',
		assessment: 'The target has no places for all disks of the machine.',
		remedy: 'Join data disks in the guest, or choose another target.',
		find: ({ disks, subject }, { name, most }) =>
			disks.length > most.disks ? [{ what: `${disks.length} disks, and ${name} takes at most ${most.disks}`, file: subject }] : [],
	},
	{
		id: 'vmware.disk.rdm.detected',
		category: 'Critical',
		label: 'Raw device mapping',
		assessment: 'The disk is a device of the source host: its data is in no file here.',
		remedy:
			'Copy the device to an image of its own and name that in its place (--path-map NAME=COPY), or have the product migrate its storage to a virtual disk first.',
		find: (facts) => [
			...problems(facts.disks, 'device'),
			...devices(facts, ({ deviceType, media }, { image, problem }) => {
				if (image || problem?.kind === 'device') return false; // of a copy, where the user says that it is; told of already
				return /^rawdisk$/i.test(deviceType ?? '') || (media.type === 'block' && !problem && 'a device of the host');
			}),
		],
	},
	{
		id: 'vmware.disk_mode.independent',
		category: 'Warning',
		label: 'Independent disk',
		assessment: 'Snapshots of the source left this disk out, so that they and it are of different times.',
		remedy: 'Nothing for the present state; do not mix it with snapshots of the other disks.',
		find: (facts) => devices(facts, ({ mode }) => /^independent[-_]persistent$/i.test(mode ?? '') && `its mode is ${mode}`),
	},
	{
		id: 'vconv.disk.nonpersistent',
		category: 'Warning',
		label: 'Disk that forgets',
		assessment:
			'The source throws away what the guest writes to this disk whenever it is switched off. So does what vconv makes of the machine for libvirt, ESXi and Workstation; the image elsewhere keeps it.',
		remedy:
			'Where that is not wanted, take <transient/> out of the domain, or the mode out of the VMX; make the disk transient elsewhere where it is.',
		find: (facts) => devices(facts, (device) => isTransient(device) && `its mode is ${device.mode}`),
	},
	{
		id: 'vconv.disk.undoable',
		category: 'Warning',
		label: 'Disk whose changes can be undone',
		assessment:
			'VMware writes what the guest changes to a log, and asks at power-off what becomes of it (undoable), or keeps it until told (append). The target has a plain disk, without what is only in the log.',
		remedy: 'Commit the log at the source, and make the disk persistent there, before the move.',
		find: (facts) => devices(facts, ({ mode }) => /^(independent[-_])?(undoable|append)$/i.test(mode ?? '') && `its mode is ${mode}`),
	},
	{
		id: 'vmware.disk.shared.detected',
		category: 'Warning',
		label: 'Shared disk',
		assessment: 'Several machines write to this disk: each that is moved on its own has a copy, and they part.',
		remedy: 'Move all machines that share it together, and set the sharing up again at the target.',
		find: (facts) => [
			...devices(facts, ({ shareable }) => shareable === true && 'it is shared'),
			...pieces(facts.machine, /^devices\/disk(\[\d+\])?\/source\/reservations\/@managed$/).map(({ key, subject }) => ({
				what: `${subject} is reserved by SCSI's persistent reservations`,
				file: facts.machine?.path,
				key,
			})),
		],
	},
	{
		id: 'vconv.disk.encrypted',
		category: 'Critical',
		label: 'Disk that the host encrypts',
		assessment: 'Its image holds what QEMU encrypted, under a passphrase that libvirt has: nothing at the target decrypts it.',
		remedy:
			'Copy it decrypted, with its passphrase in a file (`qemu-img convert --object secret,id=s,file=PASSPHRASE --image-opts driver=luks,key-secret=s,file.filename=IMAGE -O raw COPY`; for a QCOW2 with `driver=qcow2,encrypt.key-secret=s,file.filename=IMAGE`), and name the copy in a description without <encryption>.',
		targets: ['kubevirt', 'proxmox', 'esxi', 'workstation', 'hyperv', 'virtualbox', 'azure', 'aws', 'gcp'],
		find: (facts) => devices(facts, ({ encrypted }) => encrypted === true && 'the description says how it is encrypted'),
	},
	{
		id: 'vmware.disk.nvme.detected',
		category: 'Warning',
		label: 'NVMe disk on a target without NVMe',
		assessment: 'The target has no NVMe controller: the disk comes to another bus, whose driver the guest needs at boot.',
		remedy: 'See that the guest has the driver (vconv inspect tells), and names its disks by UUID.',
		find: (facts, { buses }) =>
			devices(facts, ({ bus }) => bus === 'nvme' && !buses.some((one) => /nvme$/.test(one)) && 'it is on an NVMe controller'),
	},
	{
		id: 'vmware.disk_serial.truncated',
		category: 'Information',
		label: 'Serial numbers of disks are shortened',
		assessment: 'The guest is shown serial numbers of its SCSI disks, and the target has fewer characters for them.',
		remedy: 'See whether something in the guest (a cluster, multipath, a licence) goes by them.',
		find: ({ machine, disks }, { has }) => {
			const found = machine && keyed(machine.spec, /^disk\.enableuuid$/i);
			if (!found || !/^true$/i.test(found.value) || has.includes('long-serials') || !disks.some(({ device }) => device?.bus === 'scsi'))
				return [];
			return [{ what: 'serial numbers are shown, and a disk is on SCSI', file: machine.path, key: found.key }];
		},
	},
	{
		id: 'vmware.changed_block_tracking.disabled',
		category: 'Information',
		label: 'Changed block tracking is off',
		assessment:
			'A machine can be moved while it runs only where the source tracks changes; vconv moves machines that are shut down, so that it does not matter.',
		remedy: 'Nothing.',
		find: ({ machine }) =>
			machine?.format === 'vmx' && !/^true$/i.test(keyed(machine.spec, /^ctkenabled$/i)?.value ?? '')
				? [{ what: 'ctkEnabled is not set', file: machine.path, key: 'ctkEnabled' }]
				: [],
	},
	{
		id: 'vconv.disk.position.duplicate',
		category: 'Critical',
		label: 'Two disks in one place',
		assessment: 'Two disks claim the same place on a controller, so that one of them is not seen, and nobody knows which.',
		remedy: 'Correct the description.',
		find: ({ disks, machine }) =>
			twice(disks.flatMap(({ device }) => (device ? [placeOf(device)] : []))).map((place) => ({
				what: `more than one disk at ${place}`,
				file: machine?.path,
				key: place,
			})),
	},
	{
		id: 'vconv.disk.controller.missing',
		category: 'Critical',
		label: 'Disk on a controller that is not there',
		assessment: 'The source does not show the disk to the guest, and a move leaves it out: the machine may come without its system.',
		remedy: 'Say in the description that the controller is present, or that the disk is not.',
		find: ({ machine }) => reported(machine, 'DISK_WITHOUT_CONTROLLER'),
	},
	{
		id: 'vconv.disk.file.unsaid',
		category: 'Critical',
		label: 'Drive without a file',
		assessment: 'It says neither its image nor that it is an optical drive. Were it a hard disk, its contents would not come along.',
		remedy: 'Say its file (fileName, <source>), or what it is (deviceType = "cdrom-image", device=\'cdrom\').',
		find: ({ machine }) => reported(machine, 'DISK_WITHOUT_FILE'),
	},
	{
		id: 'vconv.disk.redo',
		category: 'Critical',
		label: 'Changes of a disk in a log',
		assessment: 'What the guest has written lies in a log of VMware, which is not read: the disk would come as it was before.',
		remedy: 'Start the machine at the source and shut it down, so that the log is committed.',
		find: ({ machine }) => coded(machine, 'DISK_REDO').filter(({ key }) => !forgets(machine, key)),
	},
	{
		id: 'vconv.disk.usb',
		category: 'Critical',
		label: 'Disk plugged in by USB',
		assessment: 'Its image is not moved with those of the machine.',
		remedy: 'Convert its image by itself (vconv convert), and attach it at the target.',
		find: ({ machine }) => coded(machine, 'DISK_USB_LOST'),
	},
	{
		id: 'vconv.memory.persistent',
		category: 'Critical',
		label: 'Persistent memory',
		assessment: 'What the guest keeps in it is not moved.',
		remedy: 'Copy it to a disk in the guest, before the move.',
		// libvirt's own stays as it is there.
		find: ({ machine }, { has }) => (machine?.format === 'libvirt' && has.includes('persistent-memory') ? [] : coded(machine, 'PMEM_LOST')),
	},
	{
		id: 'vconv.disk.image.duplicate',
		category: 'Critical',
		label: 'One image for two disks',
		assessment: 'Two disks of the machine are the same file, and would write over each other.',
		remedy: 'Correct the description, or name each image once.',
		find: ({ disks }) => {
			const files = disks.map(({ path, identity = path }) => [identity, path] as const);
			const again = files.filter(([identity], index) => files.findIndex(([other]) => other === identity) < index);
			return [...new Map(again).values()].map((file) => ({ what: 'it is the image of more than one disk', file }));
		},
	},
	{
		id: 'vconv.disk.bus.full',
		category: 'Information',
		label: 'More disks than the target has places for on a bus',
		assessment: 'IDE has four places, and targets have few of SATA; further disks come to another bus.',
		remedy: 'See that the guest has a driver for the other bus, and names its disks by UUID.',
		find: ({ disks, machine }, { mostOn = {}, name }) =>
			Object.entries(mostOn).flatMap(([bus, most]) => {
				const count = disks.filter(({ device }) => device?.bus === bus).length;
				return count > most
					? [{ what: `${count} disks on ${bus.toUpperCase()}, and ${name} has places for ${most}`, file: machine?.path }]
					: [];
			}),
	},
	{
		id: 'vconv.controller.models',
		category: 'Warning',
		label: 'SCSI controllers of several models',
		assessment: 'The target has one model of SCSI controller for a machine, so that some disks change theirs.',
		remedy: 'See that the guest has the drivers for the model that is chosen.',
		targets: ['proxmox', 'kubevirt'],
		find: ({ machine }) => {
			if (!machine) return [];
			const { spec, format } = machine;
			// Where a VMX says none, VMware takes the usual one of the guest.
			const context = { source: spec, guest: decideGuest(spec.guest, undefined) };
			const saidOf = ({ controller }: DiskDevice) =>
				spec.controllers.find(({ bus, index }) => bus === 'scsi' && index === controller)?.model;
			const onScsi = spec.disks.filter((disk) => disk.bus === 'scsi' && isHardDisk(disk));
			const models = new Set(onScsi.flatMap((disk) => saidOf(disk) ?? (format === 'vmx' ? [modelOf(disk, context)] : [])));
			return models.size > 1 ? [{ what: [...models].sort().join(', '), file: machine.path, key: keyIn(machine, 'scsi*.virtualDev') }] : [];
		},
	},
	{
		id: 'vconv.optical.media',
		category: 'Information',
		label: 'Disc in an optical drive',
		assessment: 'The image of the disc is not converted: the drive is empty after the move, or needs the image copied.',
		remedy: 'Take the disc out, or copy its image to the target.',
		find: ({ machine }) => drives(machine, 'cdrom', (path) => !isToolsDisc(path)),
	},
	{
		id: 'vconv.floppy',
		category: 'Warning',
		label: 'Floppy drive on a target without one',
		assessment: 'The target has no floppy drives.',
		remedy: 'Remove the drive, and copy what is on the floppy.',
		find: ({ machine }, { has }) => (has.includes('floppy') ? [] : drives(machine, 'floppy')),
	},
	{
		id: 'vconv.optical.absent',
		category: 'Information',
		label: 'Optical drive on a target without one',
		assessment: 'The target has no optical drives.',
		remedy: 'Nothing, unless the guest starts from it.',
		find: ({ machine }, { has }) =>
			has.includes('optical')
				? []
				: (machine?.spec.disks ?? []).filter(({ kind }) => kind === 'cdrom').map(({ id }) => at(machine, id, 'an optical drive')),
	},
];

const at = (machine: Facts['machine'], key: string, what: string): Evidence => ({ what: `${key}: ${what}`, file: machine?.path, key });

/** Evidence for each hard disk that is so, with what to say of it. */
const devices = ({ disks, machine }: Facts, seen: (device: DiskDevice, disk: DiskState) => string | boolean): Evidence[] =>
	disks.flatMap((disk) => {
		const { device } = disk;
		const what = device ? seen(device, disk) : false;
		return device && what !== false ? [at(machine, device.id, what === true ? (device.deviceType ?? 'seen') : what)] : [];
	});

/** Whether a disk, of which a key is named, forgets at each power-off what was written: then nothing is lost with its log. */
const forgets = (machine: Facts['machine'], key = ''): boolean =>
	(machine?.spec.disks ?? []).some((disk) => key.startsWith(`${disk.id}.`) && isTransient(disk));

/** What reading the description told under a code. */
const reported = (machine: Facts['machine'], wanted: Code): Evidence[] =>
	(machine?.report ?? [])
		.filter(({ code }) => code === wanted)
		.map(({ message, keys }) => ({ what: message, file: machine?.path, key: keys[0] }));

/** Drives of a kind with something in them that is wanted; what is in one of a console's viewer is nobody's. */
const drives = (machine: Facts['machine'], kind: string, isWanted: (path: string) => boolean = () => true): Evidence[] =>
	(machine?.spec.disks ?? []).flatMap((device) => {
		const { media } = device;
		const path = media.type === 'file' || media.type === 'block' ? media.path : undefined;
		return device.kind === kind && !device.client && path !== undefined && isWanted(path) ? [at(machine, device.id, path)] : [];
	});

const twice = (names: readonly string[]): readonly string[] => [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
