import { UnsupportedError } from '../../../errors.ts';
import type { FileTree } from '../../tree.ts';
import { configLines } from '../text.ts';
import type { BootEntry, BootMenu } from './entry.ts';

// https://wiki.syslinux.org/wiki/index.php?title=Config

/** As many files as SYSLINUX takes into another, one in the next; and more in all than any menu has. */
const DEEPEST = 16;
const MOST_FILES = 32;
const MOST_LINES = 20_000;

const COMMAND = /^(default|label|linux|kernel|append|initrd|menu\s+default|ontimeout|timeout|prompt|ui)(?:\s+(.*))?$/i;

/** EXTLINUX and its family: `LABEL`, `LINUX` or `KERNEL`, `APPEND`, `INITRD`. */
export const readExtlinux = async (tree: FileTree): Promise<BootMenu | undefined> => {
	for (const file of ['/boot/extlinux/extlinux.conf', '/boot/extlinux.conf', '/boot/syslinux/syslinux.cfg']) {
		const lines = await linesWithIncluded(tree, file, [], { files: MOST_FILES });
		if (!lines) continue;
		const { entries, settings, marked } = parse(lines, (name) => fromFolderOf(file, name));
		const bootable = entries.filter(({ kernel }) => kernel !== '');
		if (bootable.length === 0) continue;
		const standard = settings.get('default') ?? '';
		const isLabel = (text: string): boolean => entries.some(({ names }) => names.includes(text));
		// Without anything to choose from, nothing waits for a choice.
		const isShown = settings.has('ui') || /\.c32$/i.test(standard.split(/\s/)[0] ?? '') || Number(settings.get('prompt')) > 0;
		const late = isShown && Number(settings.get('timeout')) > 0 ? (settings.get('ontimeout') ?? '') : '';
		// DEFAULT may name what shows the menu, which then has a default of its own.
		const label = [late, standard, marked].find(isLabel) ?? entries[0]?.names[0] ?? '';
		return { kind: 'extlinux', file, entries: bootable, chosen: bootable.find(({ names }) => names.includes(label)) };
	}
	return undefined;
};

/** The lines of a file, with those of the files that it includes in their places; undefined where there is none. */
const linesWithIncluded = async (
	tree: FileTree,
	file: string,
	within: readonly string[],
	left: { files: number },
): Promise<readonly string[] | undefined> => {
	if (left.files-- === 0 || within.length > DEEPEST)
		throw new UnsupportedError(`the menu of EXTLINUX includes more than ${MOST_FILES} files, or is ${DEEPEST} deep`, { path: file });
	const text = await tree.readText(file);
	if (text === undefined) return undefined;
	const lines: string[] = [];
	for (const [line] of configLines(text)) {
		const name = /^(?:menu\s+)?include\s+(\S+)/i.exec(line)?.[1];
		if (name === undefined) {
			lines.push(line);
			continue;
		}
		// Names are from the folder of the first file, or from the root of its volume.
		const path = fromFolderOf(within[0] ?? file, name);
		const included = path.startsWith('/boot/') ? [path] : [path, `/boot${path}`];
		for (const one of included) lines.push(...((await linesWithIncluded(tree, one, [...within, file], left)) ?? []));
		if (lines.length > MOST_LINES) throw new UnsupportedError(`the menu of EXTLINUX has more than ${MOST_LINES} lines`, { path: file });
	}
	return lines;
};

type Menu = {
	readonly entries: readonly BootEntry[];
	/** What is said of the whole menu, by its commands in lower case. */
	readonly settings: ReadonlyMap<string, string>;
	/** The label of the entry with `MENU DEFAULT`. */
	readonly marked: string;
};

const parse = (lines: readonly string[], from: (name: string) => string): Menu => {
	const entries: BootEntry[] = [];
	const settings = new Map<string, string>();
	let marked = '';
	for (const line of lines) {
		const [, command = '', said = ''] = COMMAND.exec(line) ?? [];
		const entry = entries.at(-1);
		const set = (change: Partial<BootEntry>): void => {
			if (entry) entries[entries.length - 1] = { ...entry, ...change };
		};
		switch (command.toLowerCase().replace(/\s+/, ' ')) {
			case 'menu default':
				marked = entry?.names[0] ?? '';
				break;
			case 'label':
				entries.push({ names: [said], kernel: '', initramfs: [], commandLine: settings.get('append') ?? '' });
				break;
			case 'linux':
			case 'kernel':
				set({ kernel: from(said) });
				break;
			case 'initrd':
				set({ initramfs: said.split(',').map(from) });
				break;
			case 'append':
				if (entry) set(said === '-' ? { commandLine: '' } : { commandLine: said, ...initrdOf(said, from) });
				else settings.set('append', said);
				break;
			default:
				if (command) settings.set(command.toLowerCase(), said);
		}
	}
	return { entries, settings, marked };
};

const initrdOf = (options: string, from: (name: string) => string): Partial<BootEntry> => {
	const initrd = /(?:^|\s)initrd=(\S+)/.exec(options)?.[1];
	return initrd ? { initramfs: initrd.split(',').map(from) } : {};
};

/** What `name` means in `file`: from its folder, unless it is said from the root. */
const fromFolderOf = (file: string, name: string): string => {
	if (name.startsWith('/')) return name;
	const parts: string[] = [];
	for (const part of `${file.slice(0, file.lastIndexOf('/'))}/${name}`.split('/')) {
		if (part === '..') parts.pop();
		else if (part !== '' && part !== '.') parts.push(part);
	}
	return `/${parts.join('/')}`;
};
