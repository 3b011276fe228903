import type { Expanders } from '../../core/expand.ts';
import { UnsupportedError } from '../../errors.ts';
import type { DriverFacts, KernelFacts } from '../facts.ts';
import type { InitramfsBudget } from '../initramfs/budget.ts';
import type { Attempt, Breathe } from '../system.ts';
import type { FileTree, Found } from '../tree.ts';
import { type Kept, keptByCommandLine, keptBySettings } from './blacklist.ts';
import type { BootEntry, BootMenu } from './boot/entry.ts';
import { DISK_DRIVERS, kernelDrivers } from './drivers.ts';
import { modprobeLines } from './modprobe.ts';
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
	readonly initramfs: InitramfsBudget;
	readonly breathe: Breathe | undefined;
	/** Why /boot could not be read, where it could not. */
	readonly lackingBoot?: string | undefined;
};

/** The kernels of /lib/modules, the newest first, and the drivers of the one that boots by default. Only its initramfs is read. */
export const findKernels = async (context: KernelContext, menu: BootMenu | undefined): Promise<Kernels> => {
	const { tree, attempt, root } = context;
	const versions = (await tree.readdir('/lib/modules'))
		.filter((name) => /^\d/.test(name))
		.sort((a, b) => compareVersions(b, a))
		.slice(0, MOST);
	const chosen = menu?.chosen;
	const said = chosen && (await attempt(`${root}:${menu.file}`, 'which kernel boots', () => versionOf(tree, chosen, versions)));
	const standard = said ?? (chosen ? undefined : versions[0]);
	const kernels: KernelFacts[] = [];
	let found: Drivers | undefined;
	for (const version of versions) {
		const isDefault = version === standard;
		const entry = isDefault ? chosen : undefined;
		const image = entry ? await bootFile(tree, entry.kernel) : await firstFile(tree, imagePaths(version));
		const initramfs = await (entry ? saidInitramfs(tree, entry) : usualInitramfs(context, version));
		const commandLine = entry?.commandLine ?? '';
		if (isDefault) {
			found = await attempt(`${root}:/lib/modules/${version}`, 'kernel modules', () => driversOf(context, version, initramfs, commandLine));
		}
		kernels.push({
			version,
			default: isDefault,
			image: image?.path,
			initramfs: initramfs === 'none' ? undefined : initramfs.files.at(-1)?.path,
			drivers: isDefault ? found?.drivers : undefined,
		});
	}
	return { kernels, drivers: found?.drivers, lacking: found?.lacking ?? [], isGuessed: said === undefined || menu?.isGuessed === true };
};

type Drivers = { readonly drivers: DriverFacts; readonly lacking: readonly string[] };

const driversOf = async (context: KernelContext, version: string, initramfs: Initramfs, commandLine: string): Promise<Drivers> => {
	const { tree, root, attempt } = context;
	const folder = `/lib/modules/${version}`;
	const installed = await installedModules(tree, folder);
	if (!installed) throw new UnsupportedError('there is no modules.dep, and so no telling which drivers there are');
	const builtIn = await builtInModules(tree, folder, version);
	const disk = new Set(Object.values(DISK_DRIVERS).flat(2));
	const settings = (
		(await attempt(`${root}:/etc/modprobe.d`, 'what keeps modules from loading', async () => keptBySettings(await modprobeLines(tree)))) ??
		[]
	).filter(({ module }) => installed.has(module) && !builtIn.has(module));
	const wanted = new Set<string>();
	for (const name of disk) {
		const needed = installed.get(name);
		if (needed) for (const one of [name, ...needed]) if (!builtIn.has(one)) wanted.add(one);
	}
	for (const { module, file } of settings) if (wanted.has(module)) wanted.add(file);
	const early =
		initramfs === 'none'
			? initramfs
			: await attempt(`${root}:${initramfs.files.at(-1)?.path ?? '/boot'}`, 'modules of the initramfs', async () => {
					if (initramfs.lacking !== undefined) throw new UnsupportedError(initramfs.lacking);
					return earlyModules(initramfs.files, wanted, context);
				});
	const isEarly = (file: string): boolean => typeof early === 'object' && early.has(file);
	const kept: readonly Kept[] = [
		...keptByCommandLine(commandLine),
		...settings.map(({ file, ...one }) => ({ ...one, early: isEarly(file), late: true })),
	];
	return {
		drivers: kernelDrivers({ builtIn, installed, early, kept }),
		lacking: ['udf', 'vfat'].filter((name) => !builtIn.has(name) && !installed.has(name)),
	};
};

/** Which of the kernels a boot entry starts. @throws UnsupportedError if that is not to be known. */
const versionOf = async (tree: FileTree, entry: BootEntry, versions: readonly string[]): Promise<string> => {
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
	// Alpine names it by the flavour that ends its version: `vmlinuz-lts`.
	const flavour = /^vmlinuz(-.+)$/.exec(name)?.[1];
	const flavoured = versions.filter((version) => flavour !== undefined && version.endsWith(flavour));
	const [only, ...others] = flavoured.length > 0 ? flavoured : versions;
	const found = versions.find((version) => target.endsWith(`-${version}`)) ?? (others.length === 0 ? only : undefined);
	if (found === undefined)
		throw new UnsupportedError(`${entry.kernel} boots, and which of ${versions.length} folders has its modules is not to be seen`);
	return found;
};

const imagePaths = (version: string): readonly string[] =>
	['vmlinuz', 'vmlinux', 'Image', 'bzImage'].map((name) => `/boot/${name}-${version}`);

const initramfsPaths = (version: string): readonly string[] =>
	[`initrd.img-${version}`, `initramfs-${version}.img`, `initrd-${version}`, `initrd-${version}.img`, `initramfs-${version}`].map(
		(name) => `/boot/${name}`,
	);

/** What a kernel boots with: `none` only where a boot menu says so. `lacking`: why it is not known what that holds. */
type Initramfs = { readonly files: readonly Found[]; readonly lacking?: string | undefined } | 'none';

/** More files that a boot entry loads as its initramfs are not looked into: microcode, the initramfs and what is laid over it are a few. */
const MOST_INITRAMFS = 16;

const saidInitramfs = async (tree: FileTree, entry: BootEntry): Promise<Initramfs> => {
	if (entry.initramfs.length === 0) return 'none';
	const paths = new Set(entry.initramfs);
	if (paths.size > MOST_INITRAMFS)
		return { files: [], lacking: `the boot menu names ${paths.size} files, and no more than ${MOST_INITRAMFS} are read` };
	const files: Found[] = [];
	let lacking: string | undefined;
	for (const path of paths) {
		const file = await bootFile(tree, path);
		if (file) files.push(file);
		else lacking ??= `${path}, which the boot menu names, is not there`;
	}
	return { files, lacking };
};

const usualInitramfs = async ({ tree, lackingBoot }: KernelContext, version: string): Promise<Initramfs> => {
	const file = await firstFile(tree, initramfsPaths(version));
	const has = lackingBoot ?? `/boot has no initramfs of ${version}`;
	return file ? { files: [file] } : { files: [], lacking: `no boot menu was read, and ${has}` };
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
