import { entry, type ReportEntry } from '../../src/machine/report.ts';
import type { Dictionary, DictionaryEntry } from './dictionary.ts';

/** Takes keys out of a dictionary, and knows which are left. */
export type Cursor = {
	/** The entry, marked as read; the key in any case. */
	take(key: string): DictionaryEntry | undefined;
	text(key: string): string | undefined;
	/** `undefined` where nothing is said, or no whole number: that is reported. */
	integer(key: string): number | undefined;
	/** The same, for keys that may say `unlimited`. */
	limit(key: string): number | 'unlimited' | undefined;
	/** `undefined` where nothing is said, or neither TRUE nor FALSE: that is reported. */
	boolean(key: string): boolean | undefined;
	/** A UUID as lower-case 8-4-4-4-12, whatever is between its 32 digits. */
	uuid(key: string): string | undefined;
	/** Report that a value makes no sense; an error where the machine is another without it. */
	odd(code: 'VMX_BAD_VALUE', key: string, what: string, severity?: 'error'): void;
	/** The keys of a device that were read so far, as they are spelled. */
	taken(device: string): string[];
	/** What nobody has taken. */
	rest(): DictionaryEntry[];
	/**
	 * The same, for what libvirt's own translation has no place for: what is read through it stays in the rest, as held by the model. A
	 * value that makes no sense is not held, and nothing else is said of it.
	 */
	more(): Cursor;
	/** Whether a key was read through `more`, and made sense. */
	isHeld(key: string): boolean;
	/** Indices of devices by a prefix and a pattern of two numbers: `scsi` gives `[[0, 0], [0, 1]]`, ascending. */
	units(bus: string): [number, number][];
	/** Indices of devices with one number: `ethernet` gives `[0, 1]`, ascending. */
	indices(prefix: string): number[];
};

export const cursor = (dictionary: Dictionary, report: ReportEntry[]): Cursor => {
	const marks = { read: new Set<string>(), held: new Set<string>(), ofDevice: new Map<string, Set<string>>() };
	return view(dictionary, report, marks, marks.read);
};

type Marks = {
	readonly read: Set<string>;
	readonly held: Set<string>;
	/** What is read, by what stands before the first dot. */
	readonly ofDevice: Map<string, Set<string>>;
};

/** @param marks which of the two sets gets the keys that are read through it. */
const view = (dictionary: Dictionary, report: ReportEntry[], all: Marks, marks: Set<string>): Cursor => {
	const { entries } = dictionary;
	const { read, held, ofDevice } = all;
	const take = (key: string): DictionaryEntry | undefined => {
		const lower = key.toLowerCase();
		const found = entries.get(lower);
		if (!found) return undefined;
		marks.add(lower);
		if (marks === read) keysOf(deviceOf(lower)).add(lower);
		return found;
	};
	const keysOf = (device: string): Set<string> => {
		const keys = ofDevice.get(device) ?? new Set();
		ofDevice.set(device, keys);
		return keys;
	};
	const odd = (code: 'VMX_BAD_BOOLEAN' | 'VMX_BAD_NUMBER' | 'VMX_BAD_VALUE', key: string, what: string, severity?: 'error'): undefined => {
		if (marks === held) held.delete(key.toLowerCase());
		else report.push(entry(code, { subject: key, message: `${key} is ${what}`, keys: [key], ...(severity && { severity }) }));
	};
	const limit = (key: string): number | 'unlimited' | undefined => {
		const value = take(key)?.value;
		if (value === undefined) return undefined;
		if (value.toLowerCase() === 'unlimited') return 'unlimited';
		const number = /^\s*[+-]?\d{1,15}$/.test(value) ? Number(value) : undefined;
		return number ?? odd('VMX_BAD_NUMBER', key, 'no whole number');
	};
	const found = (pattern: RegExp): string[][] => {
		const matches = [...entries.keys()].flatMap((key) => {
			const match = pattern.exec(key);
			return match ? [match.slice(1)] : [];
		});
		return [...new Map(matches.map((numbers) => [numbers.join(':'), numbers])).values()];
	};
	return {
		take,
		text: (key) => take(key)?.value,
		limit,
		integer(key) {
			const value = limit(key);
			return value === 'unlimited' ? -1 : value;
		},
		boolean(key) {
			const value = take(key)?.value.toLowerCase();
			if (value === undefined || value === 'true') return value && true;
			return value === 'false' ? false : odd('VMX_BAD_BOOLEAN', key, 'neither TRUE nor FALSE');
		},
		uuid(key) {
			const value = take(key)?.value;
			if (value === undefined) return undefined;
			const digits = value.replaceAll(/[\s-]/g, '').toLowerCase();
			if (!/^[0-9a-f]{32}$/.test(digits)) return odd('VMX_BAD_VALUE', key, 'no UUID of 32 hexadecimal digits');
			return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
		},
		odd,
		taken(device) {
			return [...(ofDevice.get(device.toLowerCase()) ?? [])].map((key) => entries.get(key)?.key ?? key);
		},
		more: () => view(dictionary, report, all, held),
		isHeld: (key) => held.has(key.toLowerCase()),
		rest: () => [...entries].filter(([key]) => !read.has(key)).map(([, value]) => value),
		units: (bus) =>
			found(new RegExp(`^${bus}(\\d|[1-9]\\d):(\\d|[1-9]\\d)\\.`))
				.map(([n, m]) => [Number(n), Number(m)] as [number, number])
				.sort((a, b) => a[0] - b[0] || a[1] - b[1]),
		indices: (prefix) =>
			found(new RegExp(`^${prefix}(\\d|[1-9]\\d{1,3})\\.`))
				.map(([n]) => Number(n))
				.sort((a, b) => a - b),
	};
};

const deviceOf = (key: string): string => key.replace(/\..*$/s, '');
