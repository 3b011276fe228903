import { describe, expect, test } from 'vitest';
import { DEBIAN, type Files, grub, readLinux } from './make.ts';

const VERSION = '6.1.0-50-amd64';

const read = async (files: Files) => (await readLinux({ ...DEBIAN, ...files })).facts ?? expect.fail();

describe('the network of a Linux', () => {
	// ifroute(5) of wicked, and the comments of Red Hat's ifup-routes.
	test.for<readonly [string, Files, string | undefined, string | undefined]>([
		[
			'SUSE, for a card',
			{ 'network/ifroute-eth0': '# a comment\n10.9.0.0/16 10.0.0.9 - -\ndefault 10.0.0.1 - -\n' },
			'10.0.0.1',
			undefined,
		],
		['SUSE, by name', { 'network/routes': 'default 10.0.0.1 - eth0\ndefault fd00::1 - eth1\n' }, '10.0.0.1', 'fd00::1'],
		['SUSE, of no card', { 'network/routes': 'default 10.0.0.1 - -\n' }, undefined, undefined],
		['SUSE, of another destination', { 'network/routes': '10.0.0.0/8 10.0.0.1 - eth0\n' }, undefined, undefined],
		['SUSE, of another table', { 'network/ifroute-eth0': 'default 10.0.0.2 - - table 7\ndefault 10.0.0.1\n' }, '10.0.0.1', undefined],
	])('has the default routes of %s', async ([, files, first, second]) => {
		const cards = { 'network/ifcfg-eth0': 'IPADDR=10.0.0.5/24\n', 'network/ifcfg-eth1': 'IPADDR=10.0.1.5/24\n', 'network/ifcfg-lo': '' };
		const all = Object.fromEntries(Object.entries({ ...cards, ...files }).map(([path, text]) => [`etc/sysconfig/${path}`, text]));
		expect((await read(all)).network?.map(({ name, gateway }) => [name, gateway])).toEqual([
			['eth0', first],
			['eth1', second],
		]);
	});

	test.for<readonly [string, Files, string | undefined]>([
		['its only card', { network: 'NETWORKING=yes\nGATEWAY=10.0.0.1\n' }, '10.0.0.1'],
		['the card that is named', { network: 'GATEWAY=10.0.0.1\nGATEWAYDEV=eth0\n' }, '10.0.0.1'],
		['a file of routes', { 'network-scripts/route-eth0': 'default via 10.0.0.1 dev eth0\n' }, '10.0.0.1'],
		['a file of other routes', { 'network-scripts/route-eth0': '10.0.0.0/8 via 10.0.0.9 dev eth0\n' }, undefined],
	])('has the default route of Red Hat by %s', async ([, files, gateway]) => {
		const all = { 'network-scripts/ifcfg-eth0': 'DEVICE=eth0\nIPADDR=10.0.0.5\nPREFIX=24\n', ...files };
		const { network } = await read(Object.fromEntries(Object.entries(all).map(([path, text]) => [`etc/sysconfig/${path}`, text])));
		expect(network).toMatchObject([{ name: 'eth0', gateway }]);
	});

	test('has the one default route of SUSE on its only card', async () => {
		const { network } = await read({
			'etc/sysconfig/network/ifcfg-eth0': 'IPADDR=10.0.0.5/24\n',
			'etc/sysconfig/network/routes': 'default 10.0.0.1 - -\n',
		});
		expect(network).toMatchObject([{ name: 'eth0', gateway: '10.0.0.1' }]);
	});

	test.for<readonly [string, string, string, ...object[]]>([
		[
			'ifupdown',
			'etc/network/interfaces',
			'auto lo\niface lo inet loopback\nauto ens192\niface ens192 inet static\n\taddress 10.0.0.5\n\tnetmask 255.255.255.0\n\tgateway 10.0.0.1\n\thwaddress ether 00:50:56:AA:bb:01\n',
			{ name: 'ens192', method: 'static', addresses: ['10.0.0.5/255.255.255.0'], gateway: '10.0.0.1', mac: '00:50:56:aa:bb:01' },
		],
		[
			'ifcfg',
			'etc/sysconfig/network-scripts/ifcfg-ens192',
			'DEVICE=ens192\nHWADDR="00:50:56:aa:bb:01"\nBOOTPROTO=none\nIPADDR=10.0.0.5\nPREFIX=24\nGATEWAY=10.0.0.1\n',
			{ name: 'ens192', method: 'static', addresses: ['10.0.0.5/24'], gateway: '10.0.0.1', mac: '00:50:56:aa:bb:01' },
		],
		[
			'ifupdown with lines that go on',
			'etc/network/interfaces',
			'iface eth0 inet static\n\taddress \\\n\t\t10.0.0.5/24\n',
			{ name: 'eth0', method: 'static', addresses: ['10.0.0.5/24'] },
		],
		[
			'ifcfg with IPv6',
			'etc/sysconfig/network-scripts/ifcfg-eth0',
			'DEVICE=eth0\nIPADDR=10.0.0.5\nPREFIX=24\nIPV6ADDR=2001:db8::1\n',
			{ name: 'eth0', method: 'static', addresses: ['10.0.0.5/24', '2001:db8::1'] },
		],
		['ifcfg of SUSE', 'etc/sysconfig/network/ifcfg-eth0', "BOOTPROTO='dhcp'\nSTARTMODE='auto'\n", { name: 'eth0', method: 'dhcp' }],
		[
			'NetworkManager',
			'etc/NetworkManager/system-connections/wired.nmconnection',
			'[connection]\nid=wired\ninterface-name=ens192\n[ethernet]\nmac-address=00:50:56:AA:BB:01\n[ipv4]\nmethod=manual\naddress1=10.0.0.5/24,10.0.0.1\n',
			{ name: 'ens192', method: 'static', addresses: ['10.0.0.5/24'], gateway: '10.0.0.1', mac: '00:50:56:aa:bb:01' },
		],
		[
			'systemd-networkd',
			'etc/systemd/network/10-lan.network',
			'[Match]\nName=ens192\n\n[Network]\nDHCP=yes\n',
			{ name: 'ens192', method: 'dhcp' },
		],
		[
			'systemd-networkd with routes',
			'etc/systemd/network/10-lan.network',
			'[Match]\nName=eth0\n[Route]\nGateway=10.0.0.77\nDestination=10.0.0.0/8\n[Route]\nGateway=10.0.0.1\n',
			{ name: 'eth0', gateway: '10.0.0.1' },
		],
		[
			'a link',
			'etc/systemd/network/10-lan.link',
			'[Match]\nMACAddress=00:50:56:aa:bb:01\n[Link]\nName=lan0\n',
			{ name: 'lan0', mac: '00:50:56:aa:bb:01', method: 'unknown' },
		],
		[
			'netplan',
			'etc/netplan/50-cloud-init.yaml',
			'network:\n  version: 2\n  ethernets:\n    "ens192":\n      match:\n        macaddress: "00:50:56:aa:bb:01"\n      set-name: lan0\n      addresses:\n      - 10.0.0.5/24\n      - "fd00::5/64"\n      routes:\n        - to: default\n          via: 10.0.0.1\n',
			{ name: 'lan0', method: 'static', addresses: ['10.0.0.5/24', 'fd00::5/64'], gateway: '10.0.0.1', mac: '00:50:56:aa:bb:01' },
		],
		[
			'netplan in brackets',
			'etc/netplan/01.yaml',
			'network:\n  ethernets:\n    eth0:\n      dhcp4: no\n      addresses: [10.0.0.5/24, 10.0.0.6/24]\n',
			{ name: 'eth0', method: 'static', addresses: ['10.0.0.5/24', '10.0.0.6/24'] },
		],
		[
			'netplan in braces',
			'etc/netplan/01.yaml',
			'network:\n  ethernets:\n    ens3: {match: {macaddress: 00:50:56:AA:bb:01}, dhcp4: no, addresses: [10.0.0.5/24, "fd00::5/64"], routes: [{to: default, via: 10.0.0.1}]}\n',
			{ name: 'ens3', method: 'static', addresses: ['10.0.0.5/24', 'fd00::5/64'], gateway: '10.0.0.1', mac: '00:50:56:aa:bb:01' },
		],
		[
			'netplan with what its reference has',
			'etc/netplan/01.yaml',
			[
				'network:',
				'  ethernets:',
				'    "ens192": &first',
				'      "dhcp4": false',
				'      dhcp6: true',
				'      addresses: [',
				'        10.0.0.5/24,  # ours',
				'        {"fd00::5/64": {label: "x"}},',
				'      ]',
				'      routes:',
				'        - to: 10.1.0.0/16',
				'        - {to: default, via: 10.0.0.77, table: 101}',
				'        - via: "10.0.0.1"',
				'          to: 0.0.0.0/0',
				'    ens224:',
				'      match: {name: ens224}',
				'      addresses:',
				'      - "10.0.1.5/24": {lifetime: 0, label: "maas"}',
				'    ens256: *first',
				'',
			].join('\n'),
			{ name: 'ens192', method: 'static', addresses: ['10.0.0.5/24', 'fd00::5/64'], gateway: '10.0.0.1' },
			{ name: 'ens224', method: 'static', addresses: ['10.0.1.5/24'], gateway: undefined },
			{ name: 'ens256', method: 'static', addresses: ['10.0.0.5/24', 'fd00::5/64'], gateway: '10.0.0.1' },
		],
		[
			'netplan with routes of the main table, as netplan itself reads them',
			'etc/netplan/01.yaml',
			[
				'network:',
				'  ethernets:',
				'    eth0: {addresses: [10.0.0.5/24], routes: [{to: 10.0.0.0/8, via: 10.0.0.7}, {to: 0.0.0.0/0, via: 10.0.0.1, table: 254}]}',
				'    eth1: {addresses: ["fd00::5/64"], routes: [{to: "0::/0", via: "fd00::1"}]}',
				'',
			].join('\n'),
			{ name: 'eth0', method: 'static', addresses: ['10.0.0.5/24'], gateway: '10.0.0.1' },
			{ name: 'eth1', method: 'static', addresses: ['fd00::5/64'], gateway: 'fd00::1' },
		],
		[
			'systemd-networkd with routes of several tables',
			'etc/systemd/network/20.network',
			'[Match]\nName=eth0\n[Network]\nAddress=10.0.0.5/24\n[Route]\nGateway=10.0.0.77\nTable=101\n[Route]\nDestination=0.0.0.0/0\nGateway=10.0.0.1\nTable=254\n',
			{ name: 'eth0', method: 'static', addresses: ['10.0.0.5/24'], gateway: '10.0.0.1' },
		],
		[
			'a rule of udev',
			'etc/udev/rules.d/70-persistent-net.rules',
			'SUBSYSTEM=="net", ACTION=="add", ATTR{address}=="00:50:56:aa:bb:01", NAME="eth0"\n',
			{ name: 'eth0', mac: '00:50:56:aa:bb:01', method: 'unknown' },
		],
	])('is told by %s', async ([, path, text, ...expected]) => {
		const { network } = await read({ [path]: text });
		expect(network).toMatchObject(expected.map((one) => ({ source: `/${path}`, ...one })));
	});

	test('is told by all files of netplan but one that is no YAML, which is named', async () => {
		const bomb = Array.from({ length: 30 }, (_, i) => `a${i}: &a${i} [*a${i - 1}, *a${i - 1}]\n`)
			.slice(1)
			.join('');
		const { facts, incomplete } = await readLinux({
			...DEBIAN,
			'etc/netplan/1.yaml': 'network: {ethernets: {eth0: {dhcp4: true}}}\n',
			'etc/netplan/2.yaml': 'network: {ethernets: {eth1: {dhcp4: true}}\n',
			'etc/netplan/3.yaml': `${'['.repeat(20_000)}\n`,
			'etc/netplan/4.yaml': `a0: &a0 [x, x]\n${bomb}`,
			'etc/netplan/5.yaml': 'network:\n  ethernets:\n    __proto__: {dhcp4: true}\n    eth2: [dhcp4]\n',
		});
		expect(facts?.network).toMatchObject([
			{ name: 'eth0', method: 'dhcp' },
			{ name: '__proto__', method: 'dhcp' },
			{ name: 'eth2', method: 'none' },
		]);
		expect(incomplete.map(({ where }) => where)).toEqual([2, 3, 4].map((number) => `disk0p1:/etc/netplan/${number}.yaml`));
	});

	test('tells no secrets', async () => {
		const facts = await read({
			'etc/NetworkManager/system-connections/wifi':
				'[connection]\ninterface-name=wlan0\n[wifi-security]\npsk=SECRET\n[802-1x]\npassword=SECRET\n[ipv4]\nmethod=auto\n',
			'etc/netplan/wifi.yaml':
				'network:\n  wifis:\n    wlan0:\n      dhcp4: true\n      access-points:\n        "home":\n          password: "SECRET"\n',
			'etc/network/interfaces': 'iface wlan0 inet dhcp\n  wpa-psk SECRET\n',
			'etc/sysconfig/network-scripts/ifcfg-wlan0': 'DEVICE=wlan0\nKEY=SECRET\nBOOTPROTO=dhcp\n',
			'etc/cloud/cloud.cfg': 'datasource_list: [ VMware, OVF ]\npassword: SECRET\n',
			'usr/bin/cloud-init': '',
			'boot/grub/grub.cfg': grub(VERSION, 'root=UUID=0a console.password=SECRET inst.passwd=SECRET'),
		});
		expect(facts.network).toHaveLength(4);
		expect(facts.software?.cloudInit).toBe('cloud-init, data from VMware, OVF');
		expect(JSON.stringify(facts)).not.toContain('SECRET');
	});
});

test('passwords in fstab and on the command line are not told, and what stands beside them is', async () => {
	const { os } = await read({
		'etc/fstab': [
			'//s/x /m cifs username=u,password=SECRET,,SECRET,ro 0 0',
			'//u:SECRET@s/x /m cifs user=u%SECRET,password2=SECRET,credentials=/etc/SECRET 0 0',
			'https://u:SECRET@dav/ /d davfs noauto,pass=SECRET 0 0',
			'curlftpfs#u:SECRET@ftp /f fuse defaults 0 0',
			'mon:/ /c ceph name=admin,secret=SECRET== 0 0',
			'u@host:/x /s fuse.sshfs IdentityFile=/etc/k 0 0',
			'LABEL=a:b@c /l ext4 subvol=/@home 0 0',
		].join('\n'),
		'boot/grub/grub.cfg': grub(
			VERSION,
			[
				'root=cifs://b:SECRET@h/s netroot=iscsi:u:SEC/RET@10.0.0.2::3260::iqn.x netroot=cifs:u:SECRET@h rd.iscsi.password="SECRET SECRET"',
				"systemd.set_credential=passwd.root:SECRET inst.ks=https://u:SECRET@h/k?token=SECRET luks_key=SECRET apikey='SECRET SECRET' auth=SECRET",
				'"a.password=SECRET SECRET" b.secret=SECRET\\ SECRET rootflags=user=u,password=SECRET,ro http_proxy=u:SECRET@h:8080',
				'rootflags=subvol=@ rd.vconsole.keymap=de console=ttyS0 dyndbg="file a.c +p" c.token="SECRET quiet',
			].join(' '),
		),
	});
	expect(JSON.stringify(os)).not.toMatch(/SECRET|SEC\/RET/);
	expect(os.bootloader?.commandLine).toBe(
		'root=cifs://…@h/s netroot=iscsi:…@10.0.0.2::3260::iqn.x netroot=cifs:…@h rd.iscsi.password=… systemd.set_credential=… ' +
			'inst.ks=https://…@h/k?token=… luks_key=… apikey=… auth=… a.password=… b.secret=… rootflags=user=u,password=…,ro ' +
			'http_proxy=…@h:8080 rootflags=subvol=@ rd.vconsole.keymap=de console=ttyS0 dyndbg="file a.c +p" c.token=…',
	);
	expect(os.mounts?.map(({ device, options }) => `${device} ${options}`)).toEqual([
		'//s/x username=u,password=…,ro',
		'//…@s/x user=u%…,password2=…,credentials=…',
		'https://…@dav/ noauto,pass=…',
		'…@ftp defaults',
		'mon:/ name=admin,secret=…',
		'u@host:/x IdentityFile=/etc/k',
		'LABEL=a:b@c subvol=/@home',
	]);
});

describe('what matters to a move of a Linux', () => {
	const marks = async (files: Files) => (await read(files)).os.marks;

	test.for([
		['/dev/sda1 /data ext4 defaults 0 2', ['device-name']],
		['/dev/nvme0n1p2 /data ext4 defaults,nofail 0 2', ['device-name-optional']],
		['/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part1 /data xfs defaults 0 0', ['device-by-path']],
		['/dev/disk/by-id/scsi-36000c29-part1 /data xfs noauto 0 0', ['device-by-id-optional']],
		['/dev/disk/by-id/virtio-data /data xfs defaults 0 0', ['device-by-id']],
		['/dev/disk/by-diskseq/2-part1 /data xfs defaults 0 0', ['device-name']],
		['/dev/cciss/c0d0p1 /data xfs defaults 0 0', ['device-name']],
		['/dev/dasda1 none swap sw 0 0', ['device-name-optional']],
		['/dev/disk/by-uuid/ff /data xfs defaults 0 0', ['volume-missing']],
		['/dev/mapper/vg-gone /data xfs defaults 0 0', ['volume-missing']],
		['/dev/vg/gone /data xfs nofail 0 0', ['volume-missing-optional']],
		['/dev/md0 /data xfs defaults 0 0', ['volume-missing']],
		['/dev/zram0 none swap defaults 0 0', []],
		['UUID=ff /data xfs defaults 0 0', ['volume-missing']],
		['LABEL=a\\040label /data xfs defaults 0 0', []],
		['tmpfs /tmp tmpfs defaults 0 0', []],
		['server:/export /mnt nfs defaults 0 0', []],
		['/dev/cdrom /media iso9660 noauto 0 0', []],
		['/dev/usbdisk /media/usb vfat noauto 0 0', []],
	] as const)('is how fstab names a device: %s', async ([line, codes]) => {
		const { facts } = await readLinux({ ...DEBIAN, 'etc/fstab': `\n${line}\n` }, [{ uuid: '0a' }, { label: 'a label' }]);
		expect(facts?.os.marks?.map(({ code }) => code)).toEqual(codes);
		for (const { where } of facts?.os.marks ?? []) expect(where).toBe('/etc/fstab:2');
	});

	test.for([
		['root=UUID=ff ro', ['root-missing']],
		['root=LABEL=gone ro', ['root-missing']],
		['root=/dev/disk/by-uuid/ff ro', ['root-missing']],
		['root=UUID=ff root=UUID=0A ro', []],
		['root=PARTUUID=ff/PARTNROFF=1 ro', []],
		['root=/dev/mapper/vg-root ro', []],
		['ro', []],
	] as const)('is a root that no disk has: %s', async ([line, codes]) => {
		const files = { ...DEBIAN, 'boot/grub/grub.cfg': grub(VERSION, line) };
		const { facts } = await readLinux(files);
		expect(facts?.os.marks?.map(({ code }) => code)).toEqual(codes);
		const hidden = await readLinux(files, [{ uuid: '0a' }, { type: 'crypto_LUKS', encrypted: true }]);
		expect(hidden.facts?.os.marks).toEqual([]);
	});

	test.for([
		{ type: 'crypto_LUKS', encrypted: true },
		{ type: 'unknown', unsupported: 'vconv does not put a raid5 together' },
	])('is not a volume that is missing where it may be in one of $type', async (closed) => {
		const files = { ...DEBIAN, 'etc/fstab': 'UUID=ff /data xfs defaults 0 0\n' };
		const { facts } = await readLinux(files, [{ uuid: '0a' }, closed]);
		expect(facts?.os.marks?.map(({ code }) => code)).toEqual(['volume-hidden']);
	});

	test.for([
		[
			'lvm-devices-file',
			'etc/lvm/devices/system.devices',
			'VERSION=1.1.2\nIDTYPE=sys_wwid IDNAME=naa.6000c29 DEVNAME=/dev/sda2\n',
			'IDTYPE=sys_wwid',
		],
		['lvm-filter', 'etc/lvm/lvm.conf', 'devices {\n\tfilter = [ "a|/dev/sda|", "r|.*|" ]\n}\n', 'filter = [ "a|/dev/sda|", "r|.*|" ]'],
		['crypttab', 'etc/crypttab', 'root UUID=1b none luks\n', 'root is on UUID=1b'],
		[
			'grub-device-map',
			'boot/grub/device.map',
			'# this device map was generated by anaconda\n(fd0) /dev/fd0\n(hd0)\t/dev/sda\n',
			'(hd0)\t/dev/sda',
		],
		['machine-id', 'etc/machine-id', '0123456789abcdef0123456789abcdef\n', 'the machine has an id of its own'],
		[
			'udev-persistent-net',
			'etc/udev/rules.d/70-persistent-net.rules',
			'# a card\nSUBSYSTEM=="net", ATTR{address}=="00:50:56:01:02:03", NAME="eth0"\n',
			'network interfaces are named by their MAC addresses',
		],
		['azure-agent', 'usr/sbin/waagent', '', 'the agent of Azure is installed'],
		['resolv-conf-immutable', 'etc/resolv.conf', '+i', 'it may not be changed'],
		['filesystem-blocked', 'etc/modprobe.d/CIS.conf', '# hardened\ninstall udf /bin/true\n', 'install udf /bin/true'],
		['filesystem-absent', `lib/modules/${VERSION}/modules.dep`, 'kernel/fs/fat/vfat.ko: kernel/fs/fat/fat.ko\n', 'udf is not there'],
		['net-ifnames-off', 'boot/grub/grub.cfg', grub(VERSION, 'net.ifnames=0'), 'net.ifnames=0'],
		['root-device-name', 'boot/grub/grub.cfg', grub(VERSION, 'root=/dev/sda1'), 'root=/dev/sda1'],
	] as const)('is %s', async ([code, path, text, evidence]) => {
		expect(await marks({ [path]: text })).toMatchObject([{ code, evidence }]);
	});

	test.for([
		['a filter of LVM that takes any disk', { 'etc/lvm/lvm.conf': 'filter = [ "r|/dev/cdrom|", "a/.*/" ]\n' }],
		['a list of names that is switched off', { 'etc/udev/rules.d/70-persistent-net.rules': '-> /dev/null' }],
	] as const)('is not %s', async ([, files]) => {
		expect(await marks(files)).toEqual([]);
	});

	test('is a host name without the comment before it', async () => {
		expect((await read({ 'etc/hostname': '# ours\nweb02\n' })).os.hostname).toBe('web02');
	});

	test('is which tools of hypervisors are in it, and SELinux', async () => {
		const { os, software } = await read({
			'usr/bin/vmtoolsd': '',
			'usr/sbin/qemu-ga': '',
			'usr/sbin/hv_kvp_daemon': '',
			'usr/sbin/VBoxService': '',
			'usr/sbin/xe-daemon': '',
			'etc/selinux/config': '# a comment\nSELINUX=Enforcing\nSELINUXTYPE=targeted\n',
		});
		expect(software).toEqual({
			vmwareTools: 'open-vm-tools',
			qemuAgent: 'qemu-guest-agent',
			hypervTools: 'hyperv-daemons',
			virtualboxTools: 'VirtualBox Guest Additions',
			xenTools: 'xe-guest-utilities',
		});
		expect(os.selinux).toBe('enforcing');
	});
});
