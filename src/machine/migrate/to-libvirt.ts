import { notInXml } from '../../bytes/xml-text.ts';
import { UnsupportedError } from '../../errors.ts';
import type { Machine } from '../format.ts';
import type { ReportEntry } from '../report.ts';
import type { Controller, VmSpec } from '../spec.ts';
import { unclearMemory } from '../unclear-memory.ts';
import { planClock, planFirmware, planPlatform, planTpms } from './board.ts';
import { bootDisks } from './boot.ts';
import { type Context, canKeep, context } from './context.ts';
import { planDisplays, planFolders, planHelpers, planInputs, planPorts, planSounds, planUsb, planVideos } from './devices.ts';
import { decideGuest, planGuest } from './guest.ts';
import { planIdentity } from './identity.ts';
import { planNetwork } from './network.ts';
import type { MigrateOptions } from './options.ts';
import { planCpu, planMemory } from './processor.ts';
import { planStorage } from './storage.ts';
import { storageRule } from './storage-policy.ts';
import { writtenWords } from './written.ts';

/**
 * A KVM domain that boots, of a VMX. Every key of it ends in the domain, in what the domain keeps for the way back, or in the report.
 * Hardware specification, section 7.
 * @throws UnsupportedError for a machine that cannot move as it is: suspended, or for ARM. UsageError for options that make no sense.
 */
export const planForKvm = (
	machine: Machine,
	options: MigrateOptions,
): { readonly spec: VmSpec; readonly report: readonly ReportEntry[] } => {
	const { spec } = machine;
	const c = context(machine, options, decideGuest(spec.guest, options.guest));
	refuse(c);
	refuseUnclearMemory(machine);
	reportState(c);

	const boot = bootDisks(c);
	const rule = storageRule(boot[0], spec.disks, c);
	const storage = planStorage(
		rule,
		boot,
		spec.nics.map(({ index }) => `ethernet${index}`),
		c,
	);
	const network = planNetwork(rule.machine, storage.places, c);
	const helpers = planHelpers(c);
	const channels: Controller[] = helpers.channels ? [{ bus: 'virtio-serial', index: 0, keys: [] }] : [];
	const planned: Omit<VmSpec, 'origin'> = {
		identity: planIdentity(c),
		guest: planGuest(c),
		platform: planPlatform(rule.machine, c),
		cpu: planCpu(c),
		memory: planMemory(c),
		firmware: planFirmware(c),
		...planClock(c),
		lifecycle: { onPoweroff: 'destroy', onReboot: 'restart', onCrash: 'destroy' },
		disks: storage.disks,
		controllers: [...storage.controllers, ...network.controllers, ...planUsb(c), ...channels],
		nics: network.nics,
		displays: planDisplays(c),
		videos: planVideos(c),
		sounds: planSounds(rule.machine, c),
		inputs: planInputs(c),
		...helpers,
		serials: planPorts('serial', c),
		parallels: planPorts('parallel', c),
		sharedFolders: planFolders(c),
		tpms: planTpms(c),
		chipset: {},
		management: {},
		extras: [],
	};
	return { spec: { ...planned, origin: planOrigin(machine, planned, options) }, report: c.finish('a domain of KVM') };
};

const refuse = (c: Context): void => {
	const { path, options, source } = c;
	const suspended = c.extra('checkpoint.vmState');
	if (suspended?.code === 'VM_SUSPENDED') {
		const field = suspended.key;
		if (!options.discardSuspend) {
			throw new UnsupportedError(`the machine is suspended, its memory is in '${suspended.value}'`, {
				path,
				field,
				hint: 'resuming it and shutting it down; --discard-suspend gives its memory up, as a loss of power does',
			});
		}
		c.tell('VM_SUSPENDED', 'machine', 'its suspended memory is given up, as if it had lost its power', {
			keys: [field],
			action: 'dropped',
		});
	}
	if (/^arm-/i.test(source.guest.vmxGuestOs ?? '')) {
		const hint = 'a host and a domain for ARM, made by hand';
		throw new UnsupportedError(`it is a machine for ARM, '${source.guest.vmxGuestOs}'`, { path, field: 'guestOS', hint });
	}
};

/** What was said and not understood is not what VMware takes where nothing is said. */
const refuseUnclearMemory = (machine: Machine): void => {
	const unclear = unclearMemory(machine);
	if (unclear === undefined) return;
	const message = `its memory is not understood: ${unclear}`;
	throw new UnsupportedError(message, { path: machine.path, field: 'memsize', hint: 'memsize = "4096", in MiB' });
};

const reportState = (c: Context): void => {
	const { hardwareVersion, configVersion } = c.source.platform;
	if (hardwareVersion !== undefined || configVersion !== undefined) {
		const message = `virtual hardware version ${hardwareVersion ?? '(not said)'} has no meaning here`;
		c.tell('HW_VERSION_DROPPED', 'platform', message, {
			keys: ['virtualHW.version', 'config.version'],
			action: 'dropped',
			remedy: undefined,
		});
	}
	const { snapshots = [] } = c.options;
	if (c.extra('cleanShutdown')?.value.toLowerCase() === 'false') {
		c.tell('VM_UNCLEAN', 'machine', 'it did not end cleanly, or is running', { keys: ['cleanShutdown'], action: 'none' });
	}
	if (/\.vmtx$/i.test(c.path)) c.tell('VM_TEMPLATE', 'machine', 'it is a template, and becomes a machine');
	if (snapshots.length > 0) {
		const names = snapshots.slice(0, 8).map((name) => `'${name}'`);
		const message = `${snapshots.length} snapshots (${names.join(', ')}${snapshots.length > names.length ? ', …' : ''}) are not carried over; what is now is`;
		c.tell('SNAPSHOTS_DROPPED', 'machine', message, { action: 'dropped' });
	}
};

/** What the result keeps of the source: all that is nobody's secret. */
const planOrigin = ({ format, entries = [] }: Machine, planned: VmSpec, { keepSource = true }: MigrateOptions): VmSpec['origin'] =>
	keepSource
		? {
				format,
				entries: entries.filter(([key, value]) => canKeep(key, value)),
				withheld: entries.flatMap(([key, value]) => (canKeep(key, value) || notInXml(key) !== undefined ? [] : [key])),
				// A VMX says no WWN: all that there are were made up.
				devices: planned.disks.map(({ id, target = '', wwn }) => [id, target, wwn] as const),
				written: writtenWords(planned),
			}
		: undefined;
