import type { SoftwareFacts } from '../facts.ts';
import type { FileTree } from '../tree.ts';
import { assignments } from './text.ts';

type Found = { readonly paths: readonly string[]; readonly name: string };

const TOOLS: readonly (readonly [key: Exclude<keyof SoftwareFacts, 'antivirus' | 'cloudInit'>, ...Found[]])[] = [
	[
		'vmwareTools',
		{ name: 'open-vm-tools', paths: ['/usr/bin/vmtoolsd'] },
		{ name: 'VMware Tools', paths: ['/usr/sbin/vmtoolsd', '/usr/bin/vmware-uninstall-tools.pl', '/usr/lib/vmware-tools/sbin64/vmtoolsd'] },
	],
	[
		'hypervTools',
		{ name: 'hyperv-daemons', paths: ['/usr/sbin/hv_kvp_daemon', '/usr/sbin/hypervkvpd', '/usr/lib/hyper-v/bin/hv_kvp_daemon'] },
	],
	['virtualboxTools', { name: 'VirtualBox Guest Additions', paths: ['/usr/sbin/VBoxService', '/usr/bin/VBoxService'] }],
	['xenTools', { name: 'xe-guest-utilities', paths: ['/usr/sbin/xe-daemon', '/usr/sbin/xe-linux-distribution'] }],
	['qemuAgent', { name: 'qemu-guest-agent', paths: ['/usr/bin/qemu-ga', '/usr/sbin/qemu-ga'] }],
];

/** The tools of hypervisors in a guest, found by their programs. */
export const linuxSoftware = async (tree: FileTree): Promise<SoftwareFacts> => {
	const facts: { -readonly [Key in keyof SoftwareFacts]: SoftwareFacts[Key] } = {};
	for (const [key, ...found] of TOOLS) {
		const tool = await first(tree, found);
		if (tool) facts[key] = tool;
	}
	if (await tree.isFile('/usr/bin/cloud-init')) facts.cloudInit = await cloudInit(tree);
	return facts;
};

const first = async (tree: FileTree, found: readonly Found[]): Promise<string | undefined> => {
	for (const { name, paths } of found) for (const path of paths) if (await tree.isFile(path)) return name;
	return undefined;
};

/** Where it takes its data from, as far as it is told. */
const cloudInit = async (tree: FileTree): Promise<string> => {
	const folder = '/etc/cloud/cloud.cfg.d';
	const files = (await tree.readdir(folder))
		.filter((name) => name.endsWith('.cfg'))
		.sort()
		.slice(0, 64);
	let sources: string | undefined;
	for (const path of ['/etc/cloud/cloud.cfg', ...files.map((name) => `${folder}/${name}`)]) {
		sources = /^datasource_list:\s*\[([^\]\n]*)\]/m.exec((await tree.readText(path)) ?? '')?.[1]?.trim() ?? sources;
	}
	return sources === undefined ? 'cloud-init' : `cloud-init, data from ${sources}`;
};

const INITRAMFS_TOOLS: readonly Found[] = [
	{ name: 'dracut', paths: ['/usr/bin/dracut', '/usr/sbin/dracut', '/sbin/dracut'] },
	{ name: 'initramfs-tools', paths: ['/usr/sbin/update-initramfs'] },
	{ name: 'mkinitcpio', paths: ['/usr/bin/mkinitcpio'] },
	{ name: 'booster', paths: ['/usr/bin/booster'] },
	{ name: 'mkinitfs', paths: ['/sbin/mkinitfs', '/usr/bin/mkinitfs', '/usr/sbin/mkinitfs'] },
	{ name: 'mkinitrd', paths: ['/sbin/mkinitrd', '/usr/sbin/mkinitrd'] },
];

/** What makes the initramfs anew. */
export const initramfsTool = (tree: FileTree): Promise<string | undefined> => first(tree, INITRAMFS_TOOLS);

/** `enforcing`, `permissive` or `disabled`; undefined where there is no SELinux. */
export const selinuxMode = async (tree: FileTree): Promise<string | undefined> =>
	assignments((await tree.readText('/etc/selinux/config')) ?? '')
		.get('SELINUX')
		?.toLowerCase();
