import { expect, it } from 'vitest';
import type { Facts } from '../../src/validate/facts.ts';
import { targetNamed, validate } from '../../src/validate/validate.ts';
import { domain, fired, img, inside, vm } from './facts-of.ts';
import { disk, guest, healthy, machine, noDrivers, system, volume } from './healthy.ts';

it('says that a machine was not shut down with the key, and not of one that was, nor of one that runs or is suspended', () => {
	const unclean = vm('cleanShutdown = "FALSE"');
	const found = validate(unclean, targetNamed('esxi')).find(({ id }) => id === 'vconv.vm.unclean');
	expect(found?.evidence).toEqual([
		{ what: 'cleanShutdown is FALSE, and no lock tells that it runs', file: 'web.vmx', key: 'cleanShutdown' },
	]);
	const told = unclean.machine as NonNullable<Facts['machine']>;
	for (const facts of [
		vm('cleanShutdown = "TRUE"'),
		healthy({ machine: { ...told, locks: ['web.vmx.lck'] } }),
		healthy({ machine: { ...told, suspended: ['web.vmss'] } }),
	])
		expect(fired(facts, 'esxi')).not.toContain('vconv.vm.unclean');
});

it('tells that a CPU of a domain is lost where its description means nothing, and a mask of a VMX anywhere but at VMware', () => {
	const masks = (facts: Facts, to: string) => validate(facts, targetNamed(to)).find(({ id }) => id === 'vconv.cpu.masks')?.evidence;
	const shown = domain(
		'',
		'<cpu mode="custom" match="exact"><model fallback="allow">Nehalem</model><feature policy="disable" name="avx"/><feature name="x2apic"/></cpu>',
	);
	expect(masks(shown, 'esxi')).toMatchObject([
		{ what: 'it is shown a Nehalem', key: 'cpu/model' },
		{ what: 'features: avx (disable), x2apic (require)' },
	]);
	for (const to of ['libvirt', 'kubevirt', 'proxmox']) expect(masks(shown, to)).toBeUndefined();
	for (const cpu of [
		'<cpu mode="host-passthrough" check="none" migratable="on"><feature policy="disable" name="vmx"/></cpu>',
		'<cpu mode="custom"><model>qemu64</model></cpu>',
	])
		expect(masks(domain('', cpu), 'azure')).toBeUndefined();
	const masked = vm('cpuid.1.ecx = "---- ---- ---- ---- ---- ---- --0- ----"');
	expect(masks(masked, 'libvirt')).toHaveLength(1);
	expect(masks(masked, 'esxi')).toBeUndefined();
});

it('says nothing of the age of a guest that starts from the disks of the target', () => {
	const kernels = [{ version: '2.6.32-754.el6.x86_64', default: true }];
	const starting = { state: 'boot', evidence: 'the initramfs' } as const;
	const old = (disks: object) =>
		inside({ os: system({ kernels }), drivers: { ...noDrivers, disk: { ...noDrivers.disk, ide: starting, ...disks } } });
	expect(fired(old({}), 'libvirt')).toContain('vconv.guest.old');
	expect(fired(old({ 'virtio-blk': starting }), 'libvirt')).not.toContain('vconv.guest.old');
	// Of Hyper-V's disks it knows nothing.
	expect(fired(old({ 'virtio-blk': starting }), 'hyperv')).toContain('vconv.guest.old');
});

it('what goes by the hardware is told where that changes, and not of a VMX at VMware', () => {
	const marks = (['root-device-name', 'device-name', 'device-by-path', 'lvm-devices-file', 'device-name-optional'] as const).map(
		(code) => ({ code, evidence: 'seen', where: 'somewhere' }),
	);
	const network = [{ source: '/etc/network/interfaces:3', name: 'ens192', method: 'static' }] as const;
	const facts = healthy({
		machine: machine('firmware = "efi"', 'uefi.secureBoot.enabled = "TRUE"', 'mks.enable3d = "TRUE"'),
		guest: guest({ os: system({ marks }), network, firmware: { type: 'uefi', fallbackLoader: true } }),
	});
	const told = [
		'vmware.secure_boot.detected',
		'vconv.guest.grub.device',
		'vconv.guest.fstab.device',
		'vconv.guest.fstab.hardware',
		'vconv.guest.lvm.devices',
		'vconv.guest.network.names',
		'vconv.guest.fstab.optional',
		'vconv.video.3d',
	];
	expect(fired(facts, 'libvirt')).toEqual(expect.arrayContaining(told));
	expect(fired({ ...facts, machine: undefined }, 'esxi')).toEqual(expect.arrayContaining(told.slice(1, -1)));
	expect(fired(facts, 'esxi')).toEqual([]);
});

it('a SCSI controller without disks is no matter to a target that has one model for all', () => {
	const second = ['scsi1.present = "TRUE"', 'scsi1.virtualDev = "lsisas1068"'];
	const drive = ['scsi1:0.present = "TRUE"', 'scsi1:0.deviceType = "cdrom-image"', 'scsi1:0.fileName = "a.iso"'];
	for (const lines of [second, [...second, ...drive]])
		expect(fired(healthy({ machine: machine(...lines) }), 'proxmox')).not.toContain('vconv.controller.models');
	const usual = ['scsi1.present = "TRUE"', 'scsi1:0.present = "TRUE"', 'scsi1:0.fileName = "b.vmdk"'];
	expect(fired(healthy({ machine: machine(...usual) }), 'proxmox')).toContain('vconv.controller.models');
});

it('a console of Arm is one, and KubeVirt has guests of 32 bits', () => {
	const line = (commandLine: string) => inside({ os: system({ arch: 'aarch64', bootloader: { kind: 'grub', commandLine } }) });
	expect(fired(line('root=UUID=1 console=ttyAMA0,115200'), 'azure')).not.toContain('vconv.guest.azure.console');
	expect(fired(line('root=UUID=1 console=tty0'), 'azure')).toContain('vconv.guest.azure.console');
	expect(fired(inside({ os: system({ arch: 'i686' }) }), 'kubevirt')).not.toContain('vconv.guest.arch32');
});

it('how a machine is run is told where it is set up in another way', () => {
	const told = ['vmware.cpu_memory.hotplug.enabled', 'vconv.cpu.shares', 'vconv.watchdog'];
	const seen = (facts: Facts, to: string) => fired(facts, to).filter((id) => told.includes(id));
	const vmx = vm('vcpu.hotadd = "TRUE"', 'sched.cpu.shares = "high"');
	expect(seen(vmx, 'libvirt').sort()).toEqual([...told.slice(0, 2)].sort());
	expect(seen(vmx, 'esxi')).toEqual([]);
	// Workstation adds nothing to a machine that runs.
	expect(seen(vmx, 'workstation')).toEqual(told.slice(0, 1));
	const kvm = domain('<watchdog model="itco" action="reset"/>', '<cputune><shares>2048</shares></cputune>');
	expect(seen(kvm, 'esxi').sort()).toEqual([...told.slice(1)].sort());
	expect(seen(kvm, 'libvirt')).toEqual([]);
});

it('USB and sound of a domain are told by their elements', () => {
	const found = validate(domain('<controller type="usb" model="qemu-xhci"/><sound model="ich9"/>'), targetNamed('azure'));
	const keys = ['vmware.usb_controller.detected', 'vconv.sound'].map((id) => found.find((one) => one.id === id)?.evidence[0]?.key);
	expect(keys).toEqual(['devices/controller', 'devices/sound']);
});

it('Secure Boot is in the way of an import at AWS of Windows alone, and of images by what Windows says of its last start', () => {
	const rule = 'vconv.guest.windows.secure_boot.import';
	const secure = machine('firmware = "efi"', 'uefi.secureBoot.enabled = "TRUE"');
	const started = guest({
		os: system({ family: 'windows', marks: [{ code: 'secure-boot', evidence: 'UEFISecureBootEnabled=1', where: 'x' }] }),
	});
	expect(fired(healthy({ machine: secure }), 'aws')).not.toContain(rule);
	expect(fired(healthy({ machine: undefined, guest: started }), 'aws')).toContain(rule);
	// Switched off since.
	expect(fired(healthy({ machine: machine('firmware = "efi"'), guest: started }), 'aws')).not.toContain(rule);
	expect(fired(healthy({ machine: secure, guest: started }), 'gcp')).not.toContain(rule);
});

it.each([
	[
		'vmdk',
		'monolithicSparse',
		{ aws: 'vmdk monolithicSparse, and AWS takes vmdk streamOptimized, raw, vhd, vhdx', azure: true, gcp: true, hyperv: true },
	],
	['vmdk', 'streamOptimized', { azure: true, gcp: true, hyperv: true }],
	['vmdk', 'twoGbMaxExtentSparse', { azure: true, aws: true, gcp: true, hyperv: true }],
	['vhd', 'dynamic', { azure: 'vhd dynamic, and Azure takes vhd fixed', gcp: true }],
	['vhd', 'fixed', { gcp: true }],
	['vhdx', 'dynamic', { azure: true, gcp: true }],
	['raw', undefined, { azure: true, hyperv: true }],
])('an image of %s %s is told to targets whose import refuses it', (format, kind, told: Readonly<Record<string, unknown>>) => {
	const key = format === 'vmdk' ? 'create-type' : 'disk-type';
	const specific = kind === undefined ? undefined : { type: format, data: { [key]: kind } };
	const facts = img({ format, info: { format, specific } });
	for (const to of ['azure', 'aws', 'gcp', 'hyperv', 'virtualbox', 'libvirt', 'esxi']) {
		const found = validate(facts, targetNamed(to)).find(({ id }) => id === 'vconv.image.format');
		expect(found !== undefined, to).toBe(to in told);
		if (typeof told[to] === 'string') expect(found?.evidence[0]?.what).toBe(told[to]);
	}
});

it('disks on SATA are counted where there are few places for them', () => {
	const many = (count: number, bus: string) => {
		const device = machine().spec.disks[0];
		return healthy({
			disks: Array.from({ length: count }, (_, unit) => disk({ path: `${unit}.vmdk`, device: device && { ...device, bus, unit } })),
		});
	};
	const full = (count: number, bus: string, to: string) => fired(many(count, bus), to).includes('vconv.disk.bus.full');
	expect([full(6, 'sata', 'proxmox'), full(7, 'sata', 'proxmox'), full(7, 'sata', 'libvirt')]).toEqual([false, true, false]);
	expect([full(4, 'ide', 'virtualbox'), full(5, 'ide', 'virtualbox')]).toEqual([false, true]);
});

it('CPUs of a domain that are not on at the start are there to be added', () => {
	const rule = 'vmware.cpu_memory.hotplug.enabled';
	const found = validate(domain('', '<vcpu current="2">4</vcpu>'), targetNamed('esxi')).find(({ id }) => id === rule);
	expect(found?.evidence).toEqual([{ what: 'CPUs', file: 'web.xml', key: 'vcpu/@current' }]);
	expect(found?.category).toBe('Warning');
	for (const vcpu of ['<vcpu>4</vcpu>', '<vcpu current="4">4</vcpu>']) expect(fired(domain('', vcpu), 'esxi')).not.toContain(rule);
	expect(fired(domain('', '<vcpu current="2">4</vcpu>'), 'libvirt')).not.toContain(rule);
});

it('a boot menu and memory that the guest has less of at the start are told', () => {
	const told = (facts: Facts, to: string) => validate(facts, targetNamed(to)).find(({ id }) => id === 'vconv.watchdog')?.evidence;
	// libvirt's memory is in KiB; the domain has 1 GiB.
	const facts = domain('', '<currentMemory>524288</currentMemory>');
	expect(told(facts, 'esxi')).toEqual([{ what: '512 MiB of 1 GiB of memory at the start', file: 'web.xml', key: 'currentMemory' }]);
	expect(told(facts, 'libvirt')).toBeUndefined();
	expect(told(domain('', '<currentMemory>1048576</currentMemory>'), 'esxi')).toBeUndefined();
	const menu = (enable: string) => domain('', `<os><type>hvm</type><bootmenu enable="${enable}"/></os>`);
	expect(told(menu('yes'), 'azure')).toEqual([{ what: 'a boot menu is shown', file: 'web.xml', key: 'os/bootmenu/@enable' }]);
	expect(told(menu('no'), 'azure')).toBeUndefined();
});

it('what is wrong with a volume or a disk is told once', () => {
	const broken = (...state: string[]) => healthy({ guest: guest({ volumes: [volume({ clean: false, state })] }) });
	const told = (facts: Facts) => fired(facts, 'azure').filter((id) => /filesystem|\.size|capacity/.test(id));
	expect(told(broken('errors'))).toEqual(['vconv.guest.filesystem.errors']);
	expect(told(broken('errors', 'casefold'))).toEqual(['vconv.guest.filesystem.errors']);
	expect(told(broken('needs-recovery', 'errors'))).toEqual(['vconv.guest.filesystem.errors', 'vconv.guest.filesystem.unclean']);
	expect(told(broken())).toEqual(['vconv.guest.filesystem.unclean']);
	expect(told(img({ size: 0 }))).toEqual(['vmware.disk.capacity.invalid']);
});

it('a mask of dashes masks nothing, in groups of four as well', () => {
	for (const value of ['-'.repeat(32), '----:----:----:----:----:----:----:----'])
		expect(fired(vm(`cpuid.1.ecx = "${value}"`), 'azure')).not.toContain('vconv.cpu.masks');
});

it('the NUMA nodes that a domain is bound to are told', () => {
	const numa = '<numatune><memory mode="strict" nodeset="0-1"/><memnode cellid="0" mode="strict" nodeset="1"/></numatune>';
	const found = validate(domain('', numa), targetNamed('libvirt')).find(({ id }) => id === 'vmware.numa_affinity.detected');
	expect(found?.evidence.map(({ what, key }) => [what, key])).toEqual([
		['0-1', 'numatune/memory/@nodeset'],
		['1', 'numatune/memnode/@nodeset'],
	]);
});
