import type { FileTree } from '../../tree.ts';
import { compareVersions, configLines } from '../text.ts';
import type { BootEntry, BootMenu } from './entry.ts';
import { expander } from './words.ts';

// The Boot Loader Specification, type 1: https://uapi-group.org/specifications/specs/boot_loader_specification/

const FOLDERS = ['/boot/loader/entries', '/efi/loader/entries', '/boot/efi/loader/entries'];

/** More files in one folder are not looked at. */
const MOST = 256;

/** Longer entries, and command lines, are not read, in bytes: Linux takes a few thousand. */
const LARGEST = 64 << 10;

type BlsEntry = BootEntry & {
	readonly file: string;
	/** The file's name without `.conf`, and without what counts its attempts. */
	readonly id: string;
	readonly sortKey: string | undefined;
	readonly machineId: string;
	/** All attempts at it have failed. */
	readonly isBad: boolean;
};

/**
 * The entries in GRUB's order, the newest first by their names.
 * @param environment what `$kernelopts` and its like stand for: GRUB's environment.
 * @throws UnsupportedError for an entry that is too large.
 */
export const readBlsEntries = async (
	tree: FileTree,
	environment: ReadonlyMap<string, string> = new Map(),
): Promise<readonly BlsEntry[]> => {
	for (const folder of FOLDERS) {
		const files = (await tree.readdir(folder)).filter((name) => name.endsWith('.conf')).slice(0, MOST);
		const entries: BlsEntry[] = [];
		for (const file of files) {
			const entry = parse(file, (await tree.readText(`${folder}/${file}`, LARGEST)) ?? '', environment);
			if (entry) entries.push({ ...entry, file: `${folder}/${file}` });
		}
		if (entries.length > 0) return entries.sort(byName);
	}
	return [];
};

const byName = (a: BlsEntry, b: BlsEntry): number => compareVersions(b.id, a.id);

/** systemd-boot's order: the specification, "Sorting". */
const bySortKey = (a: BlsEntry, b: BlsEntry): number => {
	if (a.isBad !== b.isBad) return a.isBad ? 1 : -1;
	if (a.sortKey === undefined || b.sortKey === undefined) {
		return a.sortKey === b.sortKey ? byName(a, b) : a.sortKey === undefined ? 1 : -1;
	}
	return (
		ascending(a.sortKey, b.sortKey) ||
		ascending(a.machineId, b.machineId) ||
		compareVersions(b.version ?? '', a.version ?? '') ||
		byName(a, b)
	);
};

const ascending = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const parse = (file: string, text: string, environment: ReadonlyMap<string, string>): Omit<BlsEntry, 'file'> | undefined => {
	const values = new Map<string, string[]>();
	for (const [line] of configLines(text)) {
		const [, key, value] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
		if (key !== undefined && value !== undefined) values.set(key, [...(values.get(key) ?? []), value]);
	}
	const kernel = values.get('linux')?.[0];
	if (kernel === undefined) return undefined;
	const expand = expander(environment, LARGEST, `the command line of ${file}`);
	// `+LEFT-DONE` counts the attempts at it.
	const [, id = '', left] = /^(.*?)(?:\+(\d+)(?:-\d+)?)?\.conf$/s.exec(file) ?? [];
	return {
		id,
		sortKey: values.get('sort-key')?.[0],
		machineId: values.get('machine-id')?.[0] ?? '',
		isBad: left !== undefined && Number(left) === 0,
		names: [id, `${id}.conf`, ...(values.get('title') ?? [])],
		kernel,
		initramfs: (values.get('initrd') ?? []).flatMap((line) => line.split(/\s+/)).filter((path) => !path.startsWith('$')),
		commandLine: expand((values.get('options') ?? []).join(' ')).trim(),
		version: values.get('version')?.[0],
	};
};

/** systemd-boot: the same entries, with a default of its own, which may be a pattern. */
export const readSystemdBoot = async (tree: FileTree): Promise<BootMenu | undefined> => {
	for (const folder of FOLDERS) {
		const file = folder.replace(/entries$/, 'loader.conf');
		const text = await tree.readText(file);
		if (text === undefined) continue;
		const entries = [...(await readBlsEntries(tree))].sort(bySortKey);
		if (entries.length === 0) continue;
		const pattern = /^default\s+(\S+)/m.exec(text)?.[1];
		const matching = pattern === undefined ? undefined : entries.find(({ names }) => names.some((name) => matches(name, pattern)));
		// A default that is none of them, and the first of a menu that has others too, are kernels that are not looked into.
		const first = pattern === undefined && !(await hasUnifiedImages(tree)) ? entries[0] : undefined;
		return { kind: 'systemd-boot', file, entries, chosen: matching ?? first };
	}
	return undefined;
};

/** Whether there are kernels in one file with all they need, type 2 of the specification. */
const hasUnifiedImages = async (tree: FileTree): Promise<boolean> => {
	for (const folder of FOLDERS) {
		const images = await tree.readdir(folder.replace('loader/entries', 'EFI/Linux'));
		if (images.some((name) => /\.efi$/i.test(name))) return true;
	}
	return false;
};

/** A pattern of the shell with asterisks; without going back and forth over them. */
const matches = (name: string, pattern: string): boolean => {
	const [first = '', ...rest] = pattern.split('*');
	if (rest.length === 0) return name === pattern;
	if (!name.startsWith(first)) return false;
	let at = first.length;
	for (const part of rest.slice(0, -1)) {
		const found = name.indexOf(part, at);
		if (found < 0) return false;
		at = found + part.length;
	}
	const last = rest.at(-1) ?? '';
	return name.length - last.length >= at && name.endsWith(last);
};
