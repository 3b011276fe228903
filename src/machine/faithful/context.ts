import { UnsupportedError } from '../../errors.ts';
import type { Code } from '../codes.ts';
import { entry, type ReportEntry } from '../report.ts';
import type { Profile } from './profiles.ts';

/** What a connection of libvirt would know besides the description. */
export type FaithfulOptions = {
	/** Which libvirt speaks: `libvirt-9.0`, `libvirt-11.3` or `libvirt-12.5`; 11.3 where left out. */
	readonly profile?: string | undefined;
	/** Where the VMX lies, `[DATASTORE] DIR/NAME.vmx`: file names become datastore paths. Where left out they stay as they are. */
	readonly vmxPath?: string | undefined;
	/** Path of the datacenter that holds the machine. */
	readonly datacenter?: string | undefined;
	/** Virtual hardware version of a VMX that is written; 8, what libvirt takes for an ESXi from 5.0 on, where left out. */
	readonly hardwareVersion?: number | undefined;
	/** Whether a file is there, by its datastore path. Where left out, every file is. */
	exists?(path: string): boolean;
};

/** A plan being made: what it knows, what it reports. */
export type Context = {
	readonly profile: Profile;
	readonly options: FaithfulOptions;
	/** Virtual hardware version of the machine. */
	readonly hardwareVersion: number;
	readonly report: ReportEntry[];
	/** Add to the report. */
	tell(code: Code, subject: string, message: string, keys?: readonly string[], action?: ReportEntry['action']): void;
	/** libvirt does not translate this. @throws UnsupportedError always. */
	refuse(field: string, why: string, hint?: string): never;
};

export const context = (path: string, profile: Profile, options: FaithfulOptions, hardwareVersion: number): Context => {
	const report: ReportEntry[] = [];
	return {
		profile,
		options,
		hardwareVersion,
		report,
		tell: (code, subject, message, keys = [], action = 'dropped') => void report.push(entry(code, { subject, message, keys, action })),
		refuse(field, why, hint) {
			throw new UnsupportedError(`${profile.name} refuses it: ${why}`, { path, field, hint });
		},
	};
};

/** Video memory as libvirt has it, in bytes: 4 MiB where nothing is said, rounded up to a power of two in KiB. */
export const videoMemory = (said: number | undefined, key: string, c: Context): number => {
	const bytes = said || 4 << 20;
	if (bytes < 0 || bytes > 2 ** 32) c.refuse(key, `it is ${bytes} bytes`);
	const rounded = 2 ** Math.ceil(Math.log2(Math.ceil(bytes / 1024))) * 1024;
	if (rounded !== bytes) {
		c.tell('VIDEO_CHANGED', 'video', `libvirt rounds the video memory up from ${bytes} bytes to ${rounded}`, [key], 'changed');
	}
	return rounded;
};
