import type { OperatingSystem } from '../facts.ts';
import type { FileTree } from '../tree.ts';
import { assignments, configLines } from './text.ts';

type Release = Pick<OperatingSystem, 'distro' | 'name' | 'version'>;

/** Files of distributions before os-release, and whose they are. The first line is the name. */
const OLDER: readonly (readonly [path: string, distro: string])[] = [
	['/etc/oracle-release', 'ol'],
	['/etc/centos-release', 'centos'],
	['/etc/fedora-release', 'fedora'],
	['/etc/redhat-release', 'rhel'],
	['/etc/SuSE-release', 'suse'],
	['/etc/alpine-release', 'alpine'],
	['/etc/gentoo-release', 'gentoo'],
	['/etc/slackware-version', 'slackware'],
	['/etc/arch-release', 'arch'],
];

/** Which distribution it is: os-release, else lsb-release, else what its forerunners wrote. */
export const release = async (tree: FileTree): Promise<Release> => {
	for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
		const said = assignments((await tree.readText(path)) ?? '');
		const distro = said.get('ID');
		if (!distro) continue;
		return {
			distro,
			name: said.get('PRETTY_NAME') ?? said.get('NAME') ?? distro,
			version: await exactVersion(tree, distro, said.get('VERSION_ID')),
		};
	}
	const lsb = assignments((await tree.readText('/etc/lsb-release')) ?? '');
	const lsbDistro = lsb.get('DISTRIB_ID');
	if (lsbDistro) {
		return { distro: lsbDistro.toLowerCase(), name: lsb.get('DISTRIB_DESCRIPTION') ?? lsbDistro, version: lsb.get('DISTRIB_RELEASE') };
	}
	for (const [path, distro] of OLDER) {
		const line = await firstLine(tree, path);
		if (line === undefined) continue;
		const isRebuild = distro === 'rhel' ? /^(centos|scientific|rocky|almalinux|fedora)/i.exec(line)?.[1]?.toLowerCase() : undefined;
		const version = /\d[\w.]*/.exec(line)?.[0];
		return { distro: isRebuild ?? distro, name: distro === 'alpine' ? `Alpine Linux ${line}` : line || distro, version };
	}
	const debian = await firstLine(tree, '/etc/debian_version');
	if (debian) return { distro: 'debian', name: `Debian GNU/Linux ${debian}`, version: debian };
	return { name: 'Linux' };
};

/** What such files say is short. */
const firstLine = async (tree: FileTree, path: string): Promise<string | undefined> =>
	(await tree.readText(path))?.split('\n')[0]?.slice(0, 256).trim();

/** Debian's and CentOS' os-release have the major version alone; another file has all of it. */
const exactVersion = async (tree: FileTree, distro: string, said: string | undefined): Promise<string | undefined> => {
	if (said === undefined || said.includes('.')) return said;
	const path =
		distro === 'debian' ? '/etc/debian_version' : ['centos', 'rocky', 'almalinux'].includes(distro) ? '/etc/redhat-release' : undefined;
	const exact = path && /\d+(\.\d+)+/.exec((await firstLine(tree, path)) ?? '')?.[0];
	return exact?.startsWith(`${said}.`) ? exact : said;
};

/** `e_machine` of ELF, as uname says it. */
const MACHINES: Readonly<Record<number, string>> = {
	3: 'i686',
	21: 'ppc64le',
	22: 's390x',
	40: 'armv7l',
	62: 'x86_64',
	183: 'aarch64',
	243: 'riscv64',
};

/** The architecture of its programs. */
export const architecture = async (tree: FileTree): Promise<string | undefined> => {
	for (const path of ['/bin/sh', '/usr/bin/ls', '/bin/ls', '/sbin/init']) {
		const found = await tree.stat(path);
		if (found?.node.kind !== 'file' || found.node.size < 20) continue;
		const head = await found.fileSystem.read(found.node, 0, 20);
		const isElf = [0x7f, 0x45, 0x4c, 0x46].every((byte, index) => head[index] === byte);
		const isLittle = head[5] === 1;
		const machine = isLittle ? (head[18] ?? 0) | ((head[19] ?? 0) << 8) : (head[19] ?? 0) | ((head[18] ?? 0) << 8);
		if (isElf) return MACHINES[machine];
	}
	return undefined;
};

export const hostname = async (tree: FileTree): Promise<string | undefined> => {
	for (const path of ['/etc/hostname', '/etc/HOSTNAME']) {
		const [name] = configLines((await tree.readText(path)) ?? '')[0] ?? [];
		if (name) return name;
	}
	return assignments((await tree.readText('/etc/sysconfig/network')) ?? '').get('HOSTNAME') || undefined;
};
