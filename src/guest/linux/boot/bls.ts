import type { FileTree } from '../../tree.ts';
import { compareVersions, configLines } from '../text.ts';
import type { BootEntry, BootMenu } from './entry.ts';

// The Boot Loader Specification, type 1: https://uapi-group.org/specifications/specs/boot_loader_specification/

const FOLDERS = ['/boot/loader/entries', '/efi/loader/entries', '/boot/efi/loader/entries'];

/** More files in one folder are not looked at. */
const MOST = 256;

/** The entries, the newest first. @param environment what `$kernelopts` and its like stand for: GRUB's environment. */
export const readBlsEntries = async (
	tree: FileTree,
	environment: ReadonlyMap<string, string> = new Map(),
): Promise<readonly BootEntry[]> => {
	for (const folder of FOLDERS) {
		const files = (await tree.readdir(folder)).filter((name) => name.endsWith('.conf')).slice(0, MOST);
		const entries: (BootEntry & { readonly order: string })[] = [];
		for (const file of files) {
			const entry = parse(file, (await tree.readText(`${folder}/${file}`)) ?? '', environment);
			if (entry) entries.push({ ...entry, order: file.slice(0, -'.conf'.length) });
		}
		if (entries.length > 0) return entries.sort((a, b) => compareVersions(b.order, a.order));
	}
	return [];
};

const parse = (file: string, text: string, environment: ReadonlyMap<string, string>): BootEntry | undefined => {
	const values = new Map<string, string[]>();
	for (const [line] of configLines(text)) {
		const [, key, value] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
		if (key !== undefined && value !== undefined) values.set(key, [...(values.get(key) ?? []), value]);
	}
	const kernel = values.get('linux')?.[0];
	if (kernel === undefined) return undefined;
	const commandLine = (values.get('options') ?? []).join(' ').replace(/\$\{?(\w+)\}?/g, (_, name: string) => environment.get(name) ?? '');
	return {
		names: [file.slice(0, -'.conf'.length), file, ...(values.get('title') ?? [])],
		kernel,
		initramfs: (values.get('initrd') ?? []).flatMap((line) => line.split(/\s+/)).filter((path) => !path.startsWith('$')),
		commandLine: commandLine.trim(),
		version: values.get('version')?.[0],
	};
};

/** systemd-boot: the same entries, with a default of its own, which may be a pattern. */
export const readSystemdBoot = async (tree: FileTree): Promise<BootMenu | undefined> => {
	for (const folder of FOLDERS) {
		const file = folder.replace(/entries$/, 'loader.conf');
		const text = await tree.readText(file);
		if (text === undefined) continue;
		const entries = await readBlsEntries(tree);
		if (entries.length === 0) continue;
		const pattern = /^default\s+(\S+)/m.exec(text)?.[1];
		const matching = pattern === undefined ? undefined : entries.find(({ names }) => names.some((name) => matches(name, pattern)));
		return { kind: 'systemd-boot', file, entries, chosen: matching ?? entries[0] };
	}
	return undefined;
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
