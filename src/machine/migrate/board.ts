import { UnsupportedError } from '../../errors.ts';
import type { Firmware, Platform, Timer, VmSpec } from '../spec.ts';
import type { Context } from './context.ts';

/** Whether the machine starts by UEFI. */
export const isEfi = (c: Context): boolean => {
	const said = c.source.firmware.type?.toLowerCase();
	return (c.options.firmware ?? c.options.guest?.firmware ?? said) === 'efi';
};

/** Whether it wants what q35 alone gives. */
export const wantsQ35 = (c: Context): boolean => isSecure(c) || hasTpm(c);

const isSecure = (c: Context): boolean => isEfi(c) && (c.options.secureBoot ?? c.source.firmware.secureBoot ?? false);

const hasTpm = (c: Context): boolean => c.options.tpm ?? c.source.tpms.length > 0;

/** The most that libvirt's schema takes, in milliseconds: 16 bits, for the menu without a sign and for the retry with one. */
const MAX_DELAY = 65535;
const MAX_RETRY = 32767;

/** Hardware specification, section 7.2. */
export const planFirmware = (c: Context): Firmware => {
	const { type, secureBoot, nvram, smbios, bootDelay, bootRetry } = c.source.firmware;
	const said = type?.toLowerCase();
	const efi = isEfi(c);
	if (said !== undefined && said !== 'efi' && said !== 'bios') {
		c.tell('FIRMWARE_UNKNOWN', 'firmware', `firmware is '${type}', and ${efi ? 'EFI' : 'BIOS'} is taken`, { keys: ['firmware'] });
	} else if (efi !== (said === 'efi')) {
		c.tell(
			'FIRMWARE_UNKNOWN',
			'firmware',
			`the VMX says ${said ?? 'no firmware, which means bios'}, and the domain has ${efi ? 'efi' : 'bios'}`,
			{
				keys: ['firmware'],
				severity: 'info',
			},
		);
	}
	if ((c.options.secureBoot ?? secureBoot) && !efi) {
		c.tell('SECUREBOOT_LOST', 'firmware', 'secure boot is on, and a BIOS has none', {
			keys: ['uefi.secureBoot.enabled'],
			action: 'dropped',
			remedy: '--firmware efi, for a guest that starts by EFI',
		});
	}
	if (isSecure(c)) {
		const message = "the host's own keys are enrolled; keys that were added to the machine's are not carried over";
		c.tell('SECUREBOOT_KEYS_LOST', 'firmware', message, { keys: ['uefi.secureBoot.enabled'] });
	}
	// VMware has a firmware of 32 bits for these; the one that hosts have is of 64.
	if (efi && c.guest.bits === 32 && c.guest.match !== 'guess' && c.options.guest?.loaderBits !== 64) {
		const message = `the guest (${c.guest.key}) is of 32 bits, and UEFI firmware for KVM starts loaders of 64 bits alone`;
		c.tell('FIRMWARE_32', 'firmware', message, { action: 'none' });
	}
	if (nvram !== undefined || efi) {
		const keys = nvram === undefined ? [] : ['nvram'];
		if (efi) {
			const message = 'boot entries in the NVRAM are not carried over: the guest must start by \\EFI\\BOOT\\BOOTX64.EFI';
			c.tell('NVRAM_NOT_CONVERTED', 'firmware', message, {
				keys,
				action: 'dropped',
				remedy: 'a fallback loader on the ESP, or the boot menu',
			});
		} else {
			c.tell('NVRAM_IGNORED', 'firmware', 'the settings in the BIOS are not carried over', { keys, action: 'dropped' });
		}
	}
	if (smbios === 'host') {
		c.tell('SMBIOS_HOST', 'firmware', 'the guest sees the SMBIOS strings of the host, which is another one now', {
			keys: ['smbios.reflectHost'],
		});
	}
	const limited = (key: string, delay: number | undefined, most: number): number | undefined => {
		if (delay === undefined) return undefined;
		c.honour(key, 'bios.bootRetry.enabled');
		if (delay > most) {
			c.tell('BOOT_OPTION_LOST', 'firmware', `${key} is shortened from ${delay} to ${most} milliseconds`, { keys: [key] });
		}
		return Math.max(0, Math.min(delay, most));
	};
	return {
		type: efi ? 'efi' : undefined,
		secureBoot: efi ? isSecure(c) : undefined,
		enrolledKeys: isSecure(c) ? true : undefined,
		smbios: smbios === 'host' ? smbios : undefined,
		bootDelay: limited('bios.bootDelay', bootDelay, MAX_DELAY),
		bootRetry: limited('bios.bootRetry.delay', bootRetry, MAX_RETRY),
	};
};

export const planTpms = (c: Context): VmSpec['tpms'] => {
	const had = c.source.tpms.length > 0;
	const has = hasTpm(c);
	if (had) {
		const sealed = c.guest.profile === 'win-modern';
		const message = `the ${has ? 'new TPM is empty' : 'TPM is left out'}: what BitLocker, Hello or clevis keep in the old one cannot be moved`;
		c.tell('TPM_STATE_LOST', 'tpm', message, { keys: ['vtpm.present', 'managedvm.autoAddVTPM'], severity: sealed ? 'error' : 'warning' });
	} else if (!has && /^windows11/i.test(c.guest.key)) {
		c.tell('TPM_MISSING_WIN11', 'tpm', 'Windows 11 asks for a TPM, and the machine has none', { action: 'none' });
	}
	return has ? [{ model: 'tpm-crb', backend: 'emulator', version: '2.0' }] : [];
};

/** Enlightenments that every Windows from Vista on takes; each stands behind what it needs. */
const ENLIGHTENMENTS = [
	'relaxed',
	'vapic',
	'spinlocks',
	'vpindex',
	'runtime',
	'synic',
	'stimer',
	'reset',
	'frequencies',
	'tlbflush',
	'ipi',
];

/** @param machine `q35` or `pc`. */
export const planPlatform = (machine: string, c: Context): Platform => {
	const hidden = c.source.platform.hidesHypervisor;
	if (hidden) {
		const message = 'the guest is not told that it runs on a hypervisor, and gets no help for Windows';
		c.tell('HIDE_HYPERVISOR', 'cpu', message, { keys: ['hypervisor.cpuid.v0'] });
	}
	c.honour('hypervisor.cpuid.v0');
	const enlightened = !hidden && (c.guest.profile === 'win-nt6' || c.guest.profile === 'win-modern');
	const direct = c.guest.profile === 'win-modern' ? ['stimer-direct'] : [];
	return {
		hypervisor: 'kvm',
		machine,
		hidesHypervisor: hidden,
		enlightenments: enlightened ? [...ENLIGHTENMENTS, ...direct] : undefined,
		features: [
			{ name: 'acpi' },
			{ name: 'apic' },
			...(c.guest.bits === 32 ? [{ name: 'pae' }] : []),
			// VMware Tools must not take it for VMware.
			{ name: 'vmport', on: false },
			...(isSecure(c) ? [{ name: 'smm', on: true }] : []),
		],
	};
};

/** Hardware specification, section 7.9. */
export const planClock = (c: Context): Pick<VmSpec, 'clock' | 'clockOffset' | 'clockStart' | 'timers'> => {
	const { clockOffset, clockStart } = c.source;
	const windows = c.guest.family === 'windows';
	const hyperv: Timer[] =
		windows && c.guest.profile !== 'win-legacy' && !c.source.platform.hidesHypervisor ? [{ name: 'hypervclock', present: true }] : [];
	const timers: Timer[] = [
		{ name: 'rtc', tickPolicy: 'catchup' },
		{ name: 'pit', tickPolicy: 'delay' },
		{ name: 'hpet', present: false },
		...hyperv,
	];
	if (c.options.clock !== undefined) {
		c.tell('CLOCK_LOST', 'clock', `the clock is ${c.options.clock}, as was asked for`, {
			keys: ['rtc.diffFromUTC', 'rtc.startTime'],
			severity: 'info',
		});
		return { clock: c.options.clock, timers };
	}
	c.honour('rtc.diffFromUTC', 'rtc.startTime');
	if (clockStart !== undefined) return { clock: 'absolute', clockStart, timers };
	if (clockOffset === 0) return { clock: 'utc', timers };
	if (clockOffset !== undefined) {
		if (Math.abs(clockOffset) > 86400 * 366) {
			throw new UnsupportedError(`the clock is ${clockOffset} seconds off UTC`, {
				path: c.path,
				field: 'rtc.diffFromUTC',
				hint: '--clock utc',
			});
		}
		return { clock: 'variable', clockOffset, timers };
	}
	const clock = windows ? 'localtime' : 'utc';
	c.tell('CLOCK_ASSUMED', 'clock', `the guest is taken to read its clock as ${clock}`, { action: 'defaulted' });
	return { clock, timers };
};
