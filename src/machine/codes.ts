/** What may be lost: nothing, settings, the state of the machine, data, security, or who the machine is. */
export type Loss = 'none' | 'config' | 'state' | 'data' | 'security' | 'identity';

/**
 * `error`: the result does not run, or runs with wrong data or identity, unless somebody acts. `warning`: the guest or whoever
 * operates it notices. `info`: harmless.
 */
export type Severity = 'error' | 'warning' | 'info';

type Row = { readonly severity: Severity; readonly loss: Loss; readonly remedy?: string };

const row = (severity: Severity, loss: Loss, remedy?: string): Row => ({ severity, loss, ...(remedy && { remedy }) });

/** Every code that a report may hold, with what it means for the machine. The codes are stable, for scripts. */
export const CODES = {
	// the file
	VMX_BAD_ENCODING: row('warning', 'identity', 'check the names'),
	VMX_LINE_IGNORED: row('warning', 'config', 'correct the line'),
	VMX_SYNTAX_TOLERATED: row('info', 'none'),
	VMX_STAR_IN_KEY: row('info', 'none'),
	VMX_DUPLICATE_KEY: row('warning', 'config', 'remove all but one'),
	VMX_BAD_BOOLEAN: row('warning', 'config'),
	VMX_BAD_NUMBER: row('warning', 'config'),
	VMX_BAD_VALUE: row('warning', 'config'),
	VMX_BAD_ESCAPE: row('info', 'none'),
	VMX_STATE_IGNORED: row('info', 'none'),
	VMX_UNKNOWN_KEYS: row('warning', 'config'),
	XML_UNKNOWN_PARTS: row('warning', 'config'),
	COMMENTS_DROPPED: row('info', 'none'),
	// the machine as a whole
	VM_SUSPENDED: row('error', 'data', 'resume the machine and shut it down'),
	MANAGED_VM: row('warning', 'config'),
	HW_VERSION_DROPPED: row('info', 'config', '--hw-version on the way back'),
	HW_VERSION_ASSUMED: row('info', 'config', '--hw-version'),
	// identity, guest, firmware
	UUID_DROPPED: row('warning', 'identity'),
	UUID_FROM_LOCATION: row('info', 'identity'),
	UUID_ACTION: row('info', 'identity'),
	GENID_ORDER: row('warning', 'identity', 'correct it before the domain type is changed'),
	GENID_DROPPED: row('warning', 'identity'),
	NAME_ASSUMED: row('warning', 'identity'),
	TITLE_DROPPED: row('info', 'identity'),
	SMBIOS_PARTIAL: row('info', 'identity'),
	GUESTOS_REDUCED: row('info', 'config'),
	NVRAM_NOT_CONVERTED: row('warning', 'state', 'take the file along'),
	NVRAM_IGNORED: row('info', 'none'),
	SECUREBOOT_LOST: row('warning', 'security'),
	TPM_LOST: row('error', 'security'),
	BOOT_OPTION_LOST: row('info', 'config'),
	// processors, memory, clock
	CPU_TOPOLOGY_INCONSISTENT: row('warning', 'config'),
	CPU_HOTADD_LOST: row('info', 'config'),
	MEM_HOTADD_LOST: row('info', 'config'),
	CPU_MODEL_DROPPED: row('info', 'config'),
	CPUID_MASK_DROPPED: row('warning', 'config'),
	CPU_RESERVATION_LOST: row('warning', 'config'),
	CPU_LIMIT_LOST: row('warning', 'config'),
	MEM_RESERVATION_LOST: row('warning', 'config'),
	MEMORY_DEFAULTED: row('warning', 'config', 'say memsize'),
	MEMORY_ROUNDED: row('info', 'config'),
	BALLOON_AS_LIMIT: row('warning', 'config', 'raise the limit once it runs'),
	LIMIT_AS_BALLOON: row('warning', 'config'),
	TUNING_DROPPED: row('info', 'config'),
	NESTED_VIRT: row('warning', 'config'),
	HIDE_HYPERVISOR: row('info', 'config'),
	FEATURE_PARTIAL: row('info', 'config'),
	CLOCK_LOST: row('warning', 'config'),
	TIME_SYNC_LOST: row('info', 'config'),
	HPET_DISABLED: row('info', 'config'),
	LIFECYCLE_LOST: row('info', 'config'),
	// disks
	DISK_WITHOUT_CONTROLLER: row('error', 'data', 'say that its controller is present'),
	DISK_UNREACHED: row('error', 'data', 'another unit for it'),
	DISK_TARGET_TWICE: row('warning', 'config', 'rename one before defining it'),
	DISK_DISCONNECTED: row('info', 'config'),
	DISK_MODE_LOST: row('info', 'config'),
	DISK_SHARED: row('error', 'data', 'set the sharing up again'),
	DISK_SERIAL_LOST: row('warning', 'identity'),
	DISK_QOS_LOST: row('info', 'config'),
	DISK_CACHE_DROPPED: row('info', 'config'),
	DISK_OPTION_LOST: row('info', 'config'),
	CONTROLLER_UNUSED: row('info', 'config'),
	CONTROLLER_DEFAULTED: row('info', 'config'),
	CDROM_PLACEHOLDER: row('warning', 'config', 'empty the drive'),
	CDROM_MEDIA_MISSING: row('warning', 'config'),
	CLIENT_DEVICE: row('info', 'config'),
	DEVICE_ABSENT: row('info', 'none'),
	// network
	MAC_MISSING: row('warning', 'identity'),
	NIC_OPTION_LOST: row('info', 'config'),
	NIC_LINK_DOWN: row('info', 'config'),
	NET_OPTION_LOST: row('info', 'config'),
	// other devices
	PASSTHROUGH: row('error', 'config'),
	DEVICE_DROPPED: row('info', 'config'),
	USB_PASSTHROUGH: row('warning', 'config'),
	VIDEO_CHANGED: row('info', 'config'),
	GRAPHICS_CHANGED: row('info', 'config'),
	VNC_PASSWORD_DROPPED: row('warning', 'security'),
	SERIAL_PIPE: row('info', 'config'),
	SERIAL_UNCLEAR: row('warning', 'config'),
	SERIAL_OPTION_LOST: row('info', 'config'),
	SHARED_FOLDER_DROPPED: row('warning', 'config'),
	ADDRESS_DROPPED: row('info', 'config'),
	HARDENING_DROPPED: row('info', 'security'),
	GUESTINFO_LOST: row('warning', 'config'),
	METADATA_DROPPED: row('info', 'none'),
} as const satisfies Record<string, Row>;

export type Code = keyof typeof CODES;
