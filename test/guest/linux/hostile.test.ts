import { expect, test } from 'vitest';
import { effort } from '../../helpers/effort.ts';
import { DEBIAN, grub, initramfs, readLinux } from './make.ts';

const MODULES = 'lib/modules/6.1.0-50-amd64';

/** As much text as is read of a file, of one line again and again. */
const lines = (line: string, size = 500 << 10): string => line.repeat(Math.floor(size / line.length));

test.for([
	['etc/fstab', 'mounts', lines('a b\n')],
	['etc/os-release', 'the distribution', lines('A=b\n')],
	['etc/crypttab', 'settings that matter to a move', lines('a b\n')],
	['boot/grub/grub.cfg', 'the boot menu', lines('submenu a {\n')],
	['etc/network/interfaces', 'network settings', lines('iface a inet dhcp\n')],
	['etc/network/interfaces.d/a', 'network settings', lines('iface a inet dhcp\n')],
	['etc/netplan/a.yaml', 'network settings', lines('a: b\n', 2 << 20)],
	['etc/sysconfig/network/routes', 'network settings', lines('default a\n')],
	[`${MODULES}/modules.dep`, 'kernel modules', lines('a.ko:\n', 4 << 20)],
	[`${MODULES}/modules.builtin`, 'kernel modules', lines('a\n')],
] as const)('%s with more lines than anybody writes is not read, and all else is', async ([path, what, text]) => {
	const spent = effort();
	const { facts, incomplete } = await readLinux({ ...DEBIAN, [path]: text });
	expect(spent()).toBeLessThan(2000);
	expect(incomplete).toContainEqual({ where: expect.any(String), what, why: expect.stringMatching(/more than|at the most/) });
	expect(facts?.os.hostname).toBe('web01');
});

test.for([
	['addresses in a list', `network:\n  ethernets:\n    a:\n      addresses:\n${lines('        - 10.0.0.1/8\n', 65_000)}`],
	['keys that are all others', `network:\n  x:\n${Array.from({ length: 6000 }, (_, index) => `    k${index}:\n`).join('')}`],
	['commas', `network: [${lines('a,', 65_000)}]`],
] as const)('files of netplan full of %s cost no more than they are long', async ([, netplan]) => {
	const spent = effort();
	const { incomplete } = await readLinux({
		...DEBIAN,
		'etc/netplan/a.yaml': netplan,
		'etc/netplan/b.yaml': netplan,
		'etc/netplan/c.yaml': netplan,
	});
	expect(spent()).toBeLessThan(2000);
	expect(incomplete).toEqual([]);
});

test.for([
	['60,000 files', Array.from({ length: 60_000 }, (_, index) => `/x${index}`), 'unknown'],
	['the same 14,000 times', new Array<string>(14_000).fill('/boot/initrd.img-6.1.0-50-amd64'), 'installed'],
] as const)('a boot menu that names %s as the initramfs costs no more than a few', async ([, paths, state]) => {
	const menu = grub('6.1.0-50-amd64').replace(/initrd .*/, `initrd ${paths.join(' ')}`);
	const large = initramfs(...Array.from({ length: 2000 }, (_, index) => `m${index}`));
	const spent = effort();
	const { facts, incomplete } = await readLinux({
		...DEBIAN,
		'boot/grub/grub.cfg': menu,
		'boot/initrd.img-6.1.0-50-amd64': large,
	});
	expect(spent()).toBeLessThan(2000);
	expect(facts?.drivers?.disk['virtio-blk']?.state).toBe(state);
	if (state === 'unknown') expect(incomplete).toMatchObject([{ why: 'the boot menu names 60000 files, and no more than 16 are read' }]);
});
