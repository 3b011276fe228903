import { UsageError } from '../../errors.ts';
import type { Severity } from '../codes.ts';
import type { DiskDevice } from '../spec.ts';
import { isEfi, wantsQ35 } from './board.ts';
import type { Context } from './context.ts';
import type { DiskAttachment, DriverState } from './options.ts';

/** What VMware attaches a disk to. */
export type SourceModel = 'pvscsi' | 'lsisas1068' | 'lsilogic' | 'buslogic' | 'sata' | 'ide' | 'nvme';

/** What QEMU does: `lsi53c895a` is what libvirt calls lsilogic, and no adapter of VMware's. */
export type Attachment = DiskAttachment | 'lsi53c895a';

/** How hard disks are attached: an attachment for each of VMware's models. */
export type Rule = {
	readonly attach: (model: SourceModel) => Attachment;
	/** The machine type that it wants, for `ide`. */
	readonly machine: 'q35' | 'pc';
	/** What may keep the guest from finding its disk, and how sure that is. */
	readonly risk?: { readonly severity: Severity; readonly remedy: string } | undefined;
};

/**
 * The order in which KVM is asked for what a guest can boot from. SAS-1068 is the last, as few builds of QEMU have it; NVMe is not among
 * it until libvirt 11.5 is what is assumed, and the LSI 53C895A is not, as no driver for VMware's adapters drives it.
 */
export const BOOT_PREFERENCE: readonly DiskAttachment[] = ['virtio-scsi', 'virtio-blk', 'sata', 'pvscsi', 'ide', 'lsisas1068'];

/** What UEFI firmware as it is packaged does not start from. Hardware specification, section 7.5.2. */
export const NOT_BY_EFI: readonly DiskAttachment[] = ['pvscsi', 'lsisas1068'];

const REMEDIES = {
	dracut: 'dracut -f --add-drivers "virtio_blk virtio_scsi virtio_pci ahci" before the move, or the rescue entry of the boot menu',
	windows:
		'start its driver at boot: virtio-win or AHCI put in offline, or a second disk on such a controller attached once before the move',
	other: 'see that its kernel has the driver',
} as const;

/**
 * How the disks are attached, by policy, guest and firmware. Firmware limits come before driver limits. Hardware specification, section
 * 7.5.2; guest inspection, section 7.
 * @throws UsageError for virtio and a Windows that nobody says has its drivers.
 */
export const storageRule = (boot: DiskDevice | undefined, disks: readonly DiskDevice[], c: Context): Rule => {
	const rule = chosenRule(boot, disks, c);
	const attachment = rule.attach(boot ? modelOf(boot, c) : 'sata');
	const state = attachment === 'lsi53c895a' ? undefined : c.options.guest?.disk?.[attachment];
	if (state === undefined || state === 'unknown') return rule;
	// What was found counts before any guess.
	if (isReady(state)) return { ...rule, risk: undefined };
	return { ...rule, risk: { severity: 'error', remedy: remedyFor(c) } };
};

const chosenRule = (boot: DiskDevice | undefined, disks: readonly DiskDevice[], c: Context): Rule => {
	const { devices = 'auto', guest: facts, assumeVirtio } = c.options;
	const model = boot ? modelOf(boot, c) : 'sata';
	const fixed = (attachment: Attachment, machine: 'q35' | 'pc' = 'q35'): Rule => ({
		attach: () => attachment,
		machine: machineFor(machine, c),
	});
	if (devices === 'auto') {
		const found = facts?.disk && bootable(facts.disk, c);
		if (found) return fixed(found, found === 'ide' ? 'pc' : 'q35');
		if (c.guest.family === 'linux') return linuxRule(model, disks, c);
		if (c.guest.family === 'windows') return assumeVirtio ? virtioRule(disks, c) : tableRule('compat', model, c);
		return tableRule('safe', model, c);
	}
	if (devices !== 'virtio') return tableRule(devices, model, c);
	if (c.guest.family === 'windows' && !assumeVirtio && !isReady(facts?.disk?.['virtio-scsi']) && !isReady(facts?.disk?.['virtio-blk'])) {
		throw new UsageError('Windows does not start from virtio without its drivers', {
			path: c.path,
			hint: '--assume-virtio, if it has them and starts them at boot',
		});
	}
	return { attach: (source) => (/scsi|lsi/.test(source) ? 'virtio-scsi' : 'virtio-blk'), machine: machineFor('q35', c) };
};

const isReady = (state: DriverState | undefined): boolean => state === 'boot';

/** The first of the preference that the guest boots from, and the firmware and machine have. */
const bootable = (facts: Readonly<Partial<Record<DiskAttachment, DriverState>>>, c: Context): DiskAttachment | undefined =>
	BOOT_PREFERENCE.find((attachment) => isReady(facts[attachment]) && startsFrom(attachment, c));

const startsFrom = (attachment: Attachment, c: Context): boolean => {
	if (attachment === 'ide') return machineFor('pc', c) === 'pc';
	return firmwareReads(attachment, c);
};

/** Whether the firmware of the new host finds a disk there, whatever the guest does then. */
export const firmwareReads = (attachment: Attachment, c: Context): boolean =>
	firmwareHasScsi(c) || (attachment !== 'lsi53c895a' && !NOT_BY_EFI.includes(attachment));

const firmwareHasScsi = (c: Context): boolean => !isEfi(c) || c.options.uefiScsi === true;

const remedyFor = ({ guest: { family } }: Context): string =>
	family === 'linux' ? REMEDIES.dracut : family === 'windows' ? REMEDIES.windows : REMEDIES.other;

/** The machine type, where nothing else decides: a user, secure boot and a TPM do. */
const machineFor = (wanted: 'q35' | 'pc', c: Context): 'q35' | 'pc' => c.options.machine ?? (wantsQ35(c) ? 'q35' : wanted);

const OLD = ['win-legacy', 'linux-24', 'linux-26', 'other'];

/** What each policy makes of VMware's models. */
const tableRule = (policy: 'compat' | 'safe' | 'preserve', boot: SourceModel, c: Context): Rule => {
	const old = OLD.includes(c.guest.profile) && !isEfi(c);
	const onIde = boot === 'ide' || boot === 'buslogic';
	const machine = machineFor(onIde || old ? 'pc' : 'q35', c);
	const scsiBoots = firmwareHasScsi(c);
	const attach = (model: SourceModel): Attachment => {
		if (model === 'ide' || model === 'buslogic') return machine === 'pc' ? 'ide' : 'sata';
		if (policy === 'safe' || model === 'sata' || model === 'nvme') return 'sata';
		if (model === 'lsilogic') return policy === 'preserve' ? 'lsi53c895a' : 'sata';
		return scsiBoots || policy === 'preserve' ? model : 'sata';
	};
	const remedy = c.guest.family === 'windows' ? REMEDIES.windows : REMEDIES.other;
	const severity = lacksAhci(c) ? 'error' : 'warning';
	return { attach, machine, risk: isTwin(boot, attach(boot)) ? undefined : { severity, remedy } };
};

/** Whether a Windows, of which no more is known, likely does not start from SATA: the driver that starts at boot is one that ran in the source. */
const lacksAhci = (c: Context): boolean => c.guest.family === 'windows' && isEfi(c) && !c.source.disks.some(({ bus }) => bus === 'sata');

/** Whether the driver for the one drives the other. */
export const isTwin = (model: SourceModel, attachment: Attachment): boolean => model === attachment;

const virtioRule = (disks: readonly DiskDevice[], c: Context): Rule => {
	const hard = disks.filter(({ kind }) => kind === 'disk');
	const opticalOnScsi = disks.some(({ kind, bus }) => kind !== 'disk' && bus === 'scsi');
	const attachment = hard.length > 4 || opticalOnScsi ? 'virtio-scsi' : 'virtio-blk';
	return { attach: () => attachment, machine: machineFor('q35', c) };
};

/** An initramfs for any machine has virtio; one for this machine alone has the drivers of this machine. */
const linuxRule = (boot: SourceModel, disks: readonly DiskDevice[], c: Context): Rule => {
	if (c.guest.profile === 'linux-24') return tableRule('safe', boot, c);
	if (c.guest.initramfs === 'generic' && c.guest.profile === 'linux-modern') return virtioRule(disks, c);
	const same = tableRule('compat', boot, c);
	if (isTwin(boot, same.attach(boot))) return same;
	return { ...virtioRule(disks, c), risk: { severity: 'error', remedy: REMEDIES.dracut } };
};

/** VMware's model of the controller that a drive is on. */
export const modelOf = ({ bus, controller }: DiskDevice, { source, guest }: Pick<Context, 'source' | 'guest'>): SourceModel => {
	if (bus !== 'scsi') return bus as SourceModel;
	const said = source.controllers.find((candidate) => candidate.bus === bus && candidate.index === controller)?.model;
	if (said === 'pvscsi' || said === 'lsisas1068' || said === 'buslogic' || said === 'lsilogic') return said;
	return guest.bits === 32 && (guest.profile === 'win-legacy' || guest.profile === 'linux-24') ? 'buslogic' : 'lsilogic';
};
