import type { FileTree } from '../../tree.ts';
import { release } from '../release.ts';
import { configLines } from '../text.ts';
import { readBlsEntries } from './bls.ts';
import type { BootEntry, BootMenu } from './entry.ts';
import { expander, grubWords, unquoted } from './words.ts';

const FILES = ['/boot/grub2/grub.cfg', '/boot/grub/grub.cfg'];

/** The ESP, where it is mounted: distributions have their configuration there in a folder of their own. */
const ESPS = ['/boot/efi/EFI', '/efi/EFI', '/boot/EFI'];

/** More such folders are not looked into. */
const MOST_VENDORS = 32;

/** Where the variables are that GRUB keeps from one start to the next, if not beside the configuration. */
const ENVIRONMENT = '/boot/grub2/grubenv';

/** All that variables stand for in a menu is no longer, in bytes. */
const LARGEST = 256 << 10;

/** More files of variables are not loaded. */
const MOST_LOADED = 16;

/** A choice, or a submenu with choices of its own. */
type Item = { readonly names: readonly string[]; readonly entry?: BootEntry | undefined; readonly items: readonly Item[] };

/** GRUB 2: its configuration, the entries of the Boot Loader Specification if it asks for them, and its environment. */
export const readGrub = async (tree: FileTree): Promise<BootMenu | undefined> => {
	for (const file of [...FILES, ...(await filesOnEsp(tree))]) {
		const text = await tree.readText(file);
		if (text === undefined) continue;
		const environment = await grubEnvironment(tree, file);
		const variables = new Map([...settings(text), ...environment]);
		await loadInto(variables, tree, text);
		const items = [...menuItems(text, expander(variables, LARGEST, `what the variables of ${file} stand for`))];
		if (configLines(text).some(([line]) => /^blscfg\b/.test(line))) {
			const entries = await readBlsEntries(tree, variables);
			items.unshift(...entries.map((entry) => ({ names: entry.names, entry, items: [] })));
		}
		if (items.length === 0) continue; // on an ESP it only names the true one
		return { kind: 'grub2', file, entries: flat(items), chosen: choose(items, defaultOf(text, environment)) };
	}
	return undefined;
};

/** The configurations on an ESP, that of the guest's own distribution first: several may share one. */
const filesOnEsp = async (tree: FileTree): Promise<readonly string[]> => {
	const distro = (await release(tree)).distro?.toLowerCase();
	const own: string[] = [];
	const others: string[] = [];
	for (const esp of ESPS) {
		for (const vendor of (await tree.readdir(esp)).slice(0, MOST_VENDORS))
			(vendor.toLowerCase() === distro ? own : others).push(`${esp}/${vendor}/grub.cfg`);
	}
	return [...own, ...others];
};

/** Entries of the Boot Loader Specification whose loader's configuration is not to be seen: GRUB's default is what it saved, or the first. */
export const readEntriesAlone = async (tree: FileTree): Promise<BootMenu | undefined> => {
	const environment = await grubEnvironment(tree, ENVIRONMENT);
	const entries = await readBlsEntries(tree, environment);
	const saved = environment.get('saved_entry');
	const chosen = entries.find(({ names }) => saved !== undefined && names.includes(saved));
	const [first] = entries;
	return first && { kind: 'bls', file: first.file, entries, chosen: chosen ?? first, isGuessed: chosen === undefined };
};

const flat = (items: readonly Item[]): readonly BootEntry[] =>
	items.flatMap(({ entry, items: inner }) => [...(entry ? [entry] : []), ...flat(inner)]);

/** The environment block: lines of a file beside the configuration. */
const grubEnvironment = async (tree: FileTree, file: string): Promise<ReadonlyMap<string, string>> => {
	const values = new Map<string, string>();
	for (const path of [file.replace(/[^/]+$/, 'grubenv'), ENVIRONMENT]) {
		for (const [line] of configLines((await tree.readText(path)) ?? '')) {
			const at = line.indexOf('=');
			if (at > 0 && !values.has(line.slice(0, at))) values.set(line.slice(0, at), line.slice(at + 1));
		}
	}
	return values;
};

/** The variables that a configuration sets itself, such as what Red Hat keeps in `kernelopts` where the environment has none. */
const settings = (text: string): ReadonlyMap<string, string> => {
	const values = new Map<string, string>();
	for (const [line] of configLines(text)) {
		const [, name, value] = /^(?:set\s+)?(\w+)=(.*)$/.exec(line) ?? [];
		if (name !== undefined && value !== undefined) values.set(name, unquoted(value));
	}
	return values;
};

/** What a configuration loads by its path: Photon and Azure Linux say there which kernel is theirs. */
const loadInto = async (variables: Map<string, string>, tree: FileTree, text: string): Promise<void> => {
	const expand = expander(variables, LARGEST, 'the names of the files with variables');
	const paths = configLines(text).flatMap(([line]) => /^load_env\s+(?:-f|--file)[\s=]+(\S+)/.exec(line)?.[1] ?? []);
	for (const path of new Set(paths.slice(0, MOST_LOADED).map((one) => withoutDevice(expand(one))))) {
		for (const [line] of configLines((await tree.readText(path)) ?? (await tree.readText(`/boot${path}`)) ?? '')) {
			const at = line.indexOf('=');
			if (at > 0) variables.set(line.slice(0, at), line.slice(at + 1));
		}
	}
};

/** What the last `set default` says that is not for the next boot alone. */
const defaultOf = (text: string, environment: ReadonlyMap<string, string>): string => {
	let chosen = '0';
	for (const [line] of configLines(text)) {
		const said = /^(?:set\s+)?default=(.*)$/.exec(line)?.[1];
		if (said === undefined || said.includes('next_entry')) continue;
		const value = unquoted(said);
		chosen = value.includes('saved_entry') ? (environment.get('saved_entry') ?? '') : value;
	}
	return chosen === '' ? '0' : chosen;
};

/** `0`, `1>2`, a title or an id; what names nothing is GRUB's first. */
const choose = (items: readonly Item[], path: string): BootEntry | undefined => {
	let level = items;
	let found: Item | undefined;
	for (const name of path.split('>')) {
		found = level.find(({ names }) => names.includes(name)) ?? (/^\d+$/.test(name) ? level[Number(name)] : undefined);
		level = found?.items ?? [];
	}
	return found?.entry ?? firstEntry(found ? found.items : items);
};

const firstEntry = (items: readonly Item[]): BootEntry | undefined => flat(items)[0];

const DEEPEST = 8;

/** The menu of a configuration. Its conditions are not judged; what they guard is seldom an entry. */
const menuItems = (text: string, expand: (text: string) => string): readonly Item[] => {
	type Open = { readonly names: readonly string[]; readonly items: Item[]; entry?: BootEntry | undefined; readonly depth: number };
	const top: Item[] = [];
	const stack: Open[] = [];
	let depth = 0;
	for (const [line] of configLines(text.replace(/\\\r?\n/g, ' '))) {
		const heading = headingOf(line);
		if (heading && stack.length < DEEPEST) {
			stack.push({ names: heading, items: [], depth: depth++ });
			continue;
		}
		const current = stack.at(-1);
		if (line.endsWith('{')) depth++;
		else if (line === '}') {
			depth--;
			if (current && depth === current.depth) {
				stack.pop();
				(stack.at(-1)?.items ?? top).push({ names: current.names, entry: current.entry, items: current.items });
			}
		} else if (current) current.entry = withLine(current.entry, current.names, line, expand);
	}
	return top;
};

/** Options of an entry that a value follows; the first is a variable for the second. */
const VALUED = ['$menuentry_id_option', '--id', '--class', '--users', '--hotkey', '--source'];

/** The title and the id of an entry or a submenu that a line begins. */
const headingOf = (line: string): readonly string[] | undefined => {
	if (!/^(menuentry|submenu)\s.*\{$/.test(line)) return undefined;
	let title: string | undefined;
	let id: string | undefined;
	const [, ...rest] = grubWords(line.slice(0, -1)).map(unquoted);
	for (let at = 0; at < rest.length; at++) {
		const word = rest[at] ?? '';
		const [, option = word, value] = /^(--\w+)=(.*)$/s.exec(word) ?? [];
		if (VALUED.slice(0, 2).includes(option)) id = value ?? rest[++at];
		else if (VALUED.includes(option)) at += value === undefined ? 1 : 0;
		else if (!option.startsWith('--')) title ??= word;
	}
	return title === undefined ? undefined : [title, ...(id ? [id] : [])];
};

const withLine = (
	entry: BootEntry | undefined,
	names: readonly string[],
	line: string,
	expand: (text: string) => string,
): BootEntry | undefined => {
	const [, command, said] = /^(linux(?:16|efi)?|initrd(?:16|efi)?)\s+(.*)$/.exec(line) ?? [];
	if (said === undefined) return entry;
	const rest = expand(said);
	if (command?.startsWith('linux')) {
		const [kernel = ''] = grubWords(rest);
		const options = rest.slice(kernel.length).trim().split(/\s+/);
		return { names, kernel: withoutDevice(kernel), initramfs: entry?.initramfs ?? [], commandLine: options.join(' ') };
	}
	if (command?.startsWith('initrd') && entry) {
		return { ...entry, initramfs: grubWords(rest).map(withoutDevice) };
	}
	return entry;
};

/** `"($root)/vmlinuz"` */
const withoutDevice = (path: string): string => unquoted(path).replace(/^\([^)]*\)/, '');
