import type { Code } from '../../src/machine/codes.ts';
import type { RawEntry } from '../../src/machine/spec.ts';
import type { Unread } from './dom.ts';

/** What a part of a domain that the model has no place for is about: paths without numbers, the first row that fits. */
const ROWS: readonly (readonly [RegExp, Code])[] = [
	[/^@id$|^metadata\b|^seclabel\b|^resource\b|^keywrap\b|^launchSecurity\b/, 'METADATA_DROPPED'],
	[/^title$/, 'TITLE_DROPPED'],
	[/^genid$/, 'GENID_DROPPED'],
	[/^os\/(kernel|initrd|cmdline|dtb)\b/, 'DIRECT_BOOT_LOST'],
	[/^(os\/(boot|bootmenu|bios|loader|nvram|firmware|acpi)|bootloader)\b|\/boot\b/, 'BOOT_OPTION_LOST'],
	[/^sysinfo\b/, 'SMBIOS_PARTIAL'],
	[/^cpu\b/, 'CPU_MODEL_DROPPED'],
	[/^(cputune|memtune|blkiotune|numatune|iothreads|memoryBacking|maxMemory|vcpus|iothreadids|idmap)\b/, 'TUNING_DROPPED'],
	[/^clock\/timer\b/, 'TIMERS_DROPPED'],
	[/^clock\b/, 'CLOCK_LOST'],
	[/^features\/hyperv\b/, 'HYPERV_DROPPED'],
	[/^(features|os\/type|pm|perf)\b/, 'FEATURE_PARTIAL'],
	[/^on_/, 'LIFECYCLE_LOST'],
	[/^devices\/emulator$/, 'METADATA_DROPPED'],
	[/^devices\/[^/]+\/(address|alias)\b/, 'ADDRESS_DROPPED'],
	[/^devices\/disk\/(serial|wwn|vendor|product)\b/, 'DISK_SERIAL_LOST'],
	[/^devices\/disk\/shareable$/, 'DISK_SHARED'],
	[/^devices\/disk\/.*\bslices\b/, 'DISK_SLICE_LOST'],
	[/^devices\/disk\/(backingStore|dataStore)\/./, 'DISK_CHAIN_LOST'],
	[/^devices\/disk\/iotune\b/, 'DISK_QOS_LOST'],
	[/^devices\/disk\b/, 'DISK_OPTION_LOST'],
	[/^devices\/interface\/(source|virtualport|vlan|portForward|backend|guest|host)\b/, 'NET_OPTION_LOST'],
	[/^devices\/interface\b/, 'NIC_OPTION_LOST'],
	[/^devices\/(serial|parallel|console)\b/, 'SERIAL_OPTION_LOST'],
	[/^devices\/(hostdev|lease)\b/, 'PASSTHROUGH'],
	// One to a device somewhere; any other is a channel for whoever looks at the screen.
	[/^devices\/redirdev\/(source|protocol)\b/, 'USB_PASSTHROUGH'],
	[/^devices\/filesystem\b/, 'SHARED_FOLDER_DROPPED'],
	[/^devices\/(graphics|video|audio)\b/, 'GRAPHICS_CHANGED'],
	[/^devices\/tpm\b/, 'TPM_LOST'],
	[/^devices\/controller\b/, 'DISK_OPTION_LOST'],
	[/^devices\/memory\/source\/path$/, 'PMEM_LOST'],
	[
		/^devices\/(redirdev|redirfilter|channel|input|sound|memballoon|rng|watchdog|panic|vsock|iommu|shmem|smartcard|hub|memory|nvram|crypto)\b/,
		'DEVICE_DROPPED',
	],
];

/** What the parts mean that no reader has read. */
export const dispositions = (rest: readonly Unread[]): RawEntry[] =>
	rest.map(({ path, value, held }): RawEntry => {
		const plain = path.replaceAll(/\[\d+\]/g, '');
		const code = ROWS.find(([paths]) => paths.test(plain))?.[1] ?? 'XML_UNKNOWN_PARTS';
		const subject = /^devices\/[^/]+/.exec(path)?.[0] ?? /^[^/]+/.exec(path)?.[0] ?? path;
		return { key: path, value, subject: code === 'XML_UNKNOWN_PARTS' ? 'unknown parts' : subject, code, ...(held && { held }) };
	});
