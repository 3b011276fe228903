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
