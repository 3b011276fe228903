import type { Code } from '../../src/machine/codes.ts';
import type { RawEntry } from '../../src/machine/spec.ts';
import type { Cursor } from './cursor.ts';
import type { Dictionary } from './dictionary.ts';

/** What a key that the model has no place for is about; with a value of `harmless` it says what is so anyway. */
type Row = { readonly keys: RegExp; readonly code: Code; readonly harmless?: RegExp };

const row = (keys: RegExp, code: Code, harmless?: RegExp): Row => ({ keys, code, ...(harmless && { harmless }) });

const OFF = /^(false)?$/i;
const ON = /^(true)?$/i;
const EMPTY = /^$/;
const NORMAL = /^(normal)?$/i;

/** Lower-case keys, the first row that fits. Hardware specification, appendix E. */
const ROWS: readonly Row[] = [
	// state of the machine, and of the products that ran it
	row(/^checkpoint\.vmstate$/, 'VM_SUSPENDED', EMPTY),
	row(/^(invmteam|config\.readonly|managedvm\.|policy\.vm\.)/, 'MANAGED_VM', OFF),
	row(/^(scsi|sata|nvme|ide)\d+:\d+\.redo$/, 'DISK_REDO', EMPTY),
	row(/\.(redo|saswwid|allowguestconnectioncontrol|pciSlotNumber|subnqnuuid|wwid)$/i, 'VMX_STATE_IGNORED'),
	row(/(^|\.)ctkenabled$/, 'DISK_OPTION_LOST', OFF),
	row(/\.(uptcompatibility|linkstatepropagation\.enable|bsdname|displayname)$/, 'VMX_STATE_IGNORED'),
	row(/^(pcibridge\d|vmci)/, 'VMX_STATE_IGNORED'),
	row(/^(hostcpuid|guestcpuid|usercpuid|featmask|monitor)\./, 'VMX_STATE_IGNORED'),
	row(/^(vmotion|migrate|replay|ftcpt|viv|vmxstats|numa\.autosize|log|gui|hgfs|proxyapps|messagebus|powertype)\./, 'VMX_STATE_IGNORED'),
	row(/^(toolsinstallmanager|toolscripts|extendedconfigfile|virtualhw\.productcompatibility|deploymentplatform)/, 'VMX_STATE_IGNORED'),
	row(
		/^(guestosaltname|softpoweroff|vm\.createdate|chipset\.onlinestandby|disable_acceleration|evccompatibilitymode)$/,
		'VMX_STATE_IGNORED',
	),
	row(
		/^(keyboardandmouseprofile|memallowautoscaledown|memtrimrate|buslogic\.nodriver|msg\.autoanswer|snapshot\.action|cleanshutdown)$/,
		'VMX_STATE_IGNORED',
	),
	row(
		/^(sched\.swap\.derivedname|sched\.cpu\.units|svga\.(present|guestbackedprimaryaware)|workingdir|filesearchpath)$/,
		'VMX_STATE_IGNORED',
	),
	row(/^(nvp|vio|vconv)\.|^root-disk-uuid$|^(guestinfo|guestos)\.detailed\.data$/, 'METADATA_DROPPED'),
	// identity, guest, firmware
	row(/^uuid\.location$/, 'UUID_FROM_LOCATION'),
	row(/^uuid\.action$/, 'UUID_ACTION'),
	row(/^(smbios|board-id|hw\.model|serialnumber)/, 'SMBIOS_PARTIAL', OFF),
	row(/^(bios|efi)\./, 'BOOT_OPTION_LOST'),
	row(/^chipset\.motherboardlayout$/, 'FEATURE_PARTIAL'),
	// processors, memory, clock
	row(/^vcpu\.hotadd$/, 'CPU_HOTADD_LOST', OFF),
	row(/^mem\.hotadd$/, 'MEM_HOTADD_LOST', OFF),
	row(/^(vhv\.enable)$/, 'NESTED_VIRT', OFF),
	row(/^hypervisor\.cpuid\.v0$/, 'HIDE_HYPERVISOR', ON),
	row(/^(vvtd\.enable|vpmc\.enable|windows\.vbs\.enabled)$/, 'FEATURE_PARTIAL', OFF),
	row(/^cpuid\.corespersocket\.cookie$/, 'TUNING_DROPPED', /^1$/),
	row(/^cpuid\./, 'CPUID_MASK_DROPPED', /^[-:]*$/),
	row(/^sched\.cpu\.min$/, 'CPU_RESERVATION_LOST', /^0?$/),
	row(/^sched\.cpu\.max$/, 'CPU_LIMIT_LOST', /^(-1|0|unlimited)?$/i),
	row(/^sched\.mem\.min$/, 'MEM_RESERVATION_LOST', /^0?$/),
	row(/^sched\.(mem\.shares|cpu\.latencysensitivity)$/, 'TUNING_DROPPED', NORMAL),
	row(/^sched\.(scsi|sata|nvme|ide)\d+:\d+\./, 'DISK_QOS_LOST', /^(normal|off)?$/i),
	row(/^(sched|numa|prefvmx|mainmem)\./, 'TUNING_DROPPED', OFF),
	row(/^rtc\./, 'CLOCK_LOST'),
	row(/^hpet\d\.present$/, 'HPET_DISABLED'),
	row(/^(tools\.synctime|time\.synchronize\.)/, 'TIME_SYNC_LOST', OFF),
	row(/^tools\./, 'VMX_STATE_IGNORED'),
	// disks
	row(/^disk\.enableuuid$/, 'DISK_SERIAL_LOST', OFF),
	row(/^scsi\d\.sharedbus$/, 'DISK_SHARED', /^(none)?$/i),
	row(/^(scsi|sata|nvme|ide)\d+:\d+\.sharing$/, 'DISK_SHARED', /^(sharing-?none|none)?$/i),
	row(/^((scsi|sata|nvme|ide)\d+:\d+|floppy\d)\.startconnected$/, 'DISK_DISCONNECTED', ON),
	row(/^((scsi|sata|nvme|ide)\d+(:\d+)?|floppy\d)\./, 'DISK_OPTION_LOST', OFF),
	// network
	row(/^ethernet\d+\.startconnected$/, 'NIC_LINK_DOWN', ON),
	row(/^ethernet\d+\.(opaquenetwork\.|pvnid|networkname|vnet|connectiontype|dvs\.)/, 'NET_OPTION_LOST', EMPTY),
	row(/^ethernet\d+\.(generatedaddressoffset|features)$/, 'NIC_OPTION_LOST', /^0?$/),
	row(/^ethernet\d+\./, 'NIC_OPTION_LOST', OFF),
	// other devices
	row(/^(pcipassthru|svga\.vgpu)/, 'PASSTHROUGH', OFF),
	row(/^(usb|ehci|usb_xhci)\.(autoconnect\b|generic\.autoconnect$)/, 'USB_PASSTHROUGH', OFF),
	// Of what may be plugged in, a hard disk alone has data that is nowhere else.
	row(/^usb(_xhci)?:\d+\.filename$/, 'DISK_USB_LOST', /^$|\.iso$/i),
	row(/^nvdimm\d+:\d+\.filename$/, 'PMEM_LOST', EMPTY),
	row(/^nvdimm\d/, 'DEVICE_DROPPED', OFF),
	row(/^(usb|ehci|usb_xhci|sound|mks\.enable3d|svga)\b/, 'DEVICE_DROPPED', OFF),
	row(/^remotedisplay\.vnc\.(key|password)$/, 'VNC_PASSWORD_DROPPED'),
	row(/^remotedisplay\./, 'HARDENING_DROPPED', /^(-1)?$/),
	row(/^serial\d+\.pipe\.endpoint$/, 'SERIAL_PIPE'),
	row(/^(serial|parallel)\d+\./, 'SERIAL_OPTION_LOST', ON),
	row(/^sharedfolder/, 'SHARED_FOLDER_DROPPED', /^0?$/),
	row(/^(isolation|monitor_control|priority)\./, 'HARDENING_DROPPED'),
	row(/^guest\.commands\.sharedsecretlogin\./, 'VMX_STATE_IGNORED'),
	// Tools write these themselves.
	row(/^guestinfo\.(appinfo|vmtools\.|driver\.|vmware\.|toolsinstallerrcode)/, 'VMX_STATE_IGNORED'),
	row(/^guestinfo\./, 'GUESTINFO_LOST'),
	row(/^vtpm\.ek/, 'VMX_STATE_IGNORED'),
];

/** A device, as far as it has a key of its own that says whether it is there. */
const DEVICE =
	/^((?:scsi|sata|nvme|ide)\d+(?::\d+)?|(?:floppy|ethernet|serial|parallel|sharedfolder|vmci|sound|usb|ehci|usb_xhci|hpet|nvdimm)\d*)[.:]/;

/** What is plugged into one that may, but need not, say so itself. */
const PLUGGED = /^((?:usb|usb_xhci|nvdimm\d+):\d+)\./;

/** What is plugged in by USB, whose controller another generation's key may say. */
const BY_USB = /^(?:(?:usb|ehci|usb_xhci)\.(?:generic\.)?autoconnect\b|usb(?:_xhci)?:\d+\.)/;

/** What the keys mean that no reader has taken. */
export const dispositions = (c: Cursor, { entries }: Dictionary): RawEntry[] => {
	const present = (device: string): string | undefined => entries.get(`${device}.present`)?.value.toLowerCase();
	const hasUsb = ['usb', 'ehci', 'usb_xhci'].some((controller) => present(controller) === 'true');
	return c.rest().map(({ key, value }): RawEntry => {
		const held = c.isHeld(key) || undefined;
		const lower = key.toLowerCase();
		const device = DEVICE.exec(lower)?.[1];
		// There is always an IDE controller.
		const isThere = device === undefined || /^ide\d+$/.test(device) || present(device) === 'true' || (hasUsb && BY_USB.test(lower));
		const plugged = PLUGGED.exec(lower)?.[1];
		if (!isThere || (plugged !== undefined && present(plugged) === 'false'))
			return { key, value, subject: 'absent devices', code: 'DEVICE_ABSENT', held };
		const found = ROWS.find(({ keys }) => keys.test(lower));
		const subject = device ?? lower.split('.')[0] ?? lower;
		if (!found) return { key, value, subject: 'unknown keys', code: 'VMX_UNKNOWN_KEYS', held };
		const folded = found.code === 'VMX_STATE_IGNORED' || found.harmless?.test(value);
		return folded ? { key, value, subject: 'state', code: 'VMX_STATE_IGNORED', held } : { key, value, subject, code: found.code, held };
	});
};
