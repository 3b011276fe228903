import { describe, expect, test } from 'vitest';
import { machineFormats } from '../../formats/machines.ts';
import { diffMachines } from '../../src/machine/diff.ts';
import type { Machine } from '../../src/machine/format.ts';
import { lintMachine } from '../../src/machine/lint.ts';
import { parseNetRule } from '../../src/machine/migrate/net-map.ts';
import type { ToVmxOptions } from '../../src/machine/migrate/to-vmx-context.ts';
import { writtenWords } from '../../src/machine/migrate/written.ts';
import { parseMachine, planMachine, printMachine } from '../../src/machine/plan.ts';
import { kvmWith, richKvm } from './kvm-sample.ts';
import { pciBridges, richVmx, vmxWith } from './samples.ts';
import { NOT_HARDWARE, planBack, thereAndBack } from './there-and-back.ts';

const parse = (text: string, path = 'a'): Machine => parseMachine(new TextEncoder().encode(text), path, machineFormats);
const differences = (a: string, b: string) => diffMachines(parse(a), parse(b)).map(({ kind, path }) => `${kind} ${path}`);

describe('a VMX that was a domain of KVM for a while', () => {
	const full = `${richVmx.replace('virtualHW.version = "13"', 'virtualHW.version = "17"')}bios.hddOrder = "scsi0:1,scsi0:0"
rtc.diffFromUTC = "0"
hpet0.present = "TRUE"
sound.present = "TRUE"
sound.virtualDev = "es1371"
pciBridge0.present = "TRUE"
pciBridge0.pciSlotNumber = "17"
scsi1.present = "TRUE"
scsi1.virtualDev = "lsilogic"
`;

	test('has the same hardware again', () => {
		expect(diffMachines(parse(full), thereAndBack(full)).filter(({ path }) => !NOT_HARDWARE.test(path))).toEqual([]);
	});

	test.for(['ethernet1,hdd', 'hdd,ethernet1,ethernet0', 'net,hdd', 'cdrom,floppy,hdd'])('and starts from %s', (order) => {
		const text = `${full.replace('firmware = "efi"\n', '')}bios.bootOrder = "${order}"\n`;
		expect(thereAndBack(text).spec.firmware.bootOrder).toEqual(parse(text).spec.firmware.bootOrder);
	});

	test.for([
		['its bus', 'scsi1.sharedBus = "physical"', [undefined, 'physical']],
		['itself', 'scsi1:0.sharing = "multi-writer"', ['multi-writer', undefined]],
	] as const)('and shares a disk by %s', ([, line, expected]) => {
		const text = `${full}scsi1:0.present = "TRUE"\nscsi1:0.fileName = "quorum.vmdk"\n${line}\n`;
		const entries = new Map(thereAndBack(text).entries);
		expect([entries.get('scsi1:0.sharing'), entries.get('scsi1.sharedBus')]).toEqual(expected);
	});

	test('and a floppy drive that only its image tells of', () => {
		const entries = new Map(thereAndBack(vmxWith('floppy0.fileName = "driver.flp"')).entries);
		expect([entries.get('floppy0.present'), entries.get('floppy0.fileName')]).toEqual(['TRUE', 'driver.flp']);
	});

	test('and writes through to a disk that it shares', () => {
		const disk = ['present = "TRUE"', 'fileName = "quorum.vmdk"', 'sharing = "multi-writer"', 'writeThrough = "TRUE"'];
		const text = `${full}${disk.map((field) => `scsi1:0.${field}\n`).join('')}`;
		expect(new Map(thereAndBack(text).entries).get('scsi1:0.writeThrough')).toBe('TRUE');
	});

	test('and what was changed in the meantime stays changed', () => {
		const xml = printMachine(planMachine(parse(full), { intent: 'migrate', to: 'libvirt' }), machineFormats);
		const changed = xml
			.replace(/<memory unit='KiB'>\d+</, "<memory unit='KiB'>4194304<")
			.replace(/<currentMemory unit='KiB'>\d+</, "<currentMemory unit='KiB'>4194304<")
			.replace(/<interface (?:(?!<\/interface>).)*00:50:56:80:00:01.*?<\/interface>/s, '');
		const vmx = printMachine(planMachine(parse(changed), { intent: 'migrate', to: 'vmx' }), machineFormats);
		expect(vmx).toContain('memsize = "4096"');
		expect(vmx).not.toMatch(/ethernet1\.present = "TRUE"/);
		expect(vmx).toContain('scsi1.virtualDev = "lsilogic"');
	});

	test.for([
		['rhel8-64', 'pvscsi', 'compat'],
		['rhel8-64', 'lsisas1068', 'virtio'],
		['winnetstandard', 'lsilogic', 'preserve'],
	] as const)('and disks on the adapters that they were on, whose numbers have a gap: %s, %s, %s', ([guestOs, model, devices]) => {
		const disks = ['scsi0:0', 'scsi2:0', 'scsi2:3'];
		const adapters = ['scsi0', 'scsi2'].flatMap((id) => [`${id}.present = "TRUE"`, `${id}.virtualDev = "${model}"`]);
		const lines = disks.flatMap((id, at) => [`${id}.present = "TRUE"`, `${id}.fileName = "${at}.vmdk"`]);
		const kvm = planMachine(parse(vmxWith(`guestOS = "${guestOs}"`, ...adapters, ...lines)), { intent: 'migrate', to: 'libvirt', devices });
		const back = planMachine(parse(printMachine(kvm, machineFormats)), { intent: 'migrate', to: 'vmx' });
		expect(back.spec.disks.map(({ id }) => id)).toEqual(disks);
	});

	test('and names no files and devices of the host where it was', () => {
		const ofHost = [
			['workingDir', '/vmfs/volumes/old/x'],
			['fileSearchPath', '/vmfs/volumes/old;.'],
			['log.fileName', '/vmfs/volumes/old/vmware.log'],
			['bios440.filename', '/old/bios.rom'],
			['scsi0:0.redo', '/old/a.REDO'],
			['usb.autoConnect.device0', 'path:1/2/3 autoclean:1'],
			['usb_xhci.autoConnect.device0', 'path:1/7/2 autoclean:1'],
			['nvdimm0:0.fileName', 'x.nvdimm'],
			['pciPassthru0.present', 'TRUE'],
			['pciPassthru0.id', '0000:03:00.0'],
			['scsi0:1.fileName', '/vmfs/devices/genscsi/tape0'],
		] as const;
		const others = ['scsi0.present', 'scsi0:0.present', 'scsi0:1.present', 'nvdimm0.present', 'nvdimm0:0.present', 'usb.present'];
		const lines = [...ofHost.map(([key, value]) => `${key} = "${value}"`), ...others.map((key) => `${key} = "TRUE"`)];
		const vmx = vmxWith('scsi0:0.fileName = "a.vmdk"', 'scsi0:1.deviceType = "scsi-passthru"', 'log.keepOld = "20"', ...lines);
		const { report, ...back } = planBack(vmx);
		const text = printMachine({ report, ...back }, machineFormats);
		for (const [key, value] of ofHost) expect(text).not.toContain(`${key} = "${value}"`);
		expect(text).toContain('log.keepOld = "20"');
		const subjects = (code: string) => report.filter((told) => told.code === code).map(({ subject }) => subject);
		expect(subjects('PASSTHROUGH')).toEqual(['scsi0:1', 'pciPassthru']);
		expect(subjects('VMX_STATE_IGNORED')).toContain('the way back');
	});

	test('and nothing of what was made for it is missed, but what somebody added', () => {
		const card = ['present = "TRUE"', 'virtualDev = "vmxnet3"', 'pciSlotNumber = "192"', 'generatedAddress = "00:50:56:9a:9c:7a"'];
		const lines = [...pciBridges, 'guestOS = "rhel8-64"', 'memsize = "64"', 'rtc.diffFromUTC = "3600"'];
		const vmx = vmxWith(...lines, ...card.map((line) => `ethernet0.${line}`));
		const warned = (change?: (xml: string) => string) => planBack(vmx, change).report.filter(({ severity }) => severity !== 'info');
		expect(warned()).toEqual([]);
		const added = warned((xml) => xml.replace('</qemu:commandline>', "<qemu:arg value='-snapshot'/></qemu:commandline>"));
		expect(added.map(({ code, keys }) => [code, keys])).toEqual([['XML_UNKNOWN_PARTS', ['qemu:commandline/qemu:arg[3]/@value']]]);
		const other = warned((xml) => xml.replace("basis='utc'", "basis='localtime'"));
		expect(other.map(({ code }) => code)).toEqual(['CLOCK_LOST']);
	});

	describe('and keys that the products write', () => {
		const entriesOf = (lines: readonly string[], change?: (xml: string) => string) =>
			new Map(parse(printMachine(planBack(vmxWith('memsize = "64"', ...lines), change), machineFormats)).entries);

		test('what is built into USB stays whole, and a disk that was plugged in goes as a whole', () => {
			const usb = (port: number, type: string) => [
				`usb:${port}.present = "TRUE"`,
				`usb:${port}.deviceType = "${type}"`,
				`usb:${port}.port = "${port}"`,
			];
			const lines = ['usb.present = "TRUE"', ...usb(0, 'hid'), ...usb(1, 'hub'), ...usb(2, 'disk'), 'usb:2.fileName = "stick.vmdk"'];
			const keys = [...entriesOf(lines).keys()].filter((key) => /^usb:/.test(key));
			expect(keys).toEqual([0, 1].flatMap((port) => ['deviceType', 'port', 'present'].map((field) => `usb:${port}.${field}`)));
		});

		test('a TPM that Workstation adds by itself is not there before', () => {
			const lines = ['firmware = "efi"', 'guestOS = "windows11-64"', 'managedVM.autoAddVTPM = "software"'];
			const said = (change?: (xml: string) => string) => {
				const entries = entriesOf(lines, change);
				return [entries.get('managedVM.autoAddVTPM'), entries.get('vtpm.present')];
			};
			expect(said()).toEqual(['software', undefined]);
			expect(said((xml) => xml.replace(/<tpm .*<\/tpm>/s, ''))).toEqual([undefined, undefined]);
		});

		test.for([
			['windows11-64', '4', [], undefined],
			['windows11-64', '4', ['cpuid.coresPerSocket = "1"'], '1'],
			['centos9-64', '2', ['cpuid.coresPerSocket = "0"', 'cpuid.coresPerSocket.cookie = "2"'], '0'],
		] as const)('CPUs of %s, of which there are %s, are in the sockets that they were in: %j', ([guestOs, count, lines, expected]) => {
			const cpus = [`guestOS = "${guestOs}"`, `numvcpus = "${count}"`, ...lines];
			expect(entriesOf(cpus).get('cpuid.coresPerSocket')).toBe(expected);
			const more = (xml: string) =>
				xml.replace(/(<vcpu[^>]*>)\d+</, '$18<').replace(/<topology[^>]*>/, "<topology sockets='2' cores='4' threads='1'/>");
			expect(entriesOf(cpus, more).get('cpuid.coresPerSocket')).toBe('4');
		});

		test.for([
			['svga.autodetect = "TRUE"', 'TRUE'],
			['svga.autodetect = "FALSE"', 'FALSE'],
			['', undefined],
		] as const)('of the screen: %s', ([line, expected]) => {
			expect(entriesOf([line]).get('svga.autodetect')).toBe(expected);
		});
	});

	test('has names in the letters that it had, whatever encoding they were in', () => {
		const text = vmxWith(
			'.encoding = "windows-1252"\nsata0.present = "TRUE"\nsata0:0.present = "TRUE"\nsata0:0.fileName = "B\u00fcro.vmdk"',
		);
		const back = thereAndBack(Uint8Array.from(text, (character) => character.charCodeAt(0)));
		expect(back.spec.disks[0]?.media).toEqual({ type: 'file', path: 'B\u00fcro.vmdk' });
	});

	test('and a WWN that was made up for it is not missed, unless somebody gave it another', () => {
		const text = vmxWith(
			'guestOS = "rhel7-64"',
			'scsi0.present = "TRUE"',
			'scsi0.virtualDev = "lsisas1068"',
			'scsi0:0.present = "TRUE"',
			'scsi0:0.fileName = "a.vmdk"',
		);
		const xml = printMachine(planMachine(parse(text), { intent: 'migrate', to: 'libvirt' }), machineFormats);
		expect(xml).toContain('<wwn>');
		const lost = (domain: string) =>
			planMachine(parse(domain), { intent: 'migrate', to: 'vmx' }).report.some(({ code }) => code === 'DISK_SERIAL_LOST');
		expect(lost(xml)).toBe(false);
		expect(lost(xml.replace(/<wwn>.*<\/wwn>/, '<wwn>5000c50015ea71aa</wwn>'))).toBe(true);
		expect(lost(xml.replace('</wwn>', '</wwn><serial>S1</serial>'))).toBe(true);
	});

	const inGiB = (size: number) => (xml: string) =>
		xml.replaceAll(/<((?:currentM|m)emory) unit='KiB'>\d+</g, (_, name) => `<${name} unit='GiB'>${size}<`);

	test.for([
		[2, ['sched.mem.min = "2048"', 'sched.mem.minsize = "1024"', 'sched.mem.max = "4096"'], ['MEM_RESERVATION_LOST']],
		[4, ['sched.mem.min = "4096"', 'sched.mem.minsize = "1024"', 'sched.mem.max = "4096"'], []],
		[8, ['sched.mem.min = "8192"', 'sched.mem.minsize = "1024"', 'sched.mem.max = "8192"'], ['MEM_RESERVATION_LOST', 'MEM_LIMIT_LOST']],
	] as const)('what is reserved goes with the memory: %i GiB of 4', ([size, lines, codes]) => {
		const reserved = ['memsize = "4096"', 'sched.mem.min = "4096"', 'sched.mem.minsize = "1024"', 'sched.mem.max = "4096"'];
		const { report, ...back } = planBack(vmxWith(...reserved), inGiB(size));
		const text = printMachine({ report, ...back }, machineFormats);
		for (const line of lines) expect(text).toContain(`${line}\n`);
		expect(report.flatMap(({ code }) => (/^MEM_/.test(code) ? [code] : [])).sort()).toEqual([...codes].sort());
	});

	test('what is pinned is reserved as a whole', () => {
		const pinned = vmxWith('memsize = "4096"', 'sched.mem.min = "1024"', 'sched.mem.pin = "TRUE"');
		expect(printMachine(planBack(pinned, inGiB(2)), machineFormats)).toContain('sched.mem.min = "2048"');
	});

	test('no more CPUs come back than those of the host that they may use', () => {
		const bound = vmxWith('memsize = "4096"', 'numvcpus = "2"', 'sched.cpu.affinity = "0,1,2"');
		const withCpus = (count: number) => planBack(bound, (xml) => xml.replace(/(<vcpu[^>]*>)2</, `$1${count}<`));
		expect(withCpus(3).spec.cpu.affinity).toEqual([0, 1, 2]);
		const { spec, report } = withCpus(4);
		expect(spec.cpu.affinity).toBeUndefined();
		expect(report.map(({ code }) => code)).toContain('CPU_AFFINITY_LOST');
	});

	describe('a card that was unplugged for the time being', () => {
		const back = (lines: readonly string[], change?: (xml: string) => string, options?: ToVmxOptions) => {
			const vmx = vmxWith('ethernet0.present = "TRUE"', 'ethernet0.generatedAddress = "00:0c:29:00:00:01"', ...lines);
			const { spec, report } = planBack(vmx, change, options);
			return { connected: spec.nics[0]?.connected, said: report.some(({ code }) => code === 'NIC_LINK_DOWN') };
		};
		const hostonly = ['ethernet0.connectionType = "hostonly"'];

		test.for([
			['host-only', hostonly],
			['in a LAN segment', ['ethernet0.connectionType = "pvn"', 'ethernet0.pvnID = "52 00"']],
			['without a network', []],
		] as const)('%s, is plugged in again', ([, lines]) => {
			expect(back(lines)).toEqual({ connected: undefined, said: false });
			expect(back([...lines, 'ethernet0.startConnected = "TRUE"'])).toEqual({ connected: true, said: false });
			expect(back([...lines, 'ethernet0.startConnected = "FALSE"'])).toEqual({ connected: false, said: false });
		});

		test('and one that somebody else unplugged, or puts elsewhere, is not', () => {
			const moved = (xml: string) => xml.replace("<source network='default'/>", "<source network='lab'/>");
			const cut = (xml: string) => xml.replace('</interface>', "<link state='down'/></interface>");
			expect(back(hostonly, moved)).toEqual({ connected: false, said: true });
			expect(back(['ethernet0.networkName = "prod"'], cut)).toEqual({ connected: false, said: true });
			const plugged = (xml: string) => xml.replace("<link state='down'/>", '');
			expect(back([...hostonly, 'ethernet0.startConnected = "FALSE"'], plugged)).toEqual({ connected: undefined, said: false });
			expect(back(hostonly, undefined, { networks: new Map([['default', 'prod']]) })).toEqual({ connected: false, said: true });
		});
	});

	test.for([
		['folders that are shut off', ['isolation.tools.hgfs.disable = "TRUE"', 'sharedFolder0.enabled = "TRUE"']],
		['a folder that is not shared', ['isolation.tools.hgfs.disable = "FALSE"', 'sharedFolder0.enabled = "FALSE"']],
		[
			'a folder behind one that is not shared',
			['isolation.tools.hgfs.disable = "FALSE"', 'sharedFolder0.enabled = "FALSE"', 'sharedFolder1.enabled = "TRUE"'],
		],
	] as const)('%s, come back as they were', ([, lines]) => {
		const folder = (index: number) => [
			`sharedFolder${index}.present = "TRUE"`,
			`sharedFolder${index}.readAccess = "TRUE"`,
			`sharedFolder${index}.writeAccess = "TRUE"`,
			`sharedFolder${index}.hostPath = "/srv/${index}"`,
			`sharedFolder${index}.guestName = "${index}"`,
		];
		const all = [...lines, 'sharedFolder.maxNum = "2"', ...folder(0), ...folder(1)];
		const text = printMachine(planBack(vmxWith(...all)), machineFormats);
		for (const line of all) expect(text).toContain(`${line}\n`);
	});

	test.for([
		['a printer', ['serial1.fileType = "thinprint"', 'serial1.fileName = "thinprint"']],
		['a proxy', ['serial1.fileType = "network"', 'serial1.fileName = "ACPI"', 'serial1.network.endPoint = "client"']],
		['nothing', ['serial1.fileType = "null"']],
	] as const)('a port of %s comes back', ([, lines]) => {
		const text = printMachine(planBack(vmxWith('serial1.present = "TRUE"', ...lines)), machineFormats);
		for (const line of lines) expect(text).toContain(`${line}\n`);
	});

	test('devices that the hardware version has not are named', () => {
		const disk = ['sata0.present = "TRUE"', 'sata0:0.present = "TRUE"', 'sata0:0.fileName = "x.vmdk"'];
		const card = ['ethernet0.present = "TRUE"', 'ethernet0.virtualDev = "vmxnet3"'];
		const vmx = vmxWith(...disk, ...card).replace('virtualHW.version = "8"', 'virtualHW.version = "13"');
		const tooLow = (hardwareVersion?: number) =>
			planBack(vmx, undefined, { hardwareVersion }).report.flatMap(({ code, message }) => (code === 'HW_TOO_LOW' ? [message] : []));
		expect(tooLow(4)).toEqual(['SATA wants hardware version 10, and 4 is written', 'vmxnet3 wants hardware version 7, and 4 is written']);
		expect(tooLow(9)).toHaveLength(1);
		expect(tooLow()).toEqual([]);
	});

	test('a clock that comes back is not said to be lost, unless it was set', () => {
		const clock = vmxWith('rtc.startTime = "1500000000"');
		const lost = (change?: (xml: string) => string) => planBack(clock, change).report.filter(({ code }) => code === 'CLOCK_LOST');
		expect(printMachine(planBack(clock), machineFormats)).toContain('rtc.startTime = "1500000000"');
		expect(lost()).toEqual([]);
		expect(lost((xml) => xml.replace("start='1500000000'", "start='5'"))).toHaveLength(1);
	});

	test.for(['[fe80::1]', '192.0.2.1', ''])('a port on the network of %s is where it was', (host) => {
		const port = ['serial0.present = "TRUE"', 'serial0.fileType = "network"', `serial0.fileName = "telnet://${host}:22"`];
		const lines = [...port, 'serial0.network.endPoint = "server"'];
		expect(printMachine(planBack(vmxWith(...lines)), machineFormats)).toContain(lines[2]);
		const moved = (xml: string) => xml.replace(/service='22'/, "service='23'");
		const written = host === '' ? '0.0.0.0' : host;
		expect(printMachine(planBack(vmxWith(...lines), moved), machineFormats)).toContain(`"telnet://${written}:23"`);
	});

	test('generated addresses keep their distance from the first', () => {
		const card = ['ethernet1.present = "TRUE"', 'ethernet1.addressType = "generated"', 'ethernet1.generatedAddress = "00:0c:29:00:00:0b"'];
		const lines = [...card, 'ethernet1.generatedAddressOffset = "10"'];
		const text = printMachine(planBack(vmxWith(...lines)), machineFormats);
		for (const line of lines) expect(text).toContain(`${line}\n`);
	});

	test.for([
		['EFI', ['firmware = "efi"'], 'NVRAM_NOT_CONVERTED'],
		['a BIOS', [], 'NVRAM_IGNORED'],
	] as const)('the variables of %s are not named by a machine that moves without their file', ([, lines, code]) => {
		const vmx = vmxWith('nvram = "web.nvram"', ...lines);
		const back = (options?: ToVmxOptions) => {
			const { report, ...made } = planBack(vmx, undefined, options);
			const { severity } = report.find((told) => told.code === code) ?? {};
			return [/^nvram = .*/m.exec(printMachine({ report, ...made }, machineFormats))?.[0], severity];
		};
		expect(back()).toEqual(['nvram = "web.nvram"', code === 'NVRAM_NOT_CONVERTED' ? 'info' : undefined]);
		expect(back({ images: new Map() })).toEqual([undefined, code === 'NVRAM_NOT_CONVERTED' ? 'warning' : 'info']);
	});

	test('a LAN segment has its id alone', () => {
		const segment = ['ethernet0.present = "TRUE"', 'ethernet0.connectionType = "pvn"', 'ethernet0.pvnID = "52 00"'];
		const text = printMachine(planBack(vmxWith(...segment)), machineFormats);
		for (const line of segment) expect(text).toContain(`${line}\n`);
		expect(text).not.toContain('networkName');
	});

	describe('what somebody changed in the domain counts', () => {
		const card = ['ethernet0.present = "TRUE"', 'ethernet0.virtualDev = "vmxnet3"', 'ethernet0.generatedAddress = "00:0c:29:00:00:01"'];
		const shared = ['scsi0.present = "TRUE"', 'scsi0.sharedBus = "virtual"', 'scsi0:0.present = "TRUE"', 'scsi0:0.fileName = "q.vmdk"'];
		const port = ['serial0.present = "TRUE"', 'serial0.fileType = "pipe"', 'serial0.fileName = "/tmp/p"'];
		const put = (from: string | RegExp, to: string) => (xml: string) => {
			expect(xml).toMatch(from);
			return xml.replace(from, to);
		};

		test.for([
			['the name', ['displayName = "a/b"'], put(/<name>.*<\/name>/, '<name>new</name>'), 'displayName = "new"', 'a%2fb'],
			[
				'the guest',
				['guestOS = "debian12-64"'],
				put('debian.org/debian/12', 'ubuntu.com/ubuntu/22.04'),
				'guestOS = "ubuntu-64"',
				'debian12',
			],
			[
				'the network',
				[...card, 'ethernet0.connectionType = "nat"'],
				put("network='default'", "network='dmz'"),
				'networkName = "VM Network"',
				'nat',
			],
			[
				'the network of a switch',
				[...card, 'ethernet0.opaqueNetwork.id = "n1"'],
				put("network='default'", "network='dmz'"),
				'networkName = "VM Network"',
				'opaqueNetwork',
			],
			[
				'the card',
				[...card, 'ethernet0.networkName = "p"'],
				put(/<model type='virtio'\/>\s*<boot/, "<model type='e1000'/><boot"),
				'virtualDev = "e1000"',
				'vmxnet3',
			],
			[
				'the card, which stays where it is',
				[...card, 'ethernet0.networkName = "p"'],
				put(/<model type='virtio'\/>\s*<boot/, "<model type='e1000'/><boot"),
				'networkName = "p"',
				'VM Network',
			],
			['a port', port, put("<serial type='unix'>", "<serial type='file'>"), 'serial0.fileType = "file"', '"pipe"'],
			[
				'the clock',
				['rtc.startTime = "1500000000"'],
				put(/<clock offset='absolute' start='\d+'/, "<clock offset='utc'"),
				'rtc.diffFromUTC = "0"',
				'startTime',
			],
			['sound', ['sound.present = "TRUE"', 'sound.virtualDev = "es1371"'], put(/<sound.*\/>/, ''), 'displayName', 'sound'],
			[
				'nested machines',
				['vhv.enable = "TRUE"'],
				put(/<feature .*name='(vmx|svm)'\/>\s*<feature .*name='(vmx|svm)'\/>/, ''),
				'displayName',
				'vhv',
			],
			[
				'the hypervisor',
				['hypervisor.cpuid.v0 = "FALSE"'],
				(xml: string) => xml.replace(/<hidden[^>]*>/, '').replace(/<feature [^>]*name='hypervisor'\/>/, ''),
				'displayName',
				'cpuid.v0',
			],
			['USB', ['usb.present = "TRUE"'], put("model='qemu-xhci'", "model='ich9-ehci1'"), 'ehci.present = "TRUE"', 'xhci'],
			['shares', ['sched.cpu.shares = "high"'], put(/<shares>\d+</, '<shares>1024<'), 'sched.cpu.shares = "normal"', 'high'],
			['sharing', shared, put('<shareable/>', ''), 'scsi0:0.present', 'sharedBus'],
			['the bus of a disk', shared, put(/bus='(virtio|scsi|sata)'/, "bus='ide'"), 'ide0:0.present', 'scsi0:0.present'],
		] as const)('%s', ([, lines, change, there, gone]) => {
			const vmx = vmxWith('guestOS = "debian12-64"', ...lines);
			const text = printMachine(planBack(vmx, change), machineFormats);
			expect(text).toContain(there);
			expect(text).not.toContain(gone);
		});

		test('and nothing else, for a domain as it was written says what was written down of it', () => {
			const there = planMachine(parse(full), { intent: 'migrate', to: 'libvirt' });
			const { spec } = parse(printMachine(there, machineFormats));
			expect(writtenWords(spec)).toEqual(there.spec.origin?.written);
			expect(spec.origin?.written).toEqual(there.spec.origin?.written);
		});

		test('and a network that was said by a rule is as it was', () => {
			const vmx = parse(vmxWith(...card, 'ethernet0.networkName = "prod"'));
			const there = planMachine(vmx, { intent: 'migrate', to: 'libvirt', netMap: [parseNetRule('default=ovs=br-int,vlan=7,model=e1000')] });
			const { report, ...back } = planMachine(parse(printMachine(there, machineFormats)), { intent: 'migrate', to: 'vmx' });
			expect(printMachine({ report, ...back }, machineFormats)).toContain('ethernet0.networkName = "prod"');
			expect(report.map(({ code }) => code)).not.toContain('VLAN_TO_PORTGROUP');
		});
	});

	describe('what the product has not is left out, with a word', () => {
		const card = ['ethernet0.present = "TRUE"', 'ethernet0.generatedAddress = "00:0c:29:00:00:01"'];
		const dvs = [
			'ethernet0.dvs.switchId = "50 34 26 b2 94 e9 3b 16-1d 68 87 bf ff 4a 54 40"',
			'ethernet0.dvs.portgroupId = "dvportgroup-1"',
		];
		const folder = ['sharedFolder0.present = "TRUE"', 'sharedFolder0.enabled = "TRUE"', 'sharedFolder0.hostPath = "C:\\Users"'];
		const folders = ['isolation.tools.hgfs.disable = "FALSE"', 'sharedFolder.maxNum = "1"', ...folder];
		const drive = ['ide1:0.present = "TRUE"', 'ide1:0.deviceType = "cdrom-image"', 'ide1:0.fileName = "C:\\d.iso"'];

		test.for([
			['NAT', 'esxi', [...card, 'ethernet0.connectionType = "nat"'], 'NET_UNMAPPED', /"nat"/],
			['a host-only network', 'esxi', [...card, 'ethernet0.connectionType = "hostonly"'], 'NET_UNMAPPED', /hostonly/],
			['a LAN segment', 'esxi', [...card, 'ethernet0.connectionType = "pvn"', 'ethernet0.pvnID = "52"'], 'NET_UNMAPPED', /pvn/i],
			['VMnet3', 'esxi', [...card, 'ethernet0.connectionType = "custom"', 'ethernet0.vnet = "VMnet3"'], 'NET_UNMAPPED', /vmnet3|custom/i],
			['a distributed switch', 'hosted', [...card, ...dvs], 'NET_UNMAPPED', /dvs/],
			['a network of NSX', 'hosted', [...card, 'ethernet0.opaqueNetwork.id = "n1"'], 'NET_UNMAPPED', /opaqueNetwork/],
			['sound', 'esxi', ['sound.present = "TRUE"'], 'DEVICE_DROPPED', /sound/],
			['a folder', 'esxi', folders, 'SHARED_FOLDER_DROPPED', /sharedFolder0|Users/],
			['a disc', 'esxi', drive, 'CDROM_MEDIA_DROPPED', /\.iso/],
			['a diskette', 'esxi', ['floppy0.present = "TRUE"', 'floppy0.fileName = "C:\\d.flp"'], 'FLOPPY_DROPPED', /\.flp/],
			['a printer', 'esxi', ['serial1.present = "TRUE"', 'serial1.fileType = "thinprint"'], 'SERIAL_DROPPED', /thinprint/],
			[
				'what a parallel port prints to',
				'esxi',
				['parallel0.present = "TRUE"', 'parallel0.fileType = "file"', 'parallel0.fileName = "C:\\p"'],
				'SERIAL_FILE_MOVED',
				/C:/,
			],
			[
				'a datastore',
				'hosted',
				['ide1:0.present = "TRUE"', 'ide1:0.deviceType = "cdrom-image"', 'ide1:0.fileName = "/vmfs/volumes/a/d.iso"'],
				'CDROM_MEDIA_DROPPED',
				/vmfs/,
			],
		] as const)('%s on %s', ([, product, lines, code, gone]) => {
			const { report, ...back } = planBack(vmxWith('guestOS = "ubuntu-64"', ...lines), undefined, { product });
			expect(printMachine({ report, ...back }, machineFormats)).not.toMatch(gone);
			expect(report.map((one) => one.code)).toContain(code);
			expect(printMachine(planBack(vmxWith(...lines)), machineFormats)).toMatch(gone);
		});

		test('and a port group of its own is not', () => {
			const lines = [...card, 'ethernet0.networkName = "prod"'];
			const { report, ...back } = planBack(vmxWith(...lines), undefined, { product: 'esxi' });
			expect(printMachine({ report, ...back }, machineFormats)).toContain('ethernet0.networkName = "prod"');
			expect(report.map(({ code }) => code)).not.toContain('NET_UNMAPPED');
		});
	});

	test('no secret went along', () => {
		const xml = printMachine(planMachine(parse(full), { intent: 'migrate', to: 'libvirt' }), machineFormats);
		expect(xml).not.toMatch(/opensesame|c2VjcmV0/);
	});

	test('and what did not is named on the way back, but for what a VMX that comes back does not say in any case', () => {
		const { report } = planBack(
			vmxWith('guestinfo.userdata = "c2VjcmV0"', 'RemoteDisplay.vnc.password = "opensesame"', 'vtpm.ekCRT = "x"'),
		);
		expect(report.find(({ code }) => code === 'SECRET_WITHHELD')).toMatchObject({
			severity: 'warning',
			message: expect.stringMatching(
				/: RemoteDisplay\.vnc\.password, guestinfo\.userdata$|: guestinfo\.userdata, RemoteDisplay\.vnc\.password$/,
			),
		});
		const notes = vmxWith('annotation = "see https://me:opensesame@host/"');
		expect(planBack(notes).spec.identity.description).toContain('opensesame');
		expect(planBack(notes).report.map(({ code }) => code)).not.toContain('SECRET_WITHHELD');
		expect(planBack(vmxWith()).report.map(({ code }) => code)).not.toContain('SECRET_WITHHELD');
	});
});

describe('a domain of KVM that was a VMX for a while', () => {
	const UUID = '00112233-4455-6677-8899-aabbccddeeff';
	const print = (text: string, to: 'libvirt' | 'vmx'): string =>
		printMachine(planMachine(parse(text, 'x'), { intent: 'migrate', to }), machineFormats);

	test('has its UUID again, as often as it goes there and back, and the guest reads it throughout', () => {
		const vmx = print(kvmWith(), 'vmx');
		// VMware shows the first three fields of these bytes the other way round (hardware specification, appendix C).
		expect(vmx).toContain('uuid.bios = "33 22 11 00 55 44 77 66-88 99 aa bb cc dd ee ff"');
		const domain = print(vmx, 'libvirt');
		expect(domain).toContain(`<uuid>${UUID}</uuid>`);
		expect(print(print(domain, 'vmx'), 'libvirt')).toContain(`<uuid>${UUID}</uuid>`);
	});

	test('and another one, where VMware has copied it meanwhile', () => {
		const copy = print(kvmWith(), 'vmx').replace('uuid.bios = "33', 'uuid.bios = "34');
		expect(print(copy, 'libvirt')).toContain('<uuid>34221100-5544-7766-8899-aabbccddeeff</uuid>');
	});
});

describe('two descriptions', () => {
	test('are the same machine, however they are written', () => {
		const upper = richVmx.replaceAll('"TRUE"', '"true"').split('\n').toReversed().join('\n').replace('memSize', 'MEMSIZE');
		expect(differences(richVmx, upper)).toEqual([]);
		expect(differences(richKvm, richKvm.replace("<memory unit='MiB'>2049", "<!-- c --><memory unit='KiB'>2098176"))).toEqual([]);
	});

	test('differ where they say something else', () => {
		expect(differences(richVmx, richVmx.replace('"2048"', '"4096"'))).toEqual(['different memory/size']);
		expect(differences(richVmx, richVmx.replace('some.new.key = "1"\n', ''))).toEqual(['missing others/some.new.key']);
		expect(differences(vmxWith(), vmxWith('numvcpus = "2"'))).toEqual(['extra cpu/count']);
		const disk = (dev: string, bus = 'virtio') => `<disk type='file'><source file='/${dev}'/><target dev='${dev}' bus='${bus}'/></disk>`;
		expect(differences(kvmWith(disk('vda') + disk('sda', 'sata')), kvmWith(disk('sda', 'sata') + disk('vda')))).toContain('order disks');
		expect(differences(kvmWith(disk('vda') + disk('vdb')), kvmWith(disk('vdb') + disk('vda')))).toEqual([]);
	});

	test('of different forms are compared by their hardware', () => {
		const card =
			'ethernet0.present = "TRUE"\nethernet0.virtualDev = "e1000"\nethernet0.addressType = "static"\nethernet0.address = "00:50:56:01:02:03"';
		const vmx = vmxWith('memsize = "4"', 'numvcpus = "2"', 'uuid.bios = "33 22 11 00 55 44 77 66-88 99 aa bb cc dd ee ff"', card);
		const domain = kvmWith("<interface type='null'><mac address='00:50:56:01:02:03'/><model type='e1000'/></interface>", '<vcpu>2</vcpu>');
		expect(differences(vmx, domain)).toEqual([]);
		expect(differences(vmx, domain.replace("'e1000'", "'virtio'"))).toEqual(['different nics/0/model']);
	});

	test('and a secret that differs is not shown', () => {
		const [said] = diffMachines(parse(richVmx), parse(richVmx.replace('opensesame', 'sesame')));
		expect(said).toEqual({ path: 'displays/0/password', kind: 'different' });
	});
});

describe('a description that contradicts itself', () => {
	const codes = (text: string) => lintMachine(parse(text)).map(({ code }) => code);
	const disk = (dev: string, more = '') =>
		`<disk type='file' device='disk'><source file='/one'/><target dev='${dev}' bus='virtio'/>${more}</disk>`;
	const card = (mac: string) => `<interface type='user'><mac address='${mac}'/></interface>`;

	test.for([
		['two disks on one image', kvmWith(disk('vda') + disk('vdb')), 'DISK_SHARED'],
		['two disks of one name', kvmWith(disk('vda') + disk('vda')), 'DISK_TARGET_TWICE'],
		['two disks that boot first', kvmWith(disk('vda', "<boot order='1'/>") + disk('vdb', "<boot order='1'/>")), 'BOOT_ORDER_GUESSED'],
		['one address twice', kvmWith(card('52:54:00:00:00:01') + card('52:54:00:00:00:01')), 'MAC_INVALID'],
		['a multicast address', kvmWith(card('01:00:5e:00:00:01')), 'MAC_INVALID'],
		['three cores in each of two', vmxWith('numvcpus = "2"', 'cpuid.coresPerSocket = "3"'), 'CPU_TOPOLOGY_INCONSISTENT'],
		[
			'a disk at the place of its adapter',
			vmxWith('scsi0.present = "TRUE"', 'scsi0:7.present = "TRUE"', 'scsi0:7.fileName = "a.vmdk"'),
			'DISK_UNREACHED',
		],
		['an unknown key', vmxWith('some.new.key = "1"'), 'VMX_UNKNOWN_KEYS'],
		['a line that is none', vmxWith('what is this'), 'VMX_LINE_IGNORED'],
	] as const)('%s', ([, text, code]) => {
		expect(codes(text)).toContain(code);
	});

	test('and one that does not has nothing to be said of', () => {
		expect(codes(vmxWith('numvcpus = "2"'))).toEqual([]);
		expect(codes(kvmWith(disk('vda') + card('52:54:00:00:00:01')))).toEqual([]);
	});
});
