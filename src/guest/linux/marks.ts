import type { Mark, MountFacts, VolumeFacts } from '../facts.ts';
import { volumeNamed } from '../mounts.ts';
import type { GuestContext } from '../system.ts';
import type { FileTree } from '../tree.ts';
import { isOptional, namedByHardware } from './fstab.ts';
import { modprobeLines } from './modprobe.ts';
import { configLines } from './text.ts';

/**
 * What of a guest's settings matters to a move. Codes: `device-name`, `device-by-path`, `device-by-id` (fstab), `volume-missing`,
 * `volume-hidden` (it may be within a volume that was not read), `root-device-name`, `root-missing`, `resume-device`, `net-ifnames-off`, `lvm-devices-file`, `lvm-filter`, `udev-persistent-net`, `crypttab`,
 * `azure-agent`, `machine-id`, `resolv-conf-immutable`, `filesystem-blocked`, `grub-device-map`. Those of mounts that the guest can do without end in `-optional`.
 */
export const linuxMarks = async (
	tree: FileTree,
	mounts: readonly MountFacts[],
	context: Pick<GuestContext, 'disks' | 'volumes'>,
	commandLine: string,
	loader: string,
): Promise<readonly Mark[]> => {
	const isHidden = context.volumes.some(isClosed);
	return [
		...mounts.flatMap((mount) => mountMarks(mount, isHidden ? 'volume-hidden' : 'volume-missing')),
		...commandLineMarks(commandLine, loader),
		...(isHidden ? [] : missingRoot(commandLine, loader, context)),
		...(await fileMarks(tree)),
	];
};

/** Whether there may be volumes within this one that are not seen. */
const isClosed = ({ encrypted, unsupported, type }: VolumeFacts): boolean =>
	encrypted === true || (unsupported !== undefined && CLOSED.has(type));

/** `unknown` is an array, or a logical volume, that is not put together. */
const CLOSED = new Set(['unknown', 'ldm', 'storage-spaces', 'bcache', 'zfs_member', 'stratis', 'vdo', 'drbd']);

/** Devices that are put in, or made at every start. */
const PASSING = /^\/dev\/(cdrom|dvd|sr\d|scd\d|fd\d|usbdisk|loop|zram|ram\d|shm|root$)/;

const mountMarks = (mount: MountFacts, absent: string): readonly Mark[] => {
	const mark = (code: string): Mark => ({
		code: isOptional(mount) ? `${code}-optional` : code,
		evidence: `${mount.device} on ${mount.mountpoint}`,
		where: mount.where,
	});
	const naming = namedByHardware(mount.device);
	if (naming) return [mark(naming)]; // which disk that was is not to be seen from here
	const isLocal = /^((PART)?(UUID|LABEL)=|\/dev\/)/i.test(mount.device) && !PASSING.test(mount.device);
	return isLocal && mount.volume === undefined ? [mark(absent)] : [];
};

const commandLineMarks = (commandLine: string, where: string): readonly Mark[] => {
	const marks: Mark[] = [];
	for (const word of commandLine.split(/\s+/)) {
		const [, key, value = ''] = /^([\w.]+)=(.*)$/.exec(word) ?? [];
		if (key === 'root' && namedByHardware(value)) marks.push({ code: 'root-device-name', evidence: word, where });
		if (key === 'resume') marks.push({ code: 'resume-device', evidence: word, where });
		if (word === 'net.ifnames=0') marks.push({ code: 'net-ifnames-off', evidence: word, where });
	}
	return marks;
};

/** How a root is named by what is on a disk; one that is so far behind another partition is not looked for. */
const TAGGED = /^((PART)?(UUID|LABEL)=|\/dev\/disk\/by-(part)?(uuid|label)\/)(?!.*\/PARTNROFF=)/i;

const missingRoot = (commandLine: string, where: string, context: Pick<GuestContext, 'disks' | 'volumes'>): readonly Mark[] => {
	const word = commandLine.split(/\s+/).findLast((candidate) => candidate.startsWith('root='));
	const root = word?.slice('root='.length) ?? '';
	return word && TAGGED.test(root) && volumeNamed(root, context) === undefined ? [{ code: 'root-missing', evidence: word, where }] : [];
};

const fileMarks = async (tree: FileTree): Promise<readonly Mark[]> => {
	const marks: Mark[] = [];
	const devices = '/etc/lvm/devices/system.devices';
	for (const [line, number] of configLines((await tree.readText(devices)) ?? '')) {
		if (/\bIDTYPE=/.test(line))
			marks.push({ code: 'lvm-devices-file', evidence: /\bIDTYPE=\S+/.exec(line)?.[0] ?? '', where: `${devices}:${number}` });
	}
	for (const map of ['/boot/grub/device.map', '/boot/grub2/device.map']) {
		for (const [line, number] of configLines((await tree.readText(map)) ?? '')) {
			const device = /^\(hd\d+\)\s+(\S+)$/.exec(line)?.[1];
			if (device && namedByHardware(device)) marks.push({ code: 'grub-device-map', evidence: line, where: `${map}:${number}` });
		}
	}
	const lvm = '/etc/lvm/lvm.conf';
	for (const [line, number] of configLines((await tree.readText(lvm)) ?? '')) {
		// One on a single line that does not turn all others away takes any disk.
		const isOpen = line.endsWith(']') && !/"r(.)\^?(\/dev\/)?\.\*\$?\1"/.test(line);
		if (/^(global_)?filter\s*=/.test(line) && !isOpen) marks.push({ code: 'lvm-filter', evidence: line, where: `${lvm}:${number}` });
	}
	for (const [line, number] of configLines((await tree.readText('/etc/crypttab')) ?? '')) {
		const [name, device] = line.split(/\s+/);
		marks.push({ code: 'crypttab', evidence: `${name} is on ${device}`, where: `/etc/crypttab:${number}` });
	}
	const rules = '/etc/udev/rules.d';
	for (const name of await tree.readdir(rules)) {
		if (!/persistent-net\.rules$/.test(name)) continue;
		const lines = configLines((await tree.readText(`${rules}/${name}`)) ?? '');
		if (lines.some(([line]) => /\bNAME="/.test(line)))
			marks.push({
				code: 'udev-persistent-net',
				evidence: 'network interfaces are named by their MAC addresses',
				where: `${rules}/${name}`,
			});
	}
	for (const path of ['/usr/sbin/waagent', '/usr/bin/waagent']) {
		if (await tree.isFile(path)) marks.push({ code: 'azure-agent', evidence: 'the agent of Azure is installed', where: path });
	}
	const resolver = '/etc/resolv.conf';
	if ((await tree.stat(resolver, { follow: false }))?.node.immutable)
		marks.push({ code: 'resolv-conf-immutable', evidence: 'it may not be changed', where: resolver });
	for (const { line, path, number } of await modprobeLines(tree)) {
		if (/^(blacklist\s+(udf|vfat)|install\s+(udf|vfat)\s+\S*\/(true|false))$/.test(line))
			marks.push({ code: 'filesystem-blocked', evidence: line, where: `${path}:${number}` });
	}
	const id = (await tree.readText('/etc/machine-id'))?.trim();
	if (id && /^[0-9a-f]{32}$/.test(id))
		marks.push({ code: 'machine-id', evidence: 'the machine has an id of its own', where: '/etc/machine-id' });
	return marks;
};
