import zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DiskBus, DriverFact } from '../../../src/guest/facts.ts';
import { effort } from '../../helpers/effort.ts';
import { cpio, DEBIAN, type Files, grub, initramfs, modulesDep, readLinux } from './make.ts';

const VERSION = '6.1.0-50-amd64';

const linuxWith = async (files: Files, without: readonly string[] = []) => {
	const all = Object.fromEntries(Object.entries({ ...DEBIAN, ...files }).filter(([path]) => !without.includes(path)));
	const { facts, incomplete } = await readLinux(all);
	return { ...(facts ?? expect.fail()), incomplete };
};

const driver = async (bus: DiskBus, files: Files, without?: readonly string[]): Promise<DriverFact | undefined> =>
	(await linuxWith(files, without)).drivers?.disk[bus];

describe('a Linux', () => {
	test('says which it is, how it boots and from what', async () => {
		const { facts, incomplete } = await readLinux(DEBIAN);
		expect(incomplete).toEqual([]);
		expect(facts?.os).toMatchObject({
			family: 'linux',
			distro: 'debian',
			name: 'Debian GNU/Linux 12 (bookworm)',
			version: '12.15',
			arch: 'x86_64',
			hostname: 'web01',
			root: 'disk0p1',
			initramfsTool: 'initramfs-tools',
			bootloader: { kind: 'grub2', file: '/boot/grub/grub.cfg', commandLine: 'root=UUID=0a ro quiet' },
			kernels: [{ version: VERSION, default: true, image: `/boot/vmlinuz-${VERSION}`, initramfs: `/boot/initrd.img-${VERSION}` }],
			mounts: [{ device: 'UUID=0a', mountpoint: '/', type: 'ext4', options: ['defaults'], volume: 'disk0p1', where: '/etc/fstab:2' }],
			marks: [],
		});
	});

	test('is none without what every Linux has', async () => {
		expect((await readLinux({ 'Windows/System32/cmd.exe': '' })).facts).toBeUndefined();
		expect((await readLinux({ 'etc/os-release': 'ID=debian', data: '' })).facts).toBeUndefined();
	});

	test.for([
		['CentOS 6', { 'etc/redhat-release': 'CentOS release 6.10 (Final)\n' }, { distro: 'centos', version: '6.10' }],
		['RHEL 5', { 'etc/redhat-release': 'Red Hat Enterprise Linux Server release 5.11 (Tikanga)\n' }, { distro: 'rhel', version: '5.11' }],
		['SLES 11', { 'etc/SuSE-release': 'SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\n' }, { distro: 'suse', version: '11' }],
		[
			'Ubuntu 8.04',
			{ 'etc/lsb-release': 'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=8.04\nDISTRIB_DESCRIPTION="Ubuntu 8.04"\n' },
			{ distro: 'ubuntu', version: '8.04' },
		],
		['Debian 4', { 'etc/debian_version': '4.0\n' }, { distro: 'debian', version: '4.0' }],
		['one that says nothing', { 'etc/debian_version': '' }, { name: 'Linux' }],
	] as const)('of before os-release says it too: %s', async ([, files, expected]) => {
		expect((await linuxWith(files, ['etc/os-release', ...('etc/debian_version' in files ? [] : ['etc/debian_version'])])).os).toMatchObject(
			expected,
		);
	});
});

describe('the drivers of a Linux', () => {
	test('are there to boot from in the initramfs with what they need', async () => {
		expect(await driver('virtio-blk', {})).toEqual({
			state: 'boot',
			evidence: 'virtio_pci is in the initramfs, virtio_blk is in the initramfs',
		});
		expect(await driver('pvscsi', {})).toMatchObject({
			state: 'installed',
			evidence: expect.stringContaining('vmw_pvscsi is in /lib/modules and not in the initramfs'),
		});
		expect(await driver('nvme', {})).toEqual({ state: 'absent', evidence: 'nvme is not there' });
		const lacking = { [`boot/initrd.img-${VERSION}`]: initramfs('virtio_blk', 'virtio_pci') };
		expect(await driver('virtio-blk', lacking)).toMatchObject({
			state: 'installed',
			evidence: expect.stringContaining('without virtio, which it needs'),
		});
	});

	// drivers/ata/ata_generic.c: ata_generic_init_one() takes a controller of Intel with all_generic_ide, or for Intel's IDE redirection.
	test('of the IDE controller of old PCs are none that leave it alone', async () => {
		const dep = { [`lib/modules/${VERSION}/modules.dep`]: modulesDep('ata_generic', 'ata_piix', 'sd_mod') };
		const early = (...modules: readonly string[]) => ({ ...dep, [`boot/initrd.img-${VERSION}`]: initramfs(...modules) });
		expect(await driver('ide', early('ata_piix', 'sd_mod'))).toMatchObject({ state: 'boot' });
		expect(await driver('ide', early('ata_generic', 'sd_mod'))).toMatchObject({
			state: 'installed',
			evidence: expect.stringContaining('ata_piix is in /lib/modules and not in the initramfs'),
		});
	});

	// What needs what is from the modules.dep of Debian 12.
	test('of NVMe that comes by VMBus are more than those of NVMe', async () => {
		const azure = ['hv_vmbus', 'pci-hyperv-intf', 'pci-hyperv', 'nvme-core', 'nvme'] as const;
		const dep = {
			[`lib/modules/${VERSION}/modules.dep`]: modulesDep(
				'hv_vmbus',
				'pci-hyperv: pci-hyperv-intf hv_vmbus',
				'pci-hyperv-intf',
				'nvme: nvme-core',
				'nvme-core',
			),
		};
		const early = (...modules: readonly string[]) => ({ ...dep, [`boot/initrd.img-${VERSION}`]: initramfs(...modules) });
		expect(await driver('hyperv-nvme', early(...azure))).toMatchObject({ state: 'boot' });
		expect(await driver('nvme', early('nvme-core', 'nvme'))).toMatchObject({ state: 'boot' });
		expect(await driver('hyperv-nvme', early('nvme-core', 'nvme'))).toMatchObject({
			state: 'installed',
			evidence: expect.stringContaining('pci_hyperv is in /lib/modules and not in the initramfs'),
		});
	});

	// kernel-parameters.txt, modprobe(8), dracut.cmdline(7) and initramfs-tools(7) have these words.
	test.for([
		['modprobe.blacklist=virtio_blk', 'virtio-blk', 'disabled'],
		['modprobe.blacklist=floppy,virtio-blk', 'virtio-blk', 'disabled'],
		['module_blacklist=virtio_blk', 'virtio-blk', 'disabled'],
		['rd.driver.blacklist=floppy rd.driver.blacklist=virtio_blk', 'virtio-blk', 'disabled'],
		['rdblacklist=virtio_blk', 'virtio-blk', 'disabled'],
		['blacklist=virtio_blk', 'virtio-blk', 'disabled'],
		// A module that another needs is loaded with it, but where the kernel refuses it.
		['modprobe.blacklist=virtio', 'virtio-blk', 'boot'],
		['module_blacklist=virtio', 'virtio-blk', 'disabled'],
		['modprobe.blacklist=virtio_scsi', 'virtio-blk', 'boot'],
		['modprobe.blacklist=virtio_scsi', 'virtio-scsi', 'disabled'],
		['xmodprobe.blacklist=virtio_blk', 'virtio-blk', 'boot'],
	] as const)('do not load if the command line says so: %s, %s', async ([words, bus, state]) => {
		const files = { 'boot/grub/grub.cfg': grub(VERSION).replace(' quiet', ` ${words} quiet`) };
		const found = await driver(bus, files);
		expect(found?.state).toBe(state);
		expect(found?.evidence.includes(words.split(' ').at(-1)?.replace('floppy,', '') ?? '')).toBe(state === 'disabled');
	});

	// modprobe.d(5); initramfs-tools and dracut copy these files into what they make.
	test.for([
		['blacklist virtio_blk', true, 'disabled', 'installed'],
		['blacklist virtio-blk', true, 'disabled', 'installed'],
		['install virtio_blk /bin/false', true, 'disabled', 'installed'],
		['blacklist virtio', true, 'boot', 'installed'],
		['install virtio /usr/bin/true', true, 'disabled', 'disabled'],
		['# blacklist virtio_blk', true, 'boot', 'installed'],
		['install virtio_blk /sbin/modprobe --ignore-install virtio_blk', true, 'boot', 'installed'],
		['options virtio_blk queue_depth=64', true, 'boot', 'installed'],
		// Not while the guest starts, if the initramfs is without the file.
		['install virtio_blk /bin/false', false, 'boot', 'installed'],
		['blacklist virtio_net', false, 'boot', 'disabled'],
	] as const)("do not load if modprobe's settings say so: %s, in the initramfs %s", async ([line, isCopied, disk, card]) => {
		const copied = cpio('init', ...(isCopied ? ['etc/modprobe.d', 'etc/modprobe.d/local.conf'] : []));
		const files = {
			'etc/modprobe.d/local.conf': `${line}\n`,
			'lib/modprobe.d/local.conf': 'blacklist sd_mod\n', // the one of /etc is in its place
			[`boot/initrd.img-${VERSION}`]: Buffer.concat([
				initramfs('virtio_blk', 'virtio_pci', 'virtio', 'sd_mod', 'virtio_scsi'),
				zlib.gzipSync(copied),
			]),
		};
		const { drivers } = await linuxWith(files);
		expect(drivers?.disk['virtio-blk']?.state).toBe(disk);
		expect(drivers?.disk['virtio-scsi']?.evidence).not.toContain('blacklist sd_mod');
		expect(drivers?.network.virtio?.state).toBe(card);
		if (disk === 'disabled') expect(drivers?.disk['virtio-blk']?.evidence).toContain(`"${line}" in /etc/modprobe.d/local.conf`);
	});

	test('of network cards load later, and those that are built in load always', async () => {
		const grubWith = (words: string) => ({ 'boot/grub/grub.cfg': grub(VERSION).replace(' quiet', ` ${words} quiet`) });
		const card = async (words: string) => (await linuxWith(grubWith(words))).drivers?.network;
		expect(await card('module_blacklist=virtio_net,e1000')).toMatchObject({ virtio: { state: 'disabled' }, e1000: { state: 'boot' } });
		expect(await card('rd.driver.blacklist=virtio_net')).toMatchObject({ virtio: { state: 'installed' } });
	});

	test('are there if they are built in, by the list or by the configuration', async () => {
		const listed = { [`lib/modules/${VERSION}/modules.builtin`]: 'kernel/drivers/nvme/host/nvme.ko\n' };
		expect(await driver('nvme', listed)).toEqual({ state: 'boot', evidence: 'nvme is built in' });
		const unlisted = [`lib/modules/${VERSION}/modules.builtin`];
		expect(await driver('nvme', { [`boot/config-${VERSION}`]: 'CONFIG_BLK_DEV_NVME=y\n' }, unlisted)).toMatchObject({ state: 'boot' });
		expect(await driver('nvme', { [`boot/config-${VERSION}`]: 'CONFIG_BLK_DEV_NVME=m\n' }, unlisted)).toMatchObject({ state: 'absent' });
	});

	test('are not known where the initramfs is not read, and the report says why', async () => {
		const { drivers, incomplete } = await linuxWith({ [`boot/initrd.img-${VERSION}`]: Buffer.from('BZh91AY&SY') });
		expect(drivers?.disk['virtio-blk']?.state).toBe('unknown');
		expect(drivers?.disk.nvme?.state).toBe('absent');
		expect(drivers?.network).toMatchObject({ e1000: { state: 'boot' }, virtio: { state: 'installed' }, vmxnet3: { state: 'absent' } });
		expect(incomplete).toMatchObject([{ where: `disk0p1:/boot/initrd.img-${VERSION}`, why: expect.stringContaining('bzip2') }]);
	});

	test.for([
		['one that the boot menu names is not there', {}, [`boot/initrd.img-${VERSION}`], 'which the boot menu names, is not there'],
		[
			'microcode that the boot menu names is not there',
			{ 'boot/grub/grub.cfg': grub(VERSION).replace('initrd /boot/', 'initrd /boot/ucode.img /boot/') },
			[],
			'/boot/ucode.img, which the boot menu names',
		],
		[
			'there is nothing in /boot, which may be on a disk that was not read',
			{},
			['boot/grub/grub.cfg', `boot/vmlinuz-${VERSION}`, `boot/initrd.img-${VERSION}`],
			'no boot menu was read, and /boot has no initramfs',
		],
		['dracut has squashed it', { [`boot/initrd.img-${VERSION}`]: cpio('init', 'squash-root.img') }, [], 'in squash-root.img'],
	] as const)('are not known where %s', async ([, files, without, why]) => {
		const { drivers, incomplete } = await linuxWith(files, without);
		expect(drivers?.disk['virtio-blk']?.state).toBe('unknown');
		expect(incomplete).toMatchObject([{ what: 'modules of the initramfs', why: expect.stringContaining(why) }]);
	});

	test('do not need what GRUB puts on the line by a variable that is mostly empty', async () => {
		const config = grub(VERSION).replace(`img-${VERSION}`, `img-${VERSION} $tuned_initrd`);
		expect(await driver('virtio-blk', { 'boot/grub/grub.cfg': config })).toMatchObject({ state: 'boot' });
	});

	test('do not come from an initramfs that is not used', async () => {
		const config = grub(VERSION).replace(/\tinitrd.*\n/, '');
		expect(await driver('virtio-blk', { 'boot/grub/grub.cfg': config })).toMatchObject({
			state: 'installed',
			evidence: expect.stringContaining('no initramfs'),
		});
	});

	test('are found behind microcode in a file of its own', async () => {
		const config = grub(VERSION).replace('initrd /boot/', 'initrd /boot/intel-ucode.img /boot/');
		const files = { 'boot/grub/grub.cfg': config, 'boot/intel-ucode.img': cpio('kernel/x86/microcode/GenuineIntel.bin') };
		expect(await driver('virtio-blk', files)).toMatchObject({ state: 'boot' });
	});
});

describe('the kernel that boots by default', () => {
	const other = (version: string): Files => ({
		[`lib/modules/${version}/modules.dep`]: modulesDep('nvme', 'udf', 'vfat'),
		[`boot/vmlinuz-${version}`]: '',
		[`boot/initrd.img-${version}`]: cpio('init'),
	});
	const standard = async (files: Files, without?: readonly string[]) => {
		const { os } = await linuxWith({ ...other('6.10.1-amd64'), ...files }, without);
		return {
			version: os.kernels?.find((kernel) => kernel.default)?.version,
			marks: os.marks?.map(({ code }) => code),
			kind: os.bootloader?.kind,
		};
	};
	const two = `${grub('6.10.1-amd64').replace("'simple'", "'newest'")}submenu 'More' $menuentry_id_option 'more' {\n${grub(VERSION).replace('set default="0"\n', '')}}\n`;

	const variable = (name: string): string => `\${${name}}`;

	test.for([
		['the first entry', 'set default="0"', undefined, '6.10.1-amd64'],
		['an entry of a submenu, by numbers', 'set default="1>0"', undefined, VERSION],
		['an entry of a submenu, by ids', 'set default="more>simple"', undefined, VERSION],
		['an entry of a submenu, by numbers that were saved', `set default="${variable('saved_entry')}"`, 'saved_entry=1>0', VERSION],
		['an entry by its title', 'set default="More>Debian"', undefined, VERSION],
		['the one that was saved', `set default="${variable('saved_entry')}"`, 'saved_entry=more>simple', VERSION],
		['the first, where none was saved', `set default="${variable('saved_entry')}"`, undefined, '6.10.1-amd64'],
		['not the one for the next boot alone', `set default="0"\nset default="${variable('next_entry')}"`, 'next_entry=1>0', '6.10.1-amd64'],
		['the first, where what is said is not there', 'set default="gone"', undefined, '6.10.1-amd64'],
	] as const)("is GRUB's: %s", async ([, line, environment, expected]) => {
		const files = {
			'boot/grub/grub.cfg': two.replace('set default="0"', line),
			...(environment ? { 'boot/grub/grubenv': `# GRUB Environment Block\n${environment}\n` } : {}),
		};
		expect(await standard(files)).toEqual({ version: expected, marks: [], kind: 'grub2' });
	});

	test.for([
		["'John'\\''s Debian'", '"More>John\'s Debian"'],
		['Plain', '"More>Plain"'],
		['"a \\"b\\" c"', '\'More>a "b" c\''],
		['a\\ b', 'more\\>a\\ b'],
		['--class os --unrestricted late', '"More>late"'],
		["'x' --class=os --id=own", '"1>own"'],
	] as const)("is that of GRUB's titles, however they are quoted: %s", async ([title, value]) => {
		const config = two.replace("menuentry 'Debian' --class debian $menuentry_id_option 'simple'", `menuentry ${title}`);
		const files = { 'boot/grub/grub.cfg': config.replace('set default="0"', `default=${value}`) };
		expect(await standard(files)).toEqual({ version: VERSION, marks: [], kind: 'grub2' });
	});

	test('is read from paths in quotes, lines that go on, and options that GRUB sets itself', async () => {
		const config = `menuentry "Debian" {\n\tlinux "/boot/vmlinuz-${VERSION}" root=UUID=0a \\\n\t\tro\n\tinitrd '/boot/initrd.img-${VERSION}'\n}\n`;
		const { os, drivers } = await linuxWith({ 'boot/grub/grub.cfg': config });
		expect(os.bootloader?.commandLine).toBe('root=UUID=0a ro');
		expect(drivers?.disk['virtio-blk']?.state).toBe('boot');
		const bls = await linuxWith({
			'boot/grub/grub.cfg': 'if [ -z "$kernelopts" ]; then\n  set kernelopts="root=/dev/sda1 ro"\nfi\nblscfg\n',
			'boot/loader/entries/a.conf': `linux /boot/vmlinuz-${VERSION}\ninitrd /boot/initrd.img-${VERSION}\noptions $kernelopts\n`,
		});
		expect(bls.os.marks).toMatchObject([{ code: 'root-device-name', evidence: 'root=/dev/sda1' }]);
	});

	test.for([
		['Photon', '"/"', 'photon', '/photon.cfg'],
		['Photon 5', '/boot/', 'photon', '/boot/photon.cfg'],
		['Azure Linux', '$bootprefix/', 'mariner', '$bootprefix/mariner.cfg'],
	] as const)('is the one that variables name which GRUB loads: %s', async ([, folder, name, loaded]) => {
		const config = [
			`set bootprefix=/boot\nload_env -f ${loaded}`,
			`if [ -f /boot/systemd.cfg ]; then\n    load_env -f /boot/systemd.cfg\nelse\n    set systemd_cmdline=net.ifnames=0\nfi`,
			`set rootpartition=PARTUUID=none\nmenuentry "Photon" {\n    linux ${folder}$${name}_linux root=$rootpartition $${name}_cmdline $systemd_cmdline`,
			`    if [ -f ${folder}$${name}_initrd ]; then\n        initrd ${folder}$${name}_initrd\n    fi\n}\n`,
		];
		const { os, drivers } = await linuxWith({
			...other('6.10.1-amd64'),
			'boot/grub2/grub.cfg': config.join('\n'),
			[`boot/linux-${VERSION}.cfg`]: `# GRUB Environment Block\n${name}_cmdline=rw quiet\n${name}_linux=vmlinuz-${VERSION}\n${name}_initrd=initrd.img-${VERSION}\n`,
			[`boot/${name}.cfg`]: `-> linux-${VERSION}.cfg`,
		});
		expect(os.kernels?.find((kernel) => kernel.default)?.version).toBe(VERSION);
		expect(os.bootloader?.commandLine).toBe('root=PARTUUID=none rw quiet net.ifnames=0');
		expect(os.marks?.map(({ code }) => code)).toEqual(['net-ifnames-off', 'root-missing']);
		expect(drivers?.disk['virtio-blk']?.state).toBe('boot');
	});

	test('is one of the Boot Loader Specification, with the options that GRUB keeps for all', async () => {
		const entry = (version: string) =>
			`title A (${version})\nversion ${version}\nlinux /vmlinuz-${version}\ninitrd /initrd.img-${version} $tuned_initrd\noptions $kernelopts $tuned_params\n`;
		const { os } = await linuxWith({
			...other('6.10.1-amd64'),
			'boot/grub2/grub.cfg': `set default="${variable('saved_entry')}"\nblscfg\n`,
			'boot/grub2/grubenv': `saved_entry=aa-${VERSION}\nkernelopts=root=/dev/sda2 ro resume=/dev/sda3\n`,
			[`boot/loader/entries/aa-${VERSION}.conf`]: entry(VERSION),
			'boot/loader/entries/aa-6.10.1-amd64.conf': entry('6.10.1-amd64'),
		});
		expect(os.bootloader).toMatchObject({ kind: 'grub2', commandLine: 'root=/dev/sda2 ro resume=/dev/sda3' });
		expect(os.kernels).toMatchObject([
			{ version: '6.10.1-amd64', default: false },
			{ version: VERSION, default: true },
		]);
		expect(os.marks).toMatchObject([{ code: 'root-device-name' }, { code: 'resume-device' }]);
	});

	test.for([
		['Rocky Linux 8', 'rocky', 'boot/efi/EFI/rocky'],
		['Amazon Linux 2', 'amzn', 'boot/efi/EFI/amzn'],
		['openEuler', 'openEuler', 'boot/efi/EFI/openEuler'],
		['one whose ESP is on /efi', 'almalinux', 'efi/EFI/almalinux'],
	] as const)("is GRUB's on the ESP, in the folder of the distribution: %s", async ([, id, folder]) => {
		const files = {
			...other('6.10.1-amd64'),
			'etc/os-release': `ID="${id}"\n`,
			[`${folder}/grub.cfg`]: `set default="${variable('saved_entry')}"\nblscfg\n`,
			[`${folder}/grubenv`]: `saved_entry=aa-${VERSION}\n`,
			[`boot/loader/entries/aa-${VERSION}.conf`]: `linux /vmlinuz-${VERSION}\n`,
			'boot/loader/entries/aa-6.10.1-amd64.conf': 'linux /vmlinuz-6.10.1-amd64\n',
			'boot/efi/EFI/another/grub.cfg': grub('6.10.1-amd64'),
		};
		expect(await standard(files, ['boot/grub/grub.cfg'])).toEqual({ version: VERSION, marks: [], kind: 'grub2' });
	});

	test('is one of the Boot Loader Specification also where no loader says more, and is said to be a guess where none was saved', async () => {
		const entries = {
			...other('6.10.1-amd64'),
			[`boot/loader/entries/aa-${VERSION}.conf`]: `linux /vmlinuz-${VERSION}\ninitrd /initrd.img-${VERSION}\noptions root=/dev/sda1\n`,
			'boot/loader/entries/aa-6.10.1-amd64.conf': 'linux /vmlinuz-6.10.1-amd64\ninitrd /initrd.img-6.10.1-amd64\noptions root=/dev/sda1\n',
		};
		const saved = await standard({ ...entries, 'boot/grub2/grubenv': `saved_entry=aa-${VERSION}\n` }, ['boot/grub/grub.cfg']);
		expect(saved).toEqual({ version: VERSION, marks: ['root-device-name'], kind: 'bls' });
		const guessed = await standard(entries, ['boot/grub/grub.cfg']);
		expect(guessed).toEqual({ version: '6.10.1-amd64', marks: ['root-device-name', 'default-kernel-guessed'], kind: 'bls' });
	});

	test.for([
		[
			'systemd-boot',
			{
				'boot/loader/loader.conf': 'default old*\n',
				'boot/loader/entries/old.conf': `linux /vmlinuz-${VERSION}\n`,
				'boot/loader/entries/young.conf': 'linux /vmlinuz-6.10.1-amd64\n',
			},
		],
		[
			'grub-legacy',
			{
				'boot/grub/default': '1\n#\n# WARNING: If you want to edit this file directly, do not remove any line\n',
				'boot/grub/grub.conf': `default saved\ntitle new\nkernel /vmlinuz-6.10.1-amd64 ro\ntitle old\n kernel /vmlinuz-${VERSION} ro\n initrd /initrd.img-${VERSION}\n`,
			},
		],
		[
			'grub-legacy',
			{
				'boot/grub/menu.lst': `default=1\ntitle new\nkernel (hd0,0)/vmlinuz-6.10.1-amd64 ro\ntitle old\n root (hd0,0)\n kernel /vmlinuz-${VERSION} ro\n initrd /initrd.img-${VERSION}\n`,
			},
		],
		[
			'extlinux',
			{
				'boot/extlinux/extlinux.conf': `DEFAULT old\nLABEL new\n LINUX ../vmlinuz-6.10.1-amd64\nLABEL old\n  KERNEL /vmlinuz-${VERSION}\n  APPEND root=UUID=0a initrd=/initrd.img-${VERSION}\n`,
			},
		],
	] as const)('is that of %s', async ([kind, files]) => {
		expect(await standard(files, ['boot/grub/grub.cfg'])).toEqual({ version: VERSION, marks: [], kind });
	});

	const young = 'linux /vmlinuz-6.10.1-amd64\n';
	const old = `linux /vmlinuz-${VERSION}\n`;
	test.for<[what: string, loader: string, entries: Readonly<Record<string, string>>, version: string, marks?: readonly string[]]>([
		['the one of the first sort key', '', { 'b.conf': `sort-key b\n${young}`, 'a.conf': `sort-key a\n${old}` }, VERSION],
		['one with a sort key before one without', '', { 'z.conf': young, 'a.conf': `sort-key z\n${old}` }, VERSION],
		['the newest of one sort key', '', { 'b.conf': `sort-key a\nversion 1\n${young}`, 'a.conf': `sort-key a\nversion 2\n${old}` }, VERSION],
		['none of which all attempts have failed', '', { 'z+0-3.conf': young, 'a+3.conf': old }, VERSION],
		['one by its name without the attempts', 'default a.conf\n', { 'z.conf': young, 'a+2-1.conf': old }, VERSION],
		['not known where it is an image of all it needs', 'default b.efi\n', { 'a.conf': old }, '6.10.1-amd64', ['default-kernel-guessed']],
		[
			'not known where such images are among them',
			'',
			{ 'a.conf': old, '../../EFI/Linux/b.efi': 'MZ' },
			'6.10.1-amd64',
			['default-kernel-guessed'],
		],
	])("is systemd-boot's: %s", async ([, loader, entries, version, marks = []]) => {
		const files = Object.fromEntries(
			Object.entries(entries).map(([name, text]) => [
				name.replace(/^(\.\.\/\.\.\/)?/, (up) => (up ? 'boot/' : 'boot/loader/entries/')),
				text,
			]),
		);
		const found = await standard({ 'boot/loader/loader.conf': loader, ...files }, ['boot/grub/grub.cfg']);
		expect(found).toMatchObject({ version, marks });
	});

	test.for([
		['DEFAULT menu.c32\nLABEL new\n LINUX vmlinuz-6.10.1-amd64\nLABEL old\n MENU DEFAULT\n', VERSION, []],
		['DEFAULT new\nLABEL old\n MENU DEFAULT\n', VERSION, ['default-kernel-guessed']],
		['LABEL old\n', VERSION, []],
	] as const)("is EXTLINUX's, by %j", async ([menu, version, marks]) => {
		const end = ` LINUX ../vmlinuz-${VERSION}\n INITRD ../initrd.img-${VERSION}\n APPEND root=/dev/vda1\n`;
		const whole = menu.includes('DEFAULT new') ? `${menu}${end}LABEL new\n COM32 reboot.c32\n` : `${menu}${end}`;
		const found = await standard({ 'boot/syslinux/syslinux.cfg': whole }, ['boot/grub/grub.cfg']);
		expect(found).toMatchObject({ version: marks.length > 0 ? '6.10.1-amd64' : version, marks: expect.arrayContaining([...marks]) });
	});

	test.for([
		[
			'ONTIMEOUT of a menu',
			'UI vesamenu.c32\nTIMEOUT 50\nONTIMEOUT old\nDEFAULT new\nINCLUDE young.cfg\nMENU INCLUDE /syslinux/old.cfg\n',
			VERSION,
		],
		['DEFAULT where nothing is shown', 'PROMPT 0\nTIMEOUT 50\nONTIMEOUT new\nDEFAULT old\nINCLUDE young.cfg\nINCLUDE old.cfg\n', VERSION],
		[
			'DEFAULT where a prompt waits for ever',
			'PROMPT 1\nTIMEOUT 0\nONTIMEOUT new\nDEFAULT old\ninclude old.cfg\ninclude young.cfg\n',
			VERSION,
		],
		['MENU DEFAULT of an included file', 'UI menu.c32\nINCLUDE young.cfg\nINCLUDE gone.cfg\nINCLUDE old.cfg\nMENU DEFAULT\n', VERSION],
	] as const)("is EXTLINUX's, with what it includes: %s", async ([, menu, version]) => {
		const files = {
			'boot/syslinux/syslinux.cfg': menu,
			'boot/syslinux/young.cfg': 'LABEL new\n LINUX ../vmlinuz-6.10.1-amd64\n INITRD ../initrd.img-6.10.1-amd64\n',
			'boot/syslinux/old.cfg': `LABEL old\n LINUX ../vmlinuz-${VERSION}\n INITRD ../initrd.img-${VERSION}\n`,
		};
		expect(await standard(files, ['boot/grub/grub.cfg'])).toMatchObject({ version, marks: [], kind: 'extlinux' });
	});

	test("is not EXTLINUX's where that includes itself, and that is said", async () => {
		const { incomplete } = await linuxWith({ 'boot/extlinux/extlinux.conf': 'INCLUDE extlinux.conf\nINCLUDE extlinux.conf\n' }, [
			'boot/grub/grub.cfg',
		]);
		expect(incomplete.map(({ why }) => why).join()).toContain('the menu of EXTLINUX includes more than');
	});

	test.for([
		['1b', '/boot is UUID=1b, which is xfs and was not read'],
		['2c', '/boot is UUID=2c, which no disk given has'],
	])('has drivers that are not known where /boot is not seen, and that is said: %s', async ([uuid, why]) => {
		const files: Files = Object.fromEntries(Object.entries(DEBIAN).filter(([path]) => !path.startsWith('boot/')));
		const volumes = [{ uuid: '0a' }, { uuid: '1b', type: 'xfs' }];
		const { facts, incomplete } = await readLinux({ ...files, 'etc/fstab': `UUID=0a / ext4\nUUID=${uuid} /boot/ xfs\n` }, volumes);
		expect(facts?.drivers?.disk.sata?.state).toBe('unknown');
		expect(incomplete).toMatchObject([{ why: `no boot menu was read, and ${why}` }]);
	});

	test('has drivers that are not known where there is no list of its modules, and that is said', async () => {
		const { drivers, incomplete } = await linuxWith({}, [`lib/modules/${VERSION}/modules.dep`]);
		expect(drivers).toBeUndefined();
		expect(incomplete.map(({ why }) => why).join()).toContain('there is no modules.dep');
	});

	test('that is written without an end is not read, and said', async () => {
		const long = `set a=${'x'.repeat(4096)}\nblscfg\n`;
		const { incomplete } = await linuxWith({
			'boot/grub/grub.cfg': long,
			'boot/loader/entries/a.conf': `${old}options ${'$a'.repeat(100)}\n`,
		});
		expect(incomplete.map(({ why }) => why).join()).toContain('the command line of a.conf is longer');
	});

	test('is taken to be the newest where no menu says it, and that is said', async () => {
		expect(await standard({}, ['boot/grub/grub.cfg'])).toEqual({
			version: '6.10.1-amd64',
			marks: ['default-kernel-guessed'],
			kind: undefined,
		});
	});

	test('is the one of the flavour that its image is named by, or is said not to be known', async () => {
		const files = { ...other('6.6.4-1-lts'), 'boot/grub/grub.cfg': grub('lts').replace('initrd.img-lts', 'initramfs-lts') };
		expect((await standard(files)).version).toBe('6.6.4-1-lts');
		const { drivers, incomplete } = await linuxWith({ ...other('6.6.4'), 'boot/grub/grub.cfg': grub('lts') });
		expect(drivers).toBeUndefined();
		expect(incomplete).toMatchObject([{ what: 'which kernel boots', why: expect.stringContaining('/boot/vmlinuz-lts boots') }]);
	});

	test('may be a package whose version its modules say', async () => {
		const files = {
			'boot/grub/grub.cfg': grub('linux').replaceAll('initrd.img-linux', `initrd.img-${VERSION}`),
			[`lib/modules/${VERSION}/pkgbase`]: 'linux\n',
		};
		expect((await standard(files)).version).toBe(VERSION);
	});
});

test('what a hostile guest writes into its files is read or passed over, and soon', async () => {
	const files = [
		'etc/fstab',
		'etc/os-release',
		'boot/grub/grub.cfg',
		'etc/network/interfaces',
		'etc/netplan/a.yaml',
		'etc/sysconfig/network-scripts/ifcfg-a',
		`lib/modules/${VERSION}/modules.dep`,
	];
	const text = fc.oneof(
		fc.string({ unit: 'binary', maxLength: 300 }),
		fc
			.constantFrom('[', '- ', ' '.repeat(3), '{', 'menuentry "', 'a=', "'", '"', '\\', '$', ': ', '/', ',')
			.chain((part) => fc.integer({ min: 1, max: 8_000 }).map((count) => part.repeat(count))),
	);
	await fc.assert(
		fc.asyncProperty(fc.constantFrom(...files), text, async (file, content) => {
			const spent = effort();
			await readLinux({ ...DEBIAN, [file]: content });
			expect(spent()).toBeLessThan(2000);
		}),
		{ numRuns: process.env['VCONV_THOROUGH'] ? 3000 : 80 },
	);
});
