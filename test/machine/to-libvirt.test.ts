import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseXml, type XmlElement } from '../../src/bytes/xml.ts';
import { UnsupportedError, UsageError, VconvError } from '../../src/errors.ts';
import { parseNetRule, parseNetRules } from '../../src/machine/migrate/net-map.ts';
import type { MigrateOptions } from '../../src/machine/migrate/options.ts';
import { INERT, migrate, planMigration, unaccounted } from './account.ts';
import { pciBridges, richVmx, vmxWith } from './samples.ts';

const disk = (id: string, file = 'a.vmdk', ...more: string[]): string[] => [
	`${id}.present = "TRUE"`,
	`${id}.fileName = "${file}"`,
	...more.map((field) => `${id}.${field}`),
];
const scsi = (model: string, ...ids: string[]): string[] => [
	'scsi0.present = "TRUE"',
	`scsi0.virtualDev = "${model}"`,
	...ids.flatMap((id) => disk(id, `${id.replace(':', '-')}.vmdk`)),
];
const card = (...fields: string[]): string[] => ['ethernet0.present = "TRUE"', ...fields.map((field) => `ethernet0.${field}`)];
const vmx = (guest: string, ...lines: string[]): string => vmxWith(`guestOS = "${guest}"`, ...lines);

const all = (element: XmlElement, name: string): XmlElement[] => [
	...(element.name === name ? [element] : []),
	...element.children.flatMap((child) => all(child, name)),
];
const parts = (xml: string, name: string): XmlElement[] => all(parseXml(new TextEncoder().encode(xml), 'a.xml'), name);
const child = (element: XmlElement, name: string, attribute: string): string | undefined =>
	element.children.find((candidate) => candidate.name === name)?.attributes.get(attribute);

/** `sda sata 0:0:0:1` of every drive. */
const drives = (text: string, options: MigrateOptions = {}): string[] =>
	parts(migrate(text, options).xml, 'disk').map((drive) => {
		const address = ['controller', 'bus', 'target', 'unit'].map((field) => child(drive, 'address', field));
		const at = address[0] === undefined ? '' : ` ${address.join(':')}`;
		return `${child(drive, 'target', 'dev')} ${child(drive, 'target', 'bus')}${at}`;
	});
const model = (text: string, options: MigrateOptions = {}): string | undefined =>
	parts(migrate(text, options).xml, 'interface').map((nic) => child(nic, 'model', 'type'))[0];
const said = (text: string, options: MigrateOptions = {}): readonly string[] => migrate(text, options).said;

describe('the boot disk of', () => {
	test.for([
		['a Debian, whose initramfs has every driver', 'debian11-64', 'lsilogic', {}, 'vda virtio', undefined],
		['a RHEL on pvscsi, which QEMU has too', 'rhel8-64', 'pvscsi', {}, 'sda scsi 0:0:0:0', undefined],
		['a RHEL on LSI Logic, which it has not', 'rhel8-64', 'lsilogic', {}, 'vda virtio', 'error'],
		['a RHEL on SAS', 'rhel7-64', 'lsisas1068', {}, 'sda scsi 0:0:0:0', undefined],
		['a RHEL on pvscsi that starts by EFI', 'rhel8-64', 'pvscsi', { firmware: 'efi' }, 'vda virtio', 'error'],
		[
			'the same, where the firmware has the driver',
			'rhel8-64',
			'pvscsi',
			{ firmware: 'efi', uefiScsi: true },
			'sda scsi 0:0:0:0',
			undefined,
		],
		['a Windows on SAS', 'windows9-64', 'lsisas1068', {}, 'sda scsi 0:0:0:0', undefined],
		['a Windows on SAS that starts by EFI', 'windows9-64', 'lsisas1068', { firmware: 'efi' }, 'sda sata 0:0:0:0', 'error'],
		['a Windows with virtio drivers', 'windows9-64', 'lsisas1068', { assumeVirtio: true }, 'vda virtio', undefined],
		['an old Windows on BusLogic', 'winXPPro', 'buslogic', {}, 'hda ide 0:0:0:0', 'warning'],
		['a FreeBSD', 'freeBSD13-64', 'lsilogic', {}, 'sda sata 0:0:0:0', 'warning'],
		['any of them by name', 'rhel8-64', 'lsilogic', { devices: 'preserve' }, 'sda scsi 0:0:0:0', 'warning'],
		[
			'one that was looked at and starts from virtio',
			'rhel8-64',
			'lsilogic',
			{ guest: { disk: { 'virtio-scsi': 'boot' } } },
			'sda scsi 0:0:0:0',
			undefined,
		],
		[
			'one that was looked at and has AHCI alone',
			'debian11-64',
			'lsilogic',
			{ guest: { disk: { sata: 'boot', 'virtio-blk': 'installed' } } },
			'sda sata 0:0:0:0',
			undefined,
		],
		[
			'one that was looked at and has the driver for SAS alone',
			'debian11-64',
			'lsilogic',
			{ guest: { disk: { lsisas1068: 'boot', 'virtio-blk': 'installed' } } },
			'sda scsi 0:0:0:0',
			undefined,
		],
		[
			'one that was looked at and has none of them',
			'debian11-64',
			'lsilogic',
			{ guest: { disk: { nvme: 'boot', 'virtio-blk': 'installed' } } },
			'vda virtio',
			'error',
		],
		[
			'one that was looked at and starts from SATA, which was asked for',
			'debian11-64',
			'lsilogic',
			{ devices: 'safe', guest: { disk: { sata: 'boot' } } },
			'sda sata 0:0:0:0',
			undefined,
		],
	] as const)('%s', ([, guest, controller, options, at, risk]) => {
		const text = vmx(guest, ...scsi(controller, 'scsi0:0'));
		expect(drives(text, options)).toEqual([at]);
		expect(
			said(text, options)
				.find((line) => line.includes('BOOT_DRIVER_RISK'))
				?.split(' ')[0],
		).toBe(risk);
	});

	test.each(['auto', 'compat', 'safe'] as const)(
		'the risk of SATA for a Windows of which nothing is known is the same with %s',
		(devices) => {
			const efi = (...lines: string[]) =>
				said(vmx('windows9-64', 'firmware = "efi"', ...scsi('pvscsi', 'scsi0:0'), ...lines), {
					devices,
					guest: { disk: { sata: 'unknown' } },
				});
			expect(efi()).toContain('error BOOT_DRIVER_RISK scsi0:0');
			const drive = ['sata0.present = "TRUE"', 'sata0:0.present = "TRUE"', 'sata0:0.deviceType = "cdrom-raw"'];
			expect(efi(...drive)).toContain('warning BOOT_DRIVER_RISK scsi0:0');
		},
	);

	// Booted by hand: OVMF as Debian has it finds disks on virtio, AHCI and NVMe, and drops to its shell with these three.
	test.each(['pvscsi', 'lsisas1068', 'lsilogic'] as const)('a boot disk that stays on %s is not found by EFI', (controller) => {
		const text = vmx('windows9-64', 'firmware = "efi"', ...scsi(controller, 'scsi0:0'));
		const about = (options: MigrateOptions) => said(text, options).filter((line) => line.includes('BOOT_FIRMWARE_RISK'));
		expect(about({ devices: 'preserve' })).toEqual(['error BOOT_FIRMWARE_RISK scsi0:0']);
		expect([about({ devices: 'preserve', uefiScsi: true }), about({})]).toEqual([[], []]);
	});

	test('a Windows is not put on virtio unless somebody says that it has the drivers', () => {
		expect(() => migrate(vmx('windows9-64', ...scsi('pvscsi', 'scsi0:0')), { devices: 'virtio' })).toThrow(UsageError);
	});

	test('secure boot of a BIOS is told as lost, whoever wants it', () => {
		const lost = 'warning SECUREBOOT_LOST firmware';
		const bios = vmx('windows9-64', ...disk('scsi0:0'));
		expect(said(bios)).not.toContain(lost);
		expect(said(bios, { secureBoot: true })).toContain(lost);
		expect(said(`${bios}uefi.secureBoot.enabled = "TRUE"\n`)).toContain(lost);
		expect(said(`${bios}uefi.secureBoot.enabled = "TRUE"\n`, { secureBoot: false })).not.toContain(lost);
	});

	test('copies of one disk have names of their own on SAS-1068', () => {
		const drives = new Map(['scsi0:0', 'scsi0:1'].map((id) => [id, { path: `/images/${id}`, uuid: '6000c29a' }]));
		const { xml } = migrate(vmx('windows7srv-64', ...scsi('lsisas1068', 'scsi0:0', 'scsi0:1')), { drives });
		expect(new Set(xml.match(/<wwn>\w+/g)).size).toBe(2);
	});

	test('a name of a million letters is cut at once', () => {
		const text = vmx('rhel8-64').replace(/displayName = ".*"/, `displayName = "${'x'.repeat(1_000_000)}"`);
		expect(migrate(text).xml).toMatch(/<name>x{100,300}</);
	});

	test('IDE stays IDE on a PC, and is SATA where secure boot wants q35', () => {
		const text = vmx('windows7-64', ...disk('ide0:0', 'a.vmdk', 'deviceType = "ata-hardDisk"'));
		expect(drives(text)).toEqual(['hda ide 0:0:0:0']);
		expect(migrate(text).xml).toContain("machine='pc'");
		const secure = `${text}firmware = "efi"\nuefi.secureBoot.enabled = "TRUE"\n`;
		expect(drives(secure)).toEqual(['sda sata 0:0:0:0']);
		expect(migrate(secure).xml).toContain("<smm state='on'/>");
	});
});

describe('addresses', () => {
	test('pvscsi has targets and no LUNs, and a 17th disk another adapter', () => {
		const ids = [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16].map((unit) => `scsi0:${unit}`);
		const found = drives(vmx('rhel8-64', ...scsi('pvscsi', ...ids)));
		expect(found[1]).toBe('sdb scsi 0:0:1:0');
		expect(found[14]).toBe('sdo scsi 0:0:15:0');
		expect(found[15]).toBe('sdp scsi 1:0:0:0');
	});

	test('a disk on SAS-1068 has a WWN, always the same, and a ninth another adapter', () => {
		const text = vmx(
			'rhel7-64',
			'uuid.bios = "56 4d 00 11 22 33 44 55-66 77 88 99 aa bb cc dd"',
			...scsi('lsisas1068', ...[0, 1, 2, 3, 4, 5, 6, 8, 9].map((unit) => `scsi0:${unit}`)),
		);
		const wwns = parts(migrate(text).xml, 'wwn').map(({ text: wwn }) => wwn);
		expect(new Set(wwns).size).toBe(9);
		for (const wwn of wwns) expect(wwn).toMatch(/^5[0-9a-f]{15}$/);
		expect(migrate(text).xml).toBe(migrate(text).xml);
		expect(drives(text).slice(7)).toEqual(['sdh scsi 0:0:7:0', 'sdi scsi 1:0:0:0']);
	});

	test('a seventh disk on SATA is on another controller', () => {
		const ids = Array.from({ length: 7 }, (_, unit) => `sata0:${unit}`);
		const text = vmx('windows9-64', 'sata0.present = "TRUE"', ...ids.flatMap((id) => disk(id, `${id[6]}.vmdk`)));
		expect(drives(text).at(-1)).toBe('sdg sata 1:0:0:0');
	});

	test('no two drives have one name, whatever buses they were on', () => {
		const text = vmx(
			'windows9-64',
			...scsi('lsilogic', 'scsi0:0'),
			'sata0.present = "TRUE"',
			...disk('sata0:0', 'b.vmdk'),
			'nvme0.present = "TRUE"',
			...disk('nvme0:0', 'c.vmdk'),
		);
		const names = drives(text).map((drive) => drive.split(' ')[0]);
		expect(new Set(names).size).toBe(3);
	});

	test('two disks of one name become two images', () => {
		const text = vmx('debian11-64', 'scsi0.present = "TRUE"', ...disk('scsi0:0', 'a.vmdk'), ...disk('scsi0:1', '../base/a-000002.vmdk'));
		const files = parts(migrate(text).xml, 'source').flatMap(({ attributes }) => attributes.get('file') ?? []);
		expect(files).toEqual(['/var/lib/libvirt/images/a.qcow2', '/var/lib/libvirt/images/a-scsi0-1.qcow2']);
		expect(said(text)).toContain('warning SNAPSHOT_ACTIVE scsi0:1');
	});

	test('a disk holds the changes of a snapshot if its image has another beneath it, whatever it is called', () => {
		const known = (file: string, delta: boolean) =>
			said(vmx('debian11-64', 'scsi0.present = "TRUE"', ...disk('scsi0:0', file)), {
				drives: new Map([['scsi0:0', { path: '/images/a.qcow2', delta }]]),
			});
		expect(known('data-202401.vmdk', false)).not.toContain('warning SNAPSHOT_ACTIVE scsi0:0');
		expect(known('clone.vmdk', true)).toContain('warning SNAPSHOT_ACTIVE scsi0:0');
	});
});

test('the boot order is that of the BIOS, every disk in it', () => {
	const text = vmx(
		'debian11-64',
		...scsi('lsilogic', 'scsi0:0', 'scsi0:1'),
		...card(),
		'bios.bootOrder = "ethernet0,hdd"',
		'bios.hddOrder = "scsi0:1,scsi0:9"',
	);
	const { xml, said: report } = migrate(text);
	expect(parts(xml, 'disk').map((drive) => child(drive, 'boot', 'order'))).toEqual(['3', '2']);
	expect(parts(xml, 'interface').map((nic) => child(nic, 'boot', 'order'))).toEqual(['1']);
	expect(report).toContain('warning BOOT_OPTION_LOST boot');
	expect(said(vmx('other', ...scsi('lsilogic', 'scsi0:0'), ...disk('ide0:0', 'b.vmdk')))).toContain('warning BOOT_ORDER_GUESSED boot');
});

test.for([
	['ethernet1,hdd', [undefined, '1'], '2'],
	['hdd,ethernet1,ethernet0', ['3', '2'], '1'],
	['Ethernet1, net, hdd', ['2', '1'], '3'],
	['net,hdd', ['1', '2'], '3'],
	['hdd', [undefined, undefined], '1'],
	['ethernet5,hdd', [undefined, undefined], '1'],
] as const)('only the cards that bios.bootOrder names are tried: %s', ([order, cards, hard]) => {
	const second = card().map((line) => line.replace('ethernet0', 'ethernet1'));
	const { xml, said: report } = migrate(
		vmx('debian11-64', ...scsi('lsilogic', 'scsi0:0'), ...card(), ...second, `bios.bootOrder = "${order}"`),
	);
	expect(parts(xml, 'interface').map((nic) => child(nic, 'boot', 'order'))).toEqual(cards);
	expect(parts(xml, 'disk').map((drive) => child(drive, 'boot', 'order'))).toEqual([hard]);
	expect(report.includes('warning BOOT_OPTION_LOST boot')).toBe(order.includes('ethernet5'));
});

test.for([
	['allow:net', ['1', '2'], '3', true],
	['allow:hd,cd', [undefined, undefined], '1', false],
	['deny:net', [undefined, undefined], '1', false],
	['any', ['2', undefined], '1', false],
	['some', ['2', undefined], '1', true],
] as const)('the kinds of devices that it may boot from are those of bios.bootDeviceClasses: %s', ([classes, cards, hard, isWarned]) => {
	const second = card().map((line) => line.replace('ethernet0', 'ethernet1'));
	const order = classes === 'allow:net' ? 'hdd' : 'hdd,ethernet0';
	const said = [`bios.bootOrder = "${order}"`, `bios.bootDeviceClasses = "${classes}"`];
	const { xml, said: report } = migrate(vmx('debian11-64', ...scsi('lsilogic', 'scsi0:0'), ...card(), ...second, ...said));
	expect(parts(xml, 'interface').map((nic) => child(nic, 'boot', 'order'))).toEqual(cards);
	expect(parts(xml, 'disk').map((drive) => child(drive, 'boot', 'order'))).toEqual([hard]);
	expect(report.includes('warning BOOT_OPTION_LOST boot')).toBe(isWarned);
});

describe('network cards', () => {
	test.for([
		['debian11-64', 'vmxnet3', {}, 'virtio'],
		['windows9-64', 'vmxnet3', {}, 'e1000e'],
		['windows7', 'e1000', {}, 'e1000'],
		['winXPPro', 'flexible', {}, 'pcnet'],
		['windows9-64', 'vmxnet3', { devices: 'compat' }, 'vmxnet3'],
		['windows9-64', 'vmxnet', { devices: 'compat' }, 'e1000'],
		['windows9-64', 'vmxnet3', { guest: { nic: { virtio: 'installed' } } }, 'virtio'],
		['rhel8-64', 'e1000', { guest: { nic: { virtio: 'absent', vmxnet3: 'installed', e1000: 'installed' } } }, 'e1000'],
	] as const)('%s with %s', ([guest, source, options, expected]) => {
		expect(model(vmx(guest, ...card(`virtualDev = "${source}"`)), options)).toBe(expected);
	});

	test('an address that is said and cannot be read is an error, for the guest has another', () => {
		const text = vmx('debian12-64', 'ethernet0.present = "TRUE"', 'ethernet0.generatedAddress = "00:50:56:9a:9c"');
		expect(said(text)).toContain('error VMX_BAD_VALUE ethernet0.generatedAddress');
	});

	test.for([
		['static, with one that was generated once', ['addressType = "static"', 'generatedAddress = "00:0c:29:01:02:03"'], '00:0c:29:01:02:03'],
		['upper case', ['generatedAddress = "00:0C:29:01:02:AB"'], '00:0c:29:01:02:ab'],
		['zeros', ['addressType = "static"', 'address = "00:00:00:00:00:00"'], undefined],
		['of a group', ['addressType = "static"', 'address = "01:00:5e:00:00:01"'], undefined],
	] as const)('keep their address: %s', ([, fields, expected]) => {
		const [nic] = parts(migrate(vmx('other', ...card(...fields))).xml, 'interface');
		expect(nic && child(nic, 'mac', 'address')).toBe(expected);
	});

	test('a network is what a rule makes of it, the first that fits', () => {
		const rules = parseNetRules(
			'# prod\nmac:00:50:56:01:02:03 -> bridge=br1,model=e1000\nname:VM Network -> ovs=br-int,vlan=120\n\ntype:hostonly -> direct=eth0\ndefault -> network=lan,portgroup=p',
		);
		const xml = (...fields: string[]) => migrate(vmx('debian11-64', ...card(...fields)), { netMap: rules }).xml;
		expect(xml('networkName = "VM Network"', 'addressType = "static"', 'address = "00:50:56:01:02:03"')).toContain(
			"<source bridge='br1'/>",
		);
		const ovs = xml('networkName = "VM Network"');
		expect(ovs).toContain("<virtualport type='openvswitch'/>");
		expect(ovs).toContain("<tag id='120'/>");
		expect(xml('connectionType = "hostonly"')).toContain("<source dev='eth0' mode='bridge'/>");
		expect(xml('connectionType = "nat"')).toContain("<source network='lan' portgroup='p'/>");
	});

	test.each([
		['as the VMX has it', '50 34 26 b2 94 e9 3b 16-1d 68 87 bf ff 4a 54 40'],
		['as libvirt has it', '503426B2-94e9-3b16-1d68-87bfff4a5440'],
	])('a distributed switch is known by its UUID %s, and a rule that fits no card is told', (_, uuid) => {
		const netMap = parseNetRules(`dvs:${uuid} -> bridge=br3\nname:Other -> bridge=br9`);
		const dvs = card('dvs.switchId = "50 34 26 b2 94 e9 3b 16-1d 68 87 bf ff 4a 54 40"', 'dvs.portgroupId = "dvportgroup-1"');
		expect(migrate(vmx('debian11-64', ...dvs), { netMap }).xml).toContain("<source bridge='br3'/>");
		const { report } = planMigration(vmx('debian11-64', ...dvs), { netMap });
		const unused = report.filter(({ code }) => code === 'NET_RULE_UNUSED').map(({ severity, message }) => [severity, message]);
		expect(unused).toEqual([['info', "the rule 'name:Other' for bridge=br9 fits no card of this machine"]]);
	});

	test('a rule fits by the address that the card has in the domain', () => {
		const netMap = parseNetRules('mac:00:50:56:00:00:01 -> bridge=br7\ndefault -> bridge=br0');
		const { xml } = migrate(vmx('debian11-64', ...card('address = "00:50:56:00:00:01"')), { netMap });
		expect(parts(xml, 'interface').map((nic) => [child(nic, 'mac', 'address'), child(nic, 'source', 'bridge')])).toEqual([
			['00:50:56:00:00:01', 'br7'],
		]);
	});

	test.for([
		'a=direct=eth0,mode=foo',
		'a=bridge=b,model=vmxnet2',
		'a=bridge=br0,portgroup=web',
		'a=ovs=br0,mode=vepa',
		'a=network=n,portgroup=',
		'a=user,vlan=5',
	])('%s asks for what libvirt or QEMU has not', (rule) => {
		expect(() => parseNetRule(rule)).toThrow(UsageError);
	});

	test.for(['e1000-82545em', 'virtio-non-transitional', 'i82559er', 'igb', 'ne2k_pci'])('a card may be any that QEMU has: %s', (model) => {
		expect(parseNetRule(`a=direct=eth0,mode=passthrough,model=${model}`)).toMatchObject({ model, network: { mode: 'passthrough' } });
	});

	test.for(['bridge', 'a=bridge', 'a=bridge=b,vlan=5000', 'a=bridge=b,mtu=9000', 'a=what=b', 'nam:a=bridge=b'])('%s is no rule', (rule) => {
		expect(() => parseNetRule(rule)).toThrow(UsageError);
	});

	test('without a rule it is never a bridge of the same name, and one that kept the machine apart is unplugged', () => {
		const bridged = migrate(vmx('debian11-64', ...card('networkName = "VM Network"')));
		expect(bridged.xml).toContain("<source network='default'/>");
		expect(bridged.xml).not.toContain('bridge=');
		const apart = migrate(vmx('debian11-64', ...card('connectionType = "pvn"', 'pvnID = "52 1a"')));
		expect(apart.xml).toContain("<link state='down'/>");
		expect(apart.said).toContain('error NET_UNMAPPED ethernet0');
	});

	test.for([
		['160', '160'],
		['192', '192'],
		['1184', '161'],
		['1280', '257'],
		['33', '33'],
		['16', undefined],
	] as const)('a Linux keeps the name of a card in slot %s: ens%s', ([slot, number]) => {
		const text = vmx('debian11-64', ...pciBridges, ...card(`pciSlotNumber = "${slot}"`));
		const { xml, said: report } = migrate(text);
		expect(parts(xml, 'qemu:property').map(({ attributes }) => attributes.get('value'))).toEqual(number === undefined ? [] : [number]);
		expect(report.some((line) => line.includes('NIC_NAME_KEPT'))).toBe(number !== undefined);
		expect(migrate(text, { nicNames: false }).xml).not.toContain('qemu:');
	});
});

describe('the guest', () => {
	test.for([
		['darwin22-64', 'GUEST_UNSUPPORTED'],
		['rhel12-64', 'GUESTOS_UNKNOWN'],
		['windows2022srvNext-64', 'TOOLS_REPLACED'],
	] as const)('%s: %s', ([guest, code]) => {
		expect(said(vmx(guest)).some((line) => line.includes(code))).toBe(true);
	});

	test('is what its Tools reported, where guestOS says something else', () => {
		const text = vmx(
			'rhel7-64',
			`guestInfo.detailed.data = "bitness='64' distroName='Debian GNU/Linux' distroVersion='12' prettyName='Debian GNU/Linux 12 (bookworm)'"`,
			...scsi('lsilogic', 'scsi0:0'),
		);
		expect(migrate(text).xml).toContain("id='http://debian.org/debian/12'");
		expect(drives(text)).toEqual(['vda virtio']);
		expect(said(text)).toContain('info GUESTOS_CONFLICT guest');
	});

	test('a Windows gets enlightenments and its own clock, unless it must not know', () => {
		const { xml } = migrate(vmx('windows9-64'));
		for (const part of ["<stimer state='on'>", "<direct state='on'/>", "name='hypervclock'", "<clock offset='localtime'>"])
			expect(xml).toContain(part);
		const hidden = migrate(vmx('windows9-64', 'hypervisor.cpuid.v0 = "FALSE"')).xml;
		expect(hidden).not.toContain('<hyperv');
		expect(hidden).toContain("<hidden state='on'/>");
	});
});

describe('the machine', () => {
	test.for([
		['numvcpus = "10"\ncpuid.coresPerSocket = "4"', "<topology sockets='10' dies='1' cores='1' threads='1'/>", 'CPU_TOPOLOGY_INCONSISTENT'],
		['numvcpus = "2"\ncpuid.coresPerSocket = "8"', "<topology sockets='2' dies='1' cores='1' threads='1'/>", 'CPU_TOPOLOGY_INCONSISTENT'],
		['sched.cpu.shares = "16000"\nnumvcpus = "16"', '<shares>1024</shares>', 'SHARES_SCALED'],
		['memsize = "1000"\nsched.mem.max = "118"', "<currentMemory unit='KiB'>1024000</currentMemory>", 'MEM_LIMIT_LOST'],
		['memsize = "1000" # was "32"', "<memory unit='KiB'>1024000</memory>", 'CLOCK_ASSUMED'],
		['RemoteDisplay.vnc.enabled = "TRUE"\nRemoteDisplay.vnc.keymap = "d|01e"', "keymap='de'", 'CLOCK_ASSUMED'],
		[
			'numvcpus = "4"\ncpuid.coresPerSocket = "0"\ncpuid.coresPerSocket.cookie = "2"',
			"<topology sockets='2' dies='1' cores='2' threads='1'/>",
			'CLOCK_ASSUMED',
		],
		['guestOS = "windows9"\nfirmware = "efi"', "<os firmware='efi'>", 'FIRMWARE_32'],
		['monitor_control.restrict_backdoor = "TRUE"', '<domain', 'HARDENING_DROPPED'],
		['guestinfo.vmtools.buildNumber = "17337674"\nguestinfo.appInfo = "{}"', '<domain', 'VMX_STATE_IGNORED'],
		['memsize = "1002"', "<memory unit='KiB'>1026048</memory>", 'CLOCK_ASSUMED'],
		['firmware = "bios"', "machine='pc'>hvm", 'CLOCK_ASSUMED'],
		['firmware = "EFI"', "<os firmware='efi'>", 'NVRAM_NOT_CONVERTED'],
		['firmware = "coreboot"', '<os>', 'FIRMWARE_UNKNOWN'],
		['vtpm.present = "TRUE"\nfirmware = "efi"', "<tpm model='tpm-crb'>", 'TPM_STATE_LOST'],
		['managedvm.autoAddVTPM = "software"\nfirmware = "efi"', "<tpm model='tpm-crb'>", 'TPM_STATE_LOST'],
		['rtc.diffFromUTC = 0', "<clock offset='utc'>", 'VMX_SYNTAX_TOLERATED'],
		['rtc.diffFromUTC = "-3600"', "<clock offset='variable' adjustment='-3600' basis='utc'>", 'UUID_NEW'],
		['serial0.present = "TRUE"\nserial0.fileType = "thinprint"', '<domain', 'THINPRINT_DROPPED'],
		[
			'serial0.present = "TRUE"\nserial0.fileType = "pipe"\nserial0.fileName = "/tmp/p"\nserial0.pipe.endPoint = "client"',
			"<source mode='connect' path='/tmp/p'/>",
			'SERIAL_PIPE',
		],
		[
			'vm.genid = "-570734802784577186"\nvm.genidX = "-5042519231342505152"',
			'<genid>8312995e-57b8-f814-4013-c1ba795f05ba</genid>',
			'UUID_NEW',
		],
		[
			'vm.genid = "-802103094701856339"\nvm.genidX = "-5104727847056752683"',
			'<genid>2f0de9ad-5b7c-f4de-d53f-23b1115d28b9</genid>',
			'UUID_NEW',
		],
		['uuid.bios = "42 1a 61 77 5a a9 ab b7-59 24 fc 37 6c 18 a1 b4"', '<uuid>421a6177-5aa9-abb7-5924-fc376c18a1b4</uuid>', 'UUID_VIEW'],
		['vhv.enable = "TRUE"', "<feature policy='optional' name='vmx'/>", 'NESTED_VIRT'],
		['ide0:0.present = "TRUE"\nide0:0.deviceType = "rawDisk"\nide0:0.fileName = "a.vmdk"', "bus='ide'", 'DISK_RAW_UNMAPPED'],
		['scsi0:0.present = "TRUE"\nscsi0:0.fileName = "a.vmdk"', '<domain', 'DISK_WITHOUT_CONTROLLER'],
		['sata0.present = "TRUE"\nsata0:1.present = "TRUE"', "device='cdrom'", 'DISK_WITHOUT_FILE'],
		[
			'scsi0.present = "TRUE"\nscsi0:3.present = "TRUE"\nscsi0:3.deviceType = "scsi-passthru"\nscsi0:3.fileName = "/dev/sg3"',
			'<domain',
			'PASSTHROUGH',
		],
		['nvdimm0.present = "TRUE"\nnvdimm0:0.present = "TRUE"\nnvdimm0:0.fileName = "p.vmdk"', '<domain', 'PMEM_LOST'],
		['cleanShutdown = "FALSE"', '<domain', 'VM_UNCLEAN'],
	] as const)('%s', ([lines, part, code]) => {
		const { xml, said: report } = migrate(vmxWith(lines));
		expect(xml).toContain(part);
		expect(report.map((line) => line.split(' ')[1])).toContain(code);
	});

	test('its UUID is as the guest read it, or a new one, where that is asked for', () => {
		const text = vmxWith('uuid.bios = "42 1a 61 77 5a a9 ab b7-59 24 fc 37 6c 18 a1 b4"', 'vm.genid = "5"', 'vm.genidX = "6"');
		expect(migrate(text, { uuid: 'guest-bytes' }).xml).toContain('<uuid>77611a42-a95a-b7ab-5924-fc376c18a1b4</uuid>');
		expect(migrate(text, { uuid: 'new' }).xml).not.toMatch(/<uuid>|<genid>/);
	});

	test.for([
		['checkpoint.vmState = "x.vmss"', 'checkpoint.vmState'],
		['guestOS = "arm-debian12-64"', 'guestOS'],
		['memsize = "999999999999"', 'memsize'],
		['memsize = "4 GB"', 'memsize'],
		['memsize = "4096', 'memsize'],
		['memsize = "4096" and "32"', 'memsize'],
		['memsize = "0"', 'memsize'],
		['numvcpus = "99999"', 'numvcpus'],
		['encryption.keySafe = "x"', 'encryption.keySafe'],
	] as const)('%s is refused', ([line, field]) => {
		expect(() => migrate(vmxWith(line))).toThrow(expect.objectContaining({ field }));
		expect(() => migrate(vmxWith(line))).toThrow(UnsupportedError);
	});

	test('a suspended one goes on where its memory is given up', () => {
		const text = vmxWith('checkpoint.vmState = "x.vmss"');
		expect(said(text, { discardSuspend: true })).toContain('error VM_SUSPENDED machine');
		expect(said(text, { discardSuspend: true, snapshots: ['before'] })).toContain('warning SNAPSHOTS_DROPPED machine');
	});
});

test('delays of the BIOS are as long as libvirt takes them', () => {
	const lines = ['bios.bootDelay = "70000"', 'bios.bootRetry.enabled = "TRUE"', 'bios.bootRetry.delay = "60"'];
	const text = vmx('debian12-64', ...lines);
	expect(migrate(text).xml).toMatch(/<bootmenu enable='yes' timeout='65535'\/>\s*<bios rebootTimeout='32767'\/>/);
	expect(said(text).filter((each) => each === 'info BOOT_OPTION_LOST firmware')).toHaveLength(2);
});

test('what takes any drive of the host is an optical one, and no disk, without a type too', () => {
	const drive = vmx('debian12-64', 'sata0.present = "TRUE"', 'sata0:0.present = "TRUE"', 'sata0:0.fileName = "auto detect"');
	expect(said(drive)).toContain('warning CDROM_HOST_DEVICE sata0:0');
	expect(planMigration(drive).spec.disks.map(({ kind }) => kind)).toEqual(['cdrom']);
});

test('a floppy drive with an image is there unless that is denied', () => {
	const image = 'floppy0.fileName = "driver.flp"';
	expect(said(vmx('debian12-64', image))).toContain('info FLOPPY_DROPPED floppy0');
	expect(said(vmx('debian12-64', image, 'floppy0.present = "FALSE"'))).not.toContain('info FLOPPY_DROPPED floppy0');
	expect(said(vmx('debian12-64', 'floppy0.fileType = "file"'))).not.toContain('info FLOPPY_DROPPED floppy0');
});

describe('data that does not come along is an error', () => {
	const machine = (...lines: string[]) => vmx('debian12-64', ...scsi('pvscsi', 'scsi0:0'), ...lines);

	test('of a disk whose changes are in a log', () => {
		expect(said(machine('scsi0:0.redo = "./web.vmdk.REDO_a1b2c3"'))).toContain('error DISK_REDO scsi0:0');
		expect(said(machine('scsi0:0.redo = ""')).join()).not.toContain('DISK_REDO');
		const given = machine('scsi0:0.redo = "./web.vmdk.REDO_a1b2c3"', 'scsi0:0.mode = "independent-nonpersistent"');
		expect(said(given).join()).not.toContain('DISK_REDO');
	});

	test.each(['independent-nonpersistent', 'nonpersistent'])('and one that forgets goes on to forget: %s', (mode) => {
		const forgetful = machine(`scsi0:0.mode = "${mode}"`);
		expect(said(forgetful)).toContain('warning DISK_NONPERSISTENT scsi0:0');
		expect(migrate(forgetful).xml).toContain('<transient/>');
	});

	test('of a disk on USB', () => {
		const stick = ['usb.present = "TRUE"', 'usb:1.present = "TRUE"', 'usb:1.deviceType = "disk"'];
		expect(said(machine(...stick, 'usb:1.fileName = "stick.vmdk"'))).toContain('error DISK_USB_LOST usb');
		expect(said(machine(...stick, 'usb:1.fileName = "live.iso"')).join()).not.toContain('DISK_USB_LOST');
	});
});

test.each([
	['usb_xhci.autoConnect.device0 = "path:1/7/2 autoclean:1"', 'usb_xhci'],
	['usb.autoConnect.device0 = "vid:0529 pid:0001 autoclean:0"', 'usb'],
])('a device of the host is told of whichever controller it is on: %s', (line, subject) => {
	expect(said(vmx('debian12-64', 'usb_xhci.present = "TRUE"', line))).toContain(`warning USB_PASSTHROUGH ${subject}`);
	expect(said(vmx('debian12-64', line)).join()).not.toContain('USB_PASSTHROUGH');
});

test('nothing of it vanishes, and no secret is said', () => {
	expect(unaccounted(richVmx, planMigration).filter((key) => !INERT.test(key))).toEqual([]);
	const plan = planMigration(richVmx, { keepSource: true });
	const kept = JSON.stringify([plan.report, plan.spec.origin, migrate(richVmx, { keepSource: true }).xml]);
	expect(kept).not.toMatch(/opensesame|c2VjcmV0/);
	expect(migrate(richVmx, { keepSource: true }).xml).toContain("<vconv:entry key='some.new.key' value='1'/>");
});

test('any printable name is the name, or the title', () => {
	fc.assert(
		fc.property(fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }), (name) => {
			const escaped = name
				.replace(/[%/\\]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)
				.replace(/["|]/g, (c) => `|${c.charCodeAt(0).toString(16)}`);
			const { identity } = planMigration(vmxWith().replace('"x"', () => `"${escaped}"`)).spec;
			expect(identity.name).not.toMatch(/^$|\/|^\./);
			if (identity.name !== name && name.trim() !== '') expect(identity.title?.replaceAll(/\s/g, '')).toBe(name.replaceAll(/\s/g, ''));
		}),
		{ numRuns: 50 * (process.env['VCONV_THOROUGH'] ? 20 : 1) },
	);
});

/** Lines that any VMX may have, in any mixture. */
const line = fc.oneof(
	fc
		.record({
			bus: fc.constantFrom('scsi', 'sata', 'nvme', 'ide'),
			n: fc.nat(3),
			m: fc.nat(20),
			file: fc.constantFrom('a.vmdk', 'b-000001.vmdk', '', '/dev/sda', 'x.iso', 'auto detect', '[ds] c.vmdk'),
		})
		.map(({ bus, n, m, file }) =>
			[`${bus}${n}.present = "TRUE"`, `${bus}${n}:${m}.present = "TRUE"`, `${bus}${n}:${m}.fileName = "${file}"`].join('\n'),
		),
	fc
		.record({
			n: fc.nat(12),
			model: fc.constantFrom('vmxnet3', 'e1000', 'flexible', 'x'),
			type: fc.constantFrom('bridged', 'nat', 'hostonly', 'pvn', 'custom', ''),
		})
		.map(({ n, model: dev, type }) =>
			[
				`ethernet${n}.present = "TRUE"`,
				`ethernet${n}.virtualDev = "${dev}"`,
				`ethernet${n}.connectionType = "${type}"`,
				`ethernet${n}.pciSlotNumber = "${n * 32}"`,
			].join('\n'),
		),
	fc.constantFrom(
		'firmware = "efi"',
		'guestOS = "windows9-64"',
		'guestOS = "debian11-64"',
		'guestOS = "winXPPro"',
		'vtpm.present = "TRUE"',
		'scsi0.virtualDev = "lsisas1068"',
		'scsi1.virtualDev = "pvscsi"',
		'numvcpus = "6"',
		'sound.present = "TRUE"',
		'serial3.present = "TRUE"',
		'serial9.present = "TRUE"',
		'bios.hddOrder = "scsi0:1"',
		'annotation = "a|01b"',
	),
);

test('any machine is planned without a clash, or refused with an error of ours', () => {
	fc.assert(
		fc.property(fc.array(line, { maxLength: 25 }), fc.constantFrom('auto', 'compat', 'safe', 'preserve'), (lines, devices) => {
			try {
				const { disks, controllers } = planMigration(vmxWith(...lines), { devices }).spec;
				const unique = (values: readonly unknown[]) =>
					expect(new Set(values.map((value) => JSON.stringify(value))).size).toBe(values.length);
				unique(disks.map(({ target }) => target));
				unique(disks.filter(({ address }) => address).map(({ bus, address }) => [bus, address]));
				unique(controllers.map(({ bus, index }) => [bus, index]));
				const scsi = controllers.filter(({ bus }) => bus === 'scsi').map(({ index }) => index);
				for (const drive of disks) if (drive.bus === 'scsi') expect(scsi).toContain(drive.address?.[0]);
			} catch (error) {
				if (!(error instanceof VconvError)) throw error;
			}
		}),
		{ numRuns: 100 * (process.env['VCONV_THOROUGH'] ? 20 : 1) },
	);
});

test.for([
	[{ devices: 'virtioo' }, "devices 'virtioo' is not known", 'one of auto, compat, safe, virtio, preserve'],
	[{ clock: 'gmt' }, "clock 'gmt' is not known", 'one of utc, localtime'],
	[
		{ guest: { disk: { scsi: 'boot' } } },
		"guest.disk 'scsi' is not known",
		'one of virtio-scsi, virtio-blk, sata, pvscsi, lsisas1068, lsilogic, nvme, ide',
	],
	[{ guest: { nic: { e1000: 'yes' } } }, "guest: e1000 'yes' is not known", 'one of boot, installed, absent, unknown'],
] as const)('a word that a library says and there is not is refused with those that there are: %j', ([options, message, hint]) => {
	expect(() => migrate(vmx('debian11-64'), options as unknown as MigrateOptions)).toThrow(
		expect.objectContaining({ name: 'UsageError', message, hint }),
	);
});

test.for([
	[undefined, true],
	[32, true],
	[64, false],
] as const)('a key of 32 bits and loaders of %s are an error by EFI: %s', ([loaderBits, isError]) => {
	const { report } = planMigration(vmx('debian10', 'firmware = "efi"'), { guest: { firmware: 'efi', loaderBits } });
	expect(report.some(({ code }) => code === 'FIRMWARE_32')).toBe(isError);
});
