import type { FileTree } from '../../tree.ts';
import { configLines } from '../text.ts';
import type { BootEntry, BootMenu } from './entry.ts';

/** GRUB before version 2: `title`, `kernel`, `initrd`. */
export const readGrubLegacy = async (tree: FileTree): Promise<BootMenu | undefined> => {
	for (const file of ['/boot/grub/grub.conf', '/boot/grub/menu.lst', '/etc/grub.conf']) {
		const text = await tree.readText(file);
		if (text === undefined) continue;
		const entries: BootEntry[] = [];
		let title: string | undefined;
		let index = -1;
		const places = new Map<number, BootEntry>();
		let chosen = 0;
		for (const [line] of configLines(text)) {
			const [, command, rest = ''] = /^(default|title|kernel|initrd)[\s=]+(.*)$/.exec(line) ?? [];
			// What `savedefault` keeps is a number, and then a warning not to edit it.
			if (command === 'default')
				chosen = Number.parseInt(rest === 'saved' ? ((await tree.readText('/boot/grub/default')) ?? '') : rest, 10) || 0;
			if (command === 'title') [title, index] = [rest, index + 1];
			if (title === undefined) continue;
			if (command === 'kernel') {
				const [kernel = '', ...options] = rest.split(/\s+/).filter((word) => !word.startsWith('--'));
				places.set(index, { names: [title], kernel: kernel.replace(/^\([^)]*\)/, ''), initramfs: [], commandLine: options.join(' ') });
			}
			const entry = places.get(index);
			if (command === 'initrd' && entry) places.set(index, { ...entry, initramfs: [rest.replace(/^\([^)]*\)/, '')] });
		}
		entries.push(...places.values());
		if (entries.length > 0) return { kind: 'grub-legacy', file, entries, chosen: places.get(chosen) ?? entries[0] };
	}
	return undefined;
};

/** EXTLINUX and its family: `LABEL`, `LINUX` or `KERNEL`, `APPEND`, `INITRD`. */
export const readExtlinux = async (tree: FileTree): Promise<BootMenu | undefined> => {
	for (const file of ['/boot/extlinux/extlinux.conf', '/boot/extlinux.conf', '/boot/syslinux/syslinux.cfg']) {
		const text = await tree.readText(file);
		if (text === undefined) continue;
		const entries: BootEntry[] = [];
		let chosen = '';
		let marked = '';
		let append = '';
		const from = (name: string): string => (name.startsWith('/') ? name : joined(file, name));
		for (const [line] of configLines(text)) {
			const [, command = '', rest = ''] = /^(default|label|linux|kernel|append|initrd|menu\s+default)(?:\s+(.*))?$/i.exec(line) ?? [];
			const entry = entries.at(-1);
			const set = (change: Partial<BootEntry>): void => {
				if (entry) entries[entries.length - 1] = { ...entry, ...change };
			};
			switch (command.toLowerCase().replace(/\s+/, ' ')) {
				case 'default':
					chosen = rest;
					break;
				case 'menu default':
					marked = entry?.names[0] ?? '';
					break;
				case 'label':
					entries.push({ names: [rest], kernel: '', initramfs: [], commandLine: append });
					break;
				case 'linux':
				case 'kernel':
					set({ kernel: from(rest) });
					break;
				case 'initrd':
					set({ initramfs: rest.split(',').map(from) });
					break;
				case 'append':
					if (entry) set({ commandLine: rest, ...initrdOf(rest, from) });
					else append = rest;
			}
		}
		const bootable = entries.filter(({ kernel }) => kernel !== '');
		// DEFAULT may name what shows the menu, which then has a default of its own.
		const standard = [chosen, marked].find((label) => entries.some(({ names }) => names.includes(label))) ?? entries[0]?.names[0] ?? '';
		if (bootable.length > 0)
			return { kind: 'extlinux', file, entries: bootable, chosen: bootable.find(({ names }) => names.includes(standard)) };
	}
	return undefined;
};

const initrdOf = (options: string, from: (name: string) => string): Partial<BootEntry> => {
	const initrd = /(?:^|\s)initrd=(\S+)/.exec(options)?.[1];
	return initrd ? { initramfs: initrd.split(',').map(from) } : {};
};

/** A name that is said from the folder of `file`. */
const joined = (file: string, name: string): string => {
	const parts: string[] = [];
	for (const part of `${file.slice(0, file.lastIndexOf('/'))}/${name}`.split('/')) {
		if (part === '..') parts.pop();
		else if (part !== '' && part !== '.') parts.push(part);
	}
	return `/${parts.join('/')}`;
};
