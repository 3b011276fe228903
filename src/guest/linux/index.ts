import { portableExpanders } from '../../engine/expand.ts';
import type { BootloaderFacts, MountFacts, NetworkFacts } from '../facts.ts';
import { initramfsBudget } from '../initramfs/budget.ts';
import { mountGuest } from '../mounts.ts';
import type { GuestContext, SystemReader } from '../system.ts';
import { type FileTree, fileTree } from '../tree.ts';
import { readSystemdBoot } from './boot/bls.ts';
import type { BootMenu } from './boot/entry.ts';
import { readExtlinux } from './boot/extlinux.ts';
import { readEntriesAlone, readGrub } from './boot/grub.ts';
import { readGrubLegacy } from './boot/grub-legacy.ts';
import { readFstab } from './fstab.ts';
import { findKernels } from './kernels.ts';
import { linuxMarks } from './marks.ts';
import { readIfcfg } from './network/ifcfg.ts';
import { readInterfaces } from './network/interfaces.ts';
import { readKeyfiles } from './network/keyfiles.ts';
import { readNetplan } from './network/netplan.ts';
import { readNetworkd } from './network/networkd.ts';
import { readPersistentNames } from './network/udev.ts';
import { architecture, hostname, release } from './release.ts';
import { commandLineWithoutSecrets } from './secrets.ts';
import { initramfsTool, linuxSoftware, selinuxMode } from './software.ts';

const MENUS = [readGrub, readSystemdBoot, readGrubLegacy, readExtlinux, readEntriesAlone];

const NETWORKS: readonly ((tree: FileTree, context: GuestContext, id: string) => Promise<readonly NetworkFacts[]>)[] = [
	readInterfaces,
	readIfcfg,
	readKeyfiles,
	readNetplan,
	readNetworkd,
	readPersistentNames,
];

/** Linux of any distribution, by the files that all of them have. Nothing of it is run, and no database of packages is read. */
export const linuxReader: SystemReader = async (root, context) => {
	const { attempt } = context;
	const { id } = root.facts;
	const alone = fileTree(root.fileSystem);
	if (!(await isLinuxRoot(alone))) return undefined;
	const entries = await attempt(`${id}:/etc/fstab`, 'mounts', () => readFstab(alone));
	const { tree, mounts, mountpoints } = mountGuest(root, entries ?? [], context);
	const fact = <Result>(where: string, what: string, read: () => Promise<Result>) => attempt(`${id}:${where}`, what, read);

	const named = await fact('/etc', 'the distribution', () => release(tree));
	const menu = await bootMenu(tree, id, context);
	const commandLine = commandLineWithoutSecrets(menu?.chosen?.commandLine ?? '');
	const found = await fact('/lib/modules', 'kernels', () =>
		findKernels(
			{
				tree,
				root: id,
				attempt,
				expanders: context.expanders ?? portableExpanders,
				initramfs: context.initramfs ?? initramfsBudget(),
				breathe: context.breathe,
				lackingBoot: lackingBoot(mounts, context),
			},
			menu,
		),
	);
	const marks = await fact('/etc', 'settings that matter to a move', () =>
		linuxMarks(tree, mounts, context, commandLine, menu?.file ?? ''),
	);
	const network: NetworkFacts[] = [];
	for (const read of NETWORKS)
		for (const one of (await fact('/etc', 'network settings', () => read(tree, context, id))) ?? []) network.push(one);
	const bootloader: BootloaderFacts | undefined = menu && { kind: menu.kind, file: menu.file, commandLine: commandLine || undefined };
	return {
		os: {
			family: 'linux',
			name: 'Linux',
			...named,
			arch: await fact('/bin', 'the architecture', () => architecture(tree)),
			hostname: await fact('/etc', 'the host name', () => hostname(tree)),
			root: id,
			kernels: found?.kernels,
			bootloader,
			initramfsTool: await fact('/usr', 'what makes the initramfs', () => initramfsTool(tree)),
			selinux: await fact('/etc/selinux/config', 'SELinux', () => selinuxMode(tree)),
			mounts,
			marks: [
				...(marks ?? []),
				...(found?.lacking ?? []).map((name) => ({ code: 'filesystem-absent', evidence: `${name} is not there`, where: '/lib/modules' })),
				...(found?.isGuessed && found.drivers
					? [{ code: 'default-kernel-guessed', evidence: 'no boot menu says which kernel boots: the newest', where: '/lib/modules' }]
					: []),
			],
		},
		drivers: found?.drivers,
		network,
		software: await fact('/usr', 'tools', () => linuxSoftware(tree)),
		mountpoints,
	};
};

const lackingBoot = (mounts: readonly MountFacts[], { open, volumes }: GuestContext): string | undefined => {
	const mount = mounts.find(({ mountpoint }) => mountpoint.replace(/\/+$/, '') === '/boot');
	if (!mount || open.some(({ facts }) => facts.id === mount.volume)) return undefined;
	const volume = volumes.find(({ id }) => id === mount.volume);
	return `/boot is ${mount.device}, which ${volume ? `is ${volume.type} and was not read` : 'no disk given has'}`;
};

/** As libguestfs tells one: /etc, /bin and something in /etc that every Linux has. */
const isLinuxRoot = async (tree: FileTree): Promise<boolean> => {
	if (!(await tree.isDirectory('/etc'))) return false;
	if ((await tree.stat('/bin', { follow: false })) === undefined) return false;
	for (const path of ['/etc/os-release', '/etc/fstab', '/etc/hosts'])
		if ((await tree.stat(path, { follow: false })) !== undefined) return true;
	return false;
};

/** The first boot loader that is there with a menu; one that cannot be read does not hide the others. */
const bootMenu = async (tree: FileTree, id: string, { attempt }: GuestContext): Promise<BootMenu | undefined> => {
	for (const read of MENUS) {
		const menu = await attempt(`${id}:/boot`, 'the boot menu', () => read(tree));
		if (menu) return menu;
	}
	return undefined;
};
