import type { Expanders } from '../../core/expand.ts';
import { UnsupportedError } from '../../errors.ts';
import type { InitramfsBudget } from '../initramfs/budget.ts';
import { initramfsNames } from '../initramfs/names.ts';
import type { Breathe } from '../system.ts';
import type { FileTree, Found } from '../tree.ts';
import { ALL_DRIVERS, CONFIG_NAMES } from './drivers.ts';
import { assignments, configLines } from './text.ts';

/** `kernel/drivers/block/virtio_blk.ko.xz` is `virtio_blk`; undefined for what is no module. */
const moduleName = (path: string): string | undefined =>
	/(?:^|\/)([^/]+)\.ko(?:\.(?:gz|xz|zst|bz2))?$/.exec(path)?.[1]?.replaceAll('-', '_');

/** Of `modules.dep`, in bytes; those of distributions have half a million. */
const LARGEST_DEPENDENCIES = 4 << 20;

/** The modules of a kernel in a folder of /lib/modules, each with those that it needs: `modules.dep`. */
export const installedModules = async (tree: FileTree, folder: string): Promise<ReadonlyMap<string, readonly string[]> | undefined> => {
	const text = await tree.readText(`${folder}/modules.dep`, LARGEST_DEPENDENCIES);
	if (text === undefined) return undefined;
	const modules = new Map<string, readonly string[]>();
	for (const [line] of configLines(text)) {
		const colon = line.indexOf(':');
		const name = moduleName(line.slice(0, colon));
		if (colon < 0 || name === undefined) continue;
		const needed = line
			.slice(colon + 1)
			.split(' ')
			.map(moduleName);
		modules.set(
			name,
			needed.filter((other) => other !== undefined),
		);
	}
	return modules;
};

/** What is built into a kernel: `modules.builtin`; without one, what the configuration says of the drivers that matter. */
export const builtInModules = async (tree: FileTree, folder: string, version: string): Promise<ReadonlySet<string>> => {
	const list = await tree.readText(`${folder}/modules.builtin`);
	if (list !== undefined) {
		const names = configLines(list).map(([line]) => moduleName(line));
		return new Set(names.filter((name) => name !== undefined));
	}
	const config = assignments((await tree.readText(`/boot/config-${version}`)) ?? '');
	return new Set(ALL_DRIVERS.filter((name) => config.get(`CONFIG_${CONFIG_NAMES[name] ?? name.toUpperCase()}`) === 'y'));
};

/** Where dracut puts the most of an initramfs that it squashes. */
const IMAGE = /^(squash|squashfs|erofs)-root\.img$/;

type EarlyContext = { readonly expanders: Expanders; readonly initramfs: InitramfsBudget; readonly breathe: Breathe | undefined };

/** `etc/modprobe.d/local.conf` is `local.conf`: tools copy modprobe's settings into an initramfs. */
const settingsName = (path: string): string | undefined => /(?:^|\/)modprobe\.d\/([^/]+\.conf)$/.exec(path)?.[1];

/**
 * Which of the wanted modules, and of the files of modprobe.d, are in an initramfs. It is read up to the last of them, and no further.
 * @throws what `initramfsNames` throws, UnsupportedError if modules may be in a file system within that is not read.
 */
export const earlyModules = async (
	files: readonly Found[],
	wanted: ReadonlySet<string>,
	{ expanders, initramfs, breathe }: EarlyContext,
): Promise<ReadonlySet<string>> => {
	const found = new Set<string>();
	let image: string | undefined;
	for (const file of files) {
		for await (const path of initramfsNames(file, expanders, initramfs, breathe)) {
			const name = moduleName(path) ?? settingsName(path);
			if (name !== undefined && wanted.has(name)) found.add(name);
			if (found.size === wanted.size) return found;
			if (IMAGE.test(path)) image = path;
		}
	}
	if (image !== undefined) throw new UnsupportedError(`its modules are in ${image}, which vconv does not look into`);
	return found;
};
