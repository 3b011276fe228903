import type { Expanders } from '../../core/expand.ts';
import type { DriverFacts, KernelFacts } from '../facts.ts';
import type { Attempt, Breathe } from '../system.ts';
import type { FileTree, Found } from '../tree.ts';
import type { BootEntry, BootMenu } from './boot/entry.ts';
import { DISK_DRIVERS, kernelDrivers } from './drivers.ts';
import { builtInModules, earlyModules, installedModules } from './modules.ts';
import { compareVersions } from './text.ts';

/** More kernels than anybody keeps. */
const MOST = 64;

export type Kernels = {
	readonly kernels: readonly KernelFacts[];
	/** Of the default one. */
	readonly drivers: DriverFacts | undefined;
	/** File systems that the target's settings may come on, and that the default one does not have: `udf`, `vfat`. */
	readonly lacking: readonly string[];
	/** How the default one is known: the boot menu says it, or it is the newest. */
	readonly isGuessed: boolean;
};

/** What is asked of a guest, where it is and how it is to be read. */
export type KernelContext = {
	readonly tree: FileTree;
	readonly root: string;
	readonly attempt: Attempt;
	readonly expanders: Expanders;
	readonly breathe: Breathe | undefined;
};

/** The kernels of /lib/modules, the newest first, and the drivers of the one that boots by default. Only its initramfs is read. */
export const findKernels = async (context: KernelContext, menu: BootMenu | undefined): Promise<Kernels> => {
	const { tree, attempt, root } = context;
	const versions = (await tree.readdir('/lib/modules'))
		.filter((name) => /^\d/.test(name))
		.sort((a, b) => compareVersions(b, a))
		.slice(0, MOST);
	const said = menu?.chosen && (await versionOf(tree, menu.chosen, versions));
	const standard = said ?? (menu?.chosen ? undefined : versions[0]);
	const kernels: KernelFacts[] = [];
	let found: Drivers | undefined;
	for (const version of versions) {
		const isDefault = version === standard;
		const entry = isDefault ? menu?.chosen : undefined;
		const image = entry ? await bootFile(tree, entry.kernel) : await firstFile(tree, imagePaths(version));
		const initramfs = entry
			? await initramfsOf(tree, entry)
			: await firstFile(tree, initramfsPaths(version)).then((file) => (file ? [file] : []));
		if (isDefault) {
			const files = entry?.initramfs.length && initramfs.length < entry.initramfs.length ? undefined : initramfs;
			found = await attempt(`${root}:/lib/modules/${version}`, 'kernel modules', () => driversOf(context, version, files));
		}
		kernels.push({
			version,
			default: isDefault,
			image: image?.path,
			initramfs: initramfs.at(-1)?.path,
			drivers: isDefault ? found?.drivers : undefined,
		});
	}
	return { kernels, drivers: found?.drivers, lacking: found?.lacking ?? [], isGuessed: said === undefined };
};

type Drivers = { readonly drivers: DriverFacts; readonly lacking: readonly string[] };

/** @param initramfs none for a kernel that boots without; undefined where one is said and not there. */
const driversOf = async (
	{ tree, root, attempt, expanders, breathe }: KernelContext,
	version: string,
	initramfs: readonly Found[] | undefined,
): Promise<Drivers | undefined> => {
	const folder = `/lib/modules/${version}`;
	const installed = await installedModules(tree, folder);
	if (!installed) return undefined;
	const builtIn = await builtInModules(tree, folder, version);
	const disk = new Set(Object.values(DISK_DRIVERS).flat(2));
	const wanted = new Set<string>();
	for (const name of disk) {
		const needed = installed.get(name);
		if (needed) for (const one of [name, ...needed]) if (!builtIn.has(one)) wanted.add(one);
	}
	const early =
		initramfs === undefined
			? undefined
			: initramfs.length === 0
				? ('none' as const)
				: await attempt(`${root}:${initramfs.at(-1)?.path}`, 'modules of the initramfs', () =>
						earlyModules(initramfs, wanted, expanders, breathe),
					);
	return {
		drivers: kernelDrivers({ builtIn, installed, early }),
		lacking: ['udf', 'vfat'].filter((name) => !builtIn.has(name) && !installed.has(name)),
	};
};

/** Which of the kernels a boot entry starts; undefined if that is not to be known. */
const versionOf = async (tree: FileTree, entry: BootEntry, versions: readonly string[]): Promise<string | undefined> => {
	if (entry.version !== undefined && versions.includes(entry.version)) return entry.version;
	const name = entry.kernel.slice(entry.kernel.lastIndexOf('/') + 1);
	const named = versions.find((version) => name === version || name.endsWith(`-${version}`) || entry.kernel.includes(`/${version}/`));
	if (named !== undefined) return named;
	// Arch and its kin name the image by the package, which the folder of its modules says; links such as /vmlinuz lead to a version.
	for (const version of versions) {
		const base = (await tree.readText(`/lib/modules/${version}/pkgbase`))?.trim();
		if (base && name === `vmlinuz-${base}`) return version;
	}
	const target = (await bootFile(tree, entry.kernel))?.path ?? '';
	return versions.find((version) => target.endsWith(`-${version}`)) ?? (versions.length === 1 ? versions[0] : undefined);
};

const imagePaths = (version: string): readonly string[] =>
	['vmlinuz', 'vmlinux', 'Image', 'bzImage'].map((name) => `/boot/${name}-${version}`);

const initramfsPaths = (version: string): readonly string[] =>
	[`initrd.img-${version}`, `initramfs-${version}.img`, `initrd-${version}`, `initrd-${version}.img`, `initramfs-${version}`].map(
		(name) => `/boot/${name}`,
	);

const initramfsOf = async (tree: FileTree, entry: BootEntry): Promise<readonly Found[]> => {
	const files: Found[] = [];
	for (const path of entry.initramfs) {
		const file = await bootFile(tree, path);
		if (file) files.push(file);
	}
	return files;
};

/** A path of a boot loader: from the root of the volume that has /boot, of the root, or of the ESP. */
const bootFile = (tree: FileTree, path: string): Promise<Found | undefined> =>
	firstFile(
		tree,
		['', '/boot', '/efi', '/boot/efi'].map((prefix) => `${prefix}/${path.replace(/^\/?@(?=\/)/, '')}`),
	);

const firstFile = async (tree: FileTree, paths: readonly string[]): Promise<Found | undefined> => {
	for (const path of paths) {
		const found = await tree.stat(path);
		if (found?.node.kind === 'file') return found;
	}
	return undefined;
};
