import type { Code } from '../codes.ts';
import type { Machine } from '../format.ts';
import { entry, type ReportEntry } from '../report.ts';
import type { VmSpec } from '../spec.ts';
import type { GuestOs } from './guests.ts';
import type { GuestFacts } from './options.ts';

/** What a description does not say of the VMware that will run the machine. */
export type ToVmxOptions = {
	/** Which products will run it: `esxi`, the `hosted` ones (Workstation, Fusion, Player), or `any`, which is what is taken where left out. */
	readonly product?: 'esxi' | 'hosted' | 'any' | undefined;
	/** The virtual hardware version to write; 19, of ESXi 7.0 U2 and Workstation 16.1, or what the machine wants, where left out. */
	readonly hardwareVersion?: number | undefined;
	/** VMX's `guestOS`, where the description does not say the guest or says the wrong one. */
	readonly guestOs?: string | undefined;
	/** What the images will be called, by libvirt's name of the device: `sda`. Where left out, as they are called, but .vmdk. */
	readonly images?: ReadonlyMap<string, string> | undefined;
	/**
	 * VMware's names of networks: by `mac:` and an address, `bridge:` or `network:` and a name, `type:user`, or `default`. Instead of a
	 * name: `nat`, `hostonly`, `none`.
	 */
	readonly networks?: ReadonlyMap<string, string> | undefined;
	/** What its inspection found: it goes before any rule of thumb for disks that change their bus. */
	readonly guest?: GuestFacts | undefined;
	/** The guest has VMware's drivers already, and starts from a paravirtual disk. */
	readonly assumeVmwareDrivers?: boolean | undefined;
	/** What starts the guest, whether that checks signatures, whether there is a TPM, what the clock shows: as the domain says it where left out. */
	readonly firmware?: 'bios' | 'efi' | undefined;
	readonly secureBoot?: boolean | undefined;
	readonly tpm?: boolean | undefined;
	readonly clock?: 'utc' | 'localtime' | undefined;
	/** A UUID of its own for a copy. */
	readonly newUuid?: boolean | undefined;
};

type Told = Partial<Pick<ReportEntry, 'keys' | 'action' | 'severity' | 'remedy'>>;

/** A migration to VMware that is being planned. */
export type Migration = {
	readonly machine: Machine;
	readonly spec: VmSpec;
	/** The VMX that the machine came from, where the description kept it. */
	readonly origin: VmSpec | undefined;
	readonly options: ToVmxOptions;
	readonly product: 'esxi' | 'hosted' | 'any';
	readonly guest: GuestOs;
	readonly hardwareVersion: number;
	readonly report: ReportEntry[];
	/** Whether the domain says what was written into it: then the VMX counts that it came from, and otherwise what somebody made of it. */
	isAsWritten(about: string): boolean;
	/** Add to the report; something was changed where nothing else is said. */
	tell(code: Code, subject: string, message: string, told?: Told): void;
};

export const migration = (known: Omit<Migration, 'report' | 'tell'>): Migration => {
	const report: ReportEntry[] = [];
	return {
		...known,
		report,
		tell: (code, subject, message, told = {}) => void report.push(entry(code, { subject, message, action: 'changed', ...told })),
	};
};
