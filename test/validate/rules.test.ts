import { describe, expect, it } from 'vitest';
import type { Facts } from '../../src/validate/facts.ts';
import { rules } from '../../src/validate/rules/index.ts';
import { targetNamed, validate } from '../../src/validate/validate.ts';
import {
	absent,
	broken,
	checked,
	domain,
	domcaps,
	dynamicDisk,
	extra,
	fired,
	flag,
	img,
	inside,
	luks,
	made,
	mark,
	mount,
	NVDIMM,
	nic,
	os,
	TiB,
	vm,
	vol,
	windows,
} from './facts-of.ts';
import { disk, drivers, guest, healthy, host, image, machine, noDrivers, system, withDisks } from './healthy.ts';

/** Of each rule: facts for which it fires, and the target if that is not libvirt. */
const cases: Readonly<Record<string, readonly [facts: Facts, target?: string]>> = {
	'vconv.vm.running': [healthy({ machine: { ...machine(), locks: ['web.vmx.lck'] } })],
	'vconv.vm.suspended': [healthy({ machine: { ...machine(), suspended: ['web.vmss'] } })],
	'vconv.vm.unclean': [vm('cleanShutdown = "FALSE"')],
	'vmware.snapshot.detected': [healthy({ machine: { ...machine(), snapshots: [{ name: 'before', memory: false }] } })],
	'ovirt.snapshot.online_memory.detected': [healthy({ machine: { ...machine(), snapshots: [{ name: 'before', memory: true }] } })],
	'vconv.snapshot.consolidation': [healthy({ machine: { ...machine(), unconsolidated: 'web.vmsd' } })],
	'vconv.vm.files.unread': [healthy({ machine: { ...machine(), unread: [{ kind: 'corrupt', message: 'seen', path: 'web.vmsd' }] } })],
	'vmware.vm.name.invalid': [vm('displayName = "Web Server"'), 'kubevirt'],
	'vconv.vm.name.missing': [vm('displayName = ""')],
	'vconv.vm.uuid.missing': [vm('uuid.bios = ""')],
	'vconv.vm.name.duplicate': [healthy({ others: [{ path: 'b.vmx', name: 'web', macs: [] }] })],
	'vconv.vm.uuid.duplicate': [healthy({ others: [{ path: 'b.vmx', uuid: '564d123456789abcdef0123456789abc', macs: [] }] })],
	'vconv.vm.mac.duplicate': [{ ...nic('ethernet0.virtualDev = "e1000e"'), others: [{ path: 'b.vmx', macs: ['00:50:56:00:00:01'] }] }],
	'vconv.vm.disks.none': [healthy({ disks: [] })],
	'vconv.disk.file.unsaid': [vm('sata0.present = "TRUE"', 'sata0:1.present = "TRUE"')],
	'vconv.vm.text': [vm('answer.msg = "yes"', 'answer.msg = "no"')],
	'vmware.fault_tolerance.enabled': [vm('ftcpt.enabled = "TRUE"')],

	'vmware.disk.capacity.invalid': [img({ size: 0 })],
	'vmware.datastore.missing': [broken('missing')],
	'vconv.image.reference.refused': [broken('refused')],
	'vconv.image.corrupt': [broken('corrupt')],
	'vconv.image.unsupported': [broken('unsupported')],
	'vconv.image.in_use': [broken('in-use')],
	'vconv.image.denied': [broken('denied')],
	'vconv.image.chain.changed': [broken('changed')],
	'vconv.image.errors': [
		checked({
			findings: [{ severity: 'error', code: 'x', message: 'seen', offset: 5 }],
			more: 0,
			counts: { error: 2, leak: 0, note: 0 },
		}),
	],
	'vconv.image.leaks': [
		checked({ findings: [{ severity: 'leak', code: 'x', message: 'seen' }], more: 0, counts: { error: 0, leak: 1, note: 0 } }),
	],
	'vconv.image.dirty': [img({ chain: [{ path: 'web.vmdk', format: 'vmdk', info: { format: 'vmdk', dirty: true } }] })],
	'vconv.image.marked': [
		checked({ findings: [{ severity: 'note', code: 'corrupt', message: 'seen' }], more: 0, counts: { error: 0, leak: 0, note: 1 } }),
	],
	'vconv.image.snapshots': [
		img({
			info: {
				format: 'qcow2',
				snapshots: [{ id: '1', name: 'a', vmStateSize: 0, dateSeconds: 0, dateNanoseconds: 0, vmClockNanoseconds: 0n }],
			},
		}),
	],
	'vconv.image.chain': [img({ chain: ['a', 'b'].map((path) => ({ path, format: 'vmdk', info: { format: 'vmdk' } })) })],
	'vconv.image.deltas': [healthy({ disks: [disk({ deltas: ['web-000001.vmdk'] })] })],
	'vconv.image.format': [img({ format: 'qcow2', info: { format: 'qcow2' } }), 'aws'],
	'vconv.disk.size.limit': [img({ size: 63 * TiB }), 'esxi'],
	'vconv.disk.size.least': [img({ size: 2 ** 20 }), 'azure'],
	'vconv.disk.size.multiple': [img({ size: 2 ** 30 + 512 }), 'azure'],
	'vconv.disk.size.sector': [img({ size: 2 ** 30 + 1 })],
	'vconv.disk.sectors.4k': [img({ sectorSize: 4096 }), 'virtualbox'],

	'vmware.disk.count.exceeds.limit': [healthy({ disks: Array.from({ length: 22 }, (_, i) => disk({ path: `${i}.vmdk` })) }), 'aws'],
	'vconv.disk.redo': [withDisks('scsi0:0.redo = "./web.vmdk.REDO_a1b2c3"')],
	'vconv.disk.usb': [vm('usb.present = "TRUE"', 'usb:1.present = "TRUE"', 'usb:1.deviceType = "disk"', 'usb:1.fileName = "key.vmdk"')],
	'vconv.memory.persistent': [vm(...NVDIMM)],
	'vmware.disk.rdm.detected': [
		healthy({ disks: withDisks('scsi0:0.deviceType = "rawDisk"').disks.map((one) => ({ ...one, image: undefined })) }),
	],
	'vmware.disk_mode.independent': [withDisks('scsi0:0.mode = "independent-persistent"')],
	'vconv.disk.nonpersistent': [withDisks('scsi0:0.mode = "independent-nonpersistent"')],
	'vconv.disk.undoable': [withDisks('scsi0:0.mode = "undoable"')],
	'vmware.disk.shared.detected': [withDisks('scsi0:0.sharing = "multi-writer"')],
	'vconv.disk.encrypted': [
		domain('<disk type="file"><source file="a.raw"><encryption format="luks"/></source><target dev="vda" bus="virtio"/></disk>'),
		'proxmox',
	],
	'vmware.disk.nvme.detected': [withDisks('nvme0.present = "TRUE"', 'nvme0:0.present = "TRUE"', 'nvme0:0.fileName = "b.vmdk"'), 'proxmox'],
	'vmware.disk_serial.truncated': [withDisks('disk.EnableUUID = "TRUE"')],
	'vmware.changed_block_tracking.disabled': [vm('ctkEnabled = "FALSE"')],
	'vconv.disk.position.duplicate': [
		healthy({ disks: [disk({ device: machine().spec.disks[0] }), disk({ path: 'b.vmdk', device: machine().spec.disks[0] })] }),
	],
	'vconv.disk.controller.missing': [vm('scsi0.present = "FALSE"')],
	'vconv.disk.image.duplicate': [healthy({ disks: [disk(), disk()] })],
	'vconv.disk.bus.full': [
		healthy({
			disks: Array.from({ length: 5 }, (_, unit) => {
				const device = machine().spec.disks[0];
				return disk({ path: `${unit}.vmdk`, device: device && { ...device, bus: 'ide', unit } });
			}),
		}),
	],
	'vconv.controller.models': [
		vm('scsi1.present = "TRUE"', 'scsi1.virtualDev = "lsisas1068"', 'scsi1:0.present = "TRUE"', 'scsi1:0.fileName = "b.vmdk"'),
		'proxmox',
	],
	'vconv.optical.media': [vm('ide0:0.present = "TRUE"', 'ide0:0.deviceType = "cdrom-image"', 'ide0:0.fileName = "tools.iso"')],
	'vconv.optical.absent': [vm('ide0:0.present = "TRUE"', 'ide0:0.deviceType = "cdrom-image"', 'ide0:0.fileName = "tools.iso"'), 'azure'],
	'vconv.floppy': [vm('floppy0.present = "TRUE"', 'floppy0.fileType = "file"', 'floppy0.fileName = "a.flp"'), 'azure'],

	'vconv.guest.disk.driver': [inside({ drivers: noDrivers })],
	'vconv.guest.disk.virtio': [
		healthy({
			choices: { devices: 'virtio' },
			guest: guest({ drivers: { ...drivers, disk: { ...drivers.disk, 'virtio-blk': absent, 'virtio-scsi': absent } } }),
		}),
	],
	'vconv.guest.disk.import': [inside({ drivers: noDrivers }), 'aws'],
	'vconv.guest.disk.unknown': [inside({ drivers: null })],
	'vconv.guest.disk.slower': [inside({ drivers: { ...drivers, disk: { ...drivers.disk, 'virtio-blk': absent, 'virtio-scsi': absent } } })],
	'vconv.guest.disk.staged': [
		inside({ drivers: { ...drivers, disk: { ...drivers.disk, 'virtio-blk': { state: 'staged', evidence: 'viostor.inf' } } } }),
	],
	'vconv.guest.network.driver': [inside({ drivers: { disk: drivers.disk, network: noDrivers.network } })],
	'vconv.guest.firmware.mismatch': [inside({ firmware: { type: 'uefi', fallbackLoader: true } })],
	'vconv.guest.firmware.fallback': [inside({ firmware: { type: 'uefi', fallbackLoader: false } })],
	'vconv.guest.firmware.bus': [
		{ ...inside({ firmware: { type: 'uefi' } }), machine: machine('firmware = "efi"'), choices: { devices: 'preserve' } },
	],
	'vconv.guest.boot.none': [inside({ firmware: { type: 'unknown' } })],
	'vconv.guest.partitions.damaged': [flag('gpt-backup-bad')],
	'vconv.guest.partitions.leftover': [flag('gpt-leftover')],
	'vconv.guest.partitions.outside': [flag('partition-outside')],
	'vconv.guest.partitions.sectors': [flag('gpt-sector-size-mismatch')],
	'vconv.guest.volume.cut': [vol({ fileSystemSize: 11 * 2 ** 30 })],
	'vconv.guest.root.spread': [vol({}, { id: 'disk1p1', mountpoint: '/boot' }), 'aws'],
	'vconv.guest.root.missing': [mark('root-missing', 'root=UUID=2')],
	'vconv.guest.root.several': [inside({ otherSystems: [system({ root: 'disk0p2' })] })],

	'vconv.guest.hibernated': [vol({ state: ['hibernated'], clean: false })],
	'vconv.guest.fast_startup': [mark('fast-startup')],
	'vconv.guest.filesystem.unclean': [vol({ clean: false, state: ['needs-recovery'] })],
	'vconv.guest.filesystem.errors': [vol({ clean: false, state: ['errors'] })],
	'vmware.guestDisks.btrfs.unsupported': [vol({}, { id: 'disk0p2', type: 'btrfs' })],
	'vconv.guest.filesystem.unread': [vol({}, { id: 'disk0p2', type: 'xfs', unsupported: 'vconv does not read XFS' })],
	'vconv.guest.encrypted.bitlocker': [vol({}, { id: 'disk0p2', type: 'BitLocker', encrypted: true })],
	'vconv.guest.encrypted.luks': [luks('passphrase')],
	'vconv.guest.encrypted.tpm': [luks('systemd-tpm2')],
	'vconv.guest.encrypted.network': [luks('clevis-tang')],
	'vconv.guest.encrypted.target': [vol({}, { id: 'disk0p2', type: 'crypto_LUKS', encrypted: true }), 'aws'],
	'vconv.guest.dynamic_disk': [dynamicDisk(windows(), false)],
	'vconv.guest.dynamic_disk.data': [dynamicDisk(system(), true)],
	'vconv.guest.lvm.missing': [inside({ incomplete: [{ where: 'vg:data', what: 'physical volumes', why: 'on no disk given: x' }] })],
	'vconv.guest.md.degraded': [vol({}, { id: 'md:1', state: ['degraded'] })],
	'vmware.guestDisks.freespace': [vol({ free: 2 ** 20 })],
	'vconv.guest.inodes': [vol({ freeInodes: 3 })],
	'vconv.guest.incomplete': [inside({ incomplete: [{ where: 'disk0p1', what: 'file system', why: 'damaged' }] })],

	'vmware.os.unsupported': [inside({ os: null })],
	'vconv.guest.grub.device': [mark('root-device-name', 'root=/dev/sda1')],
	'vconv.guest.grub.map': [mark('grub-device-map', '(hd0) /dev/sda')],
	'vconv.guest.fstab.device': [mark('device-name', '/dev/sdb1 on /data')],
	'vconv.guest.fstab.hardware': [mark('device-by-id', '/dev/disk/by-id/virtio-1 on /data')],
	'vconv.guest.fstab.optional': [mark('device-name-optional', '/dev/sdb2 on none')],
	'vconv.guest.fstab.missing': [mark('volume-missing', 'UUID=2 on /data')],
	'vconv.guest.fstab.hidden': [mark('volume-hidden', 'UUID=2 on /data')],
	'vconv.guest.resume': [mark('resume-device', 'resume=/dev/sda5')],
	'vconv.guest.lvm.devices': [mark('lvm-devices-file', 'IDTYPE=sys_wwid')],
	'vconv.guest.network.names': [inside({ network: [{ source: '/etc/network/interfaces:3', name: 'ens192', method: 'static' }] })],
	'vconv.guest.network.static': [inside({ os: windows(), network: [{ source: 'SYSTEM', method: 'static' }] })],
	'vconv.guest.network.persistent': [mark('udev-persistent-net')],
	'vmware.hostname.empty': [os({ hostname: 'localhost.localdomain' })],
	'vconv.guest.tools.vmware.windows': [inside({ os: windows(), software: { vmwareTools: '12.1' } })],
	'vconv.guest.tools.vmware.linux': [inside({ software: { vmwareTools: '12.1', qemuAgent: '1' } })],
	'vconv.guest.agent': [inside({ software: {} })],
	'vconv.guest.agent.azure': [inside({}), 'azure'],
	'vconv.guest.azure.console': [os({ bootloader: { kind: 'grub', commandLine: 'root=UUID=1 quiet' } }), 'azure'],
	'vconv.guest.antivirus': [inside({ os: windows(), software: { antivirus: ['Some'] } })],
	'vconv.guest.device_policy': [mark('device-install-restrictions')],
	'vconv.guest.powershell': [mark('powershell-all-signed')],
	'vconv.guest.pending_reboot': [mark('pending-reboot')],
	'vconv.guest.san_policy': [
		healthy({
			disks: [disk(), disk({ path: 'b.vmdk' })],
			guest: guest({ os: windows({ marks: [{ code: 'san-policy', evidence: 'SanPolicy=3', where: 'x' }] }) }),
		}),
	],
	'vconv.guest.vbs': [mark('vbs')],
	'vconv.guest.registry.damaged': [mark('hive-dirty')],
	'vconv.guest.kernel.guessed': [mark('default-kernel-guessed')],
	'vconv.guest.secure_boot': [mark('secure-boot')],
	'vconv.guest.role': [os({ role: 'domain-controller' })],
	'vconv.guest.wof': [mark('compact-os')],
	'vconv.guest.old': [inside({ os: system({ kernels: [{ version: '2.4.21-4.EL', default: true }] }), drivers: noDrivers })],
	'vconv.guest.arch32': [os({ arch: 'i686' }), 'gcp'],
	'vconv.guest.windows.sha2': [mark('sha2-signing-absent')],
	'vconv.guest.windows.powershell.old': [mark('powershell-old'), 'gcp'],
	'vconv.guest.windows.secure_boot.import': [
		{ ...inside({ os: windows() }), machine: machine('firmware = "efi"', 'uefi.secureBoot.enabled = "TRUE"') },
		'aws',
	],
	'vconv.guest.kernel.xen': [os({ kernels: [{ version: '2.6.18-419.el5xen', default: true }] })],
	'vconv.guest.resolv_conf.immutable': [mark('resolv-conf-immutable'), 'kubevirt'],
	'vconv.guest.azure.filesystems': [mark('filesystem-blocked', 'install udf /bin/true'), 'azure'],
	'vconv.guest.azure.swap': [mount('UUID=3', { type: 'swap', mountpoint: 'none' }), 'azure'],
	'vconv.guest.azure.lvm': [vol({ id: 'lv:vg/root' }), 'azure'],
	'vconv.guest.network.subnet': [inside({ network: [{ source: 'SYSTEM', method: 'static', addresses: ['192.168.7.5/23'] }] }), 'aws'],
	'vconv.guest.network.unknown': [{ ...nic('ethernet0.virtualDev = "e1000e"'), guest: guest({ network: [] }) }],
	'vconv.guest.cloud_init': [inside({ software: { qemuAgent: '1', cloudInit: '22.4' } })],

	'vmware.tpm.detected': [vm('vtpm.present = "TRUE"')],
	'vmware.secure_boot.detected': [vm('firmware = "efi"', 'uefi.secureBoot.enabled = "TRUE"')],
	'vconv.secure_boot.absent': [vm('uefi.secureBoot.enabled = "TRUE"'), 'none'],
	'vconv.boot.direct': [extra('os/kernel', '/boot/vmlinuz', 'DIRECT_BOOT_LOST'), 'esxi'],
	'vconv.firmware.absent': [vm(), 'none'],
	'vconv.firmware.unknown': [vm('firmware = "coreboot"')],
	'vconv.firmware.variables': [vm('firmware = "efi"')],
	'vconv.memory.protected': [vm('sev.enable = "TRUE"')],
	'vmware.passthrough_device.detected': [vm('pciPassthru0.present = "TRUE"', 'pciPassthru0.id = "0000:3b:00.0"')],
	'vmware.device.sriov.detected': [vm('ethernet0.present = "TRUE"', 'ethernet0.virtualDev = "sriov"')],
	'vmware.usb_controller.detected': [vm('usb.present = "TRUE"'), 'azure'],
	'vconv.usb.devices': [vm('usb.present = "TRUE"', 'usb.autoConnect.device0 = "vid:0529 pid:0001"')],
	'vmware.cpu_memory.hotplug.enabled': [vm('vcpu.hotadd = "TRUE"')],
	'vmware.cpu_affinity.detected': [vm('sched.cpu.affinity = "0,1"')],
	'vmware.numa_affinity.detected': [vm('numa.nodeAffinity = "0"')],
	'vconv.cpu.architecture': [made('ppc64'), 'azure'],
	'vconv.cpu.architecture.host': [made('aarch64'), 'proxmox'],
	'vconv.cpu.shares': [vm('sched.cpu.shares = "high"')],
	'vconv.cpu.masks': [vm('cpuid.1.ecx = "----:----:----:----:----:----:--0-:----"')],
	'vconv.cpu.nested': [vm('vhv.enable = "TRUE"')],
	'vconv.cpu.limit': [vm('numvcpus = "128"'), 'workstation'],
	'vconv.memory.limit': [vm('memsize = "262144"'), 'workstation'],
	'vconv.memory.unclear': [vm('memsize = "4 GB"'), 'libvirt'],
	'vconv.serial': [vm('serial0.present = "TRUE"', 'serial0.fileType = "device"', 'serial0.fileName = "/dev/ttyS0"')],
	'vconv.parallel': [vm('parallel0.present = "TRUE"', 'parallel0.fileName = "/dev/parport0"')],
	'vconv.sound': [vm('sound.present = "TRUE"', 'sound.virtualDev = "hdaudio"'), 'azure'],
	'vconv.shared_folders': [
		vm(
			'isolation.tools.hgfs.disable = "FALSE"',
			'sharedFolder.maxNum = "1"',
			'sharedFolder0.present = "TRUE"',
			'sharedFolder0.enabled = "TRUE"',
			'sharedFolder0.hostPath = "/home/me"',
			'sharedFolder0.guestName = "home"',
		),
	],
	'vconv.video.3d': [vm('mks.enable3d = "TRUE"')],
	'vconv.watchdog': [vm('watchdog.present = "TRUE"')],
	'vconv.hardware_version': [vm('virtualHW.version = "99"')],
	'vconv.keys.unknown': [vm('nobody.knows = "this"')],

	'vconv.nic.limit': [vm(...Array.from({ length: 9 }, (_, i) => `ethernet${i}.present = "TRUE"`)), 'virtualbox'],
	'vconv.nic.network.unmapped': [nic('ethernet0.networkName = "VM Network"')],
	'ovirt.nic.interface_type.unsupported': [nic(), 'kubevirt'],
	'ovirt.nic.network_filter.detected': [nic('ethernet0.filter0.name = "dvfilter"')],
	'vconv.nic.vlan': [
		healthy({
			machine: { ...machine(), spec: { ...machine().spec, nics: [{ index: 0, mac: {}, network: { type: 'none' }, vlans: [5] }] } },
		}),
	],
	'vconv.nic.unplugged': [nic('ethernet0.startConnected = "FALSE"')],
	'vconv.nic.mac.missing': [vm('ethernet0.present = "TRUE"')],
	'vconv.nic.mac.duplicate': [
		nic('ethernet1.present = "TRUE"', 'ethernet1.addressType = "static"', 'ethernet1.address = "00:50:56:00:00:01"'),
	],
	'vconv.nic.mac.multicast': [
		vm('ethernet0.present = "TRUE"', 'ethernet0.address = "01:00:5e:00:00:01"', 'ethernet0.addressType = "static"'),
	],
	'vconv.nic.remote': [vm('RemoteDisplay.vnc.enabled = "TRUE"')],

	'vconv.host.space': [healthy({ host: host({ free: 1 }) })],
	'vconv.host.largest_file': [healthy({ host: host({ largestFile: 2 ** 32 }) })],
	'vconv.host.machine': [healthy({ host: domcaps({ machine: 'pc-i440fx-8.2' }) })],
	'vconv.host.firmware': [healthy({ host: domcaps({ firmware: ['efi'] }) })],
	'vconv.host.secure_boot': [healthy({ machine: machine('uefi.secureBoot.enabled = "TRUE"'), host: domcaps({ secureBoot: false }) })],
	'vconv.host.tpm': [healthy({ machine: machine('vtpm.present = "TRUE"'), host: domcaps({ tpmBackends: [] }) })],
	'vconv.host.cpus': [healthy({ machine: machine('numvcpus = "64"'), host: domcaps({ maxCpus: 8 }) })],
	'vconv.host.qemu': [
		healthy({
			machine: { ...machine(), format: 'libvirt', spec: { ...machine().spec, platform: { machine: 'pc-q35-9.2' } } },
			host: domcaps({ machine: 'pc-q35-7.2' }),
		}),
	],
	'vconv.host.arch': [healthy({ host: domcaps({ arch: 'aarch64' }) })],
	'vconv.host.disk_bus': [healthy({ host: domcaps({ diskBuses: ['sata'] }) })],
};

describe('a rule', () => {
	it('has a case for which it fires, and no case is for a rule that is not there', () => {
		expect(Object.keys(cases).sort()).toEqual(rules.map(({ id }) => id).sort());
	});

	it.each(rules.map(({ id }) => id))('%s fires for what it is about, and not for a machine that is well', (id) => {
		const [facts, to = 'libvirt'] = cases[id] ?? [healthy()];
		expect(fired(facts, to)).toContain(id);
		// Two of them are about what a made-up target lacks, or every Linux.
		const well = to === 'none' ? 'libvirt' : id === 'vconv.guest.agent.azure' ? 'libvirt' : to;
		expect(fired(healthy(), well)).not.toContain(id);
	});

	it.each([
		['99', 'version 99, newer than 22'],
		['2', 'version 2, older than 3'],
	])('says of virtual hardware %s on which side of what is known it is', (version, what) => {
		const found = validate(vm(`virtualHW.version = "${version}"`), targetNamed('libvirt'));
		expect(found.find(({ id }) => id === 'vconv.hardware_version')?.evidence[0]?.what).toBe(what);
	});

	it('says nothing of the log of a disk that forgets what was written, nor of persistent memory where there is some', () => {
		const facts = withDisks('scsi0:0.redo = "./web.vmdk.REDO_a1b2c3"', 'scsi0:0.mode = "independent-nonpersistent"');
		expect(fired(facts, 'libvirt')).not.toContain('vconv.disk.redo');
		const memory = '<memory model="nvdimm"><source><path>/images/pmem</path></source></memory>';
		expect(fired(domain(memory), 'libvirt')).not.toContain('vconv.memory.persistent');
		expect(fired(domain(memory), 'esxi')).toContain('vconv.memory.persistent');
	});

	it.each(['undoable', 'append'])('says of %s that a log is lost, and not that writes are thrown away', (mode) => {
		const found = fired(withDisks(`scsi0:0.mode = "${mode}"`), 'libvirt');
		expect(found.filter((id) => /undoable|nonpersistent/.test(id))).toEqual(['vconv.disk.undoable']);
	});

	it.each([
		['cdrom-image', 'web.iso', true],
		['cdrom-image', '/usr/lib/vmware/isoimages/linux.iso', false],
		['cdrom-image', 'C:\\Program Files (x86)\\VMware\\VMware Workstation\\windows.iso', false],
		['atapi-cdrom"\nide0:0.clientDevice = "TRUE', 'CD/DVD drive 0', false],
	])('tells of a disc that somebody put in, and not of that of VMware Tools or of a viewer: %s, %s', (type, file, isTold) => {
		const facts = vm('ide0:0.present = "TRUE"', `ide0:0.deviceType = "${type}"`, `ide0:0.fileName = "${file}"`);
		expect(fired(facts, 'libvirt').includes('vconv.optical.media')).toBe(isTold);
	});

	it('holds the largest file of a folder against the image that a target gets, and not against the disk', () => {
		const need = (length: number) => [{ path: 'web.vmdk', length, written: 2 ** 20 }];
		const disks = [disk({ image: image({ size: 5 * TiB }) })];
		const facts = healthy({ disks, host: host({ largestFile: 4 * TiB, needed: { libvirt: need(2 ** 20), kubevirt: need(5 * TiB) } }) });
		expect(fired(facts, 'libvirt')).not.toContain('vconv.host.largest_file');
		expect(fired(facts, 'kubevirt')).toContain('vconv.host.largest_file');
	});

	it('adds up what all machines take that go to one folder', () => {
		const facts = (together: number) => healthy({ host: host({ free: 15 * 2 ** 30, together: { libvirt: together * 2 ** 30 } }) });
		expect(fired(facts(15), 'libvirt')).not.toContain('vconv.host.space');
		const found = validate(facts(20), targetNamed('libvirt')).find(({ id }) => id === 'vconv.host.space');
		expect(found?.evidence[0]?.what).toBe('up to 10 GiB, and 20 GiB with the other machines, are needed, and 15 GiB are free');
	});

	it('is not applied for targets that it is not about, nor where it is switched off', () => {
		const [facts] = cases['vconv.guest.encrypted.target'] ?? [healthy()];
		expect(fired(facts, 'libvirt')).not.toContain('vconv.guest.encrypted.target');
		const categories = new Map([['vconv.guest.encrypted.target', 'off' as const]]);
		expect(validate(facts, targetNamed('aws'), { categories }).map(({ id }) => id)).not.toContain('vconv.guest.encrypted.target');
	});
});

describe('a machine that is well', () => {
	it.each(['libvirt', 'proxmox', 'esxi', 'workstation', 'virtualbox'])('has nothing against %s', (to) => {
		expect(fired(healthy(), to)).toEqual([]);
	});

	it('has nothing against Hyper-V but the format of its disk', () => {
		expect(fired(healthy(), 'hyperv')).toEqual(['vconv.image.format']);
	});
});
