import { expect, it } from 'vitest';
import { fired, inside } from './facts-of.ts';
import { guest, healthy, machine, noDrivers, withDisks } from './healthy.ts';

it('boot entries and NVRAM go with a machine that stays with VMware', () => {
	const facts = healthy({ machine: machine('firmware = "efi"'), guest: guest({ firmware: { type: 'uefi', fallbackLoader: false } }) });
	const told = ['vconv.guest.firmware.fallback', 'vconv.firmware.variables'];
	expect(fired(facts, 'libvirt')).toEqual(expect.arrayContaining(told));
	for (const to of ['esxi', 'workstation']) expect(fired(facts, to).filter((id) => told.includes(id))).toEqual([]);
});

it('a loader is looked for wherever firmware looks for one, also where the disks could be started by BIOS as well', () => {
	const id = 'vconv.guest.firmware.fallback';
	const firmware = { type: 'dual', fallbackLoader: false } as const;
	const said = (type: string) => healthy({ machine: machine(`firmware = "${type}"`), guest: guest({ firmware }) });
	expect(fired(said('efi'), 'libvirt')).toContain(id);
	expect(fired(said('bios'), 'libvirt')).not.toContain(id);

	const part = { number: 1, start: 2 ** 20, size: 2 ** 26, bootable: false };
	const [old] = guest().disks;
	const byEfi = { index: 0, image: 'a', size: 2 ** 30, sectorSize: 512, scheme: 'gpt', flags: [], biosBootCode: null } as const;
	const esp = { ...byEfi, partitions: [{ ...part, type: 'esp' }] };
	const alone = (...disks: readonly (typeof esp | typeof old)[]) => ({
		...inside({ firmware, disks: disks.flatMap((one) => one ?? []) }),
		machine: undefined,
	});
	expect(fired(alone(esp, old), 'libvirt')).toContain(id);
	expect(fired(alone(old, esp), 'libvirt')).not.toContain(id);
});

it('a domain that starts by the OVMF of its loader, without a type, wants what its disks are made for', () => {
	const { spec, ...rest } = machine();
	const domain = { ...rest, format: 'libvirt', spec: { ...spec, firmware: { loader: '/usr/share/OVMF/OVMF.fd' } } };
	const facts = (type: 'bios' | 'uefi') => healthy({ machine: domain, guest: guest({ firmware: { type, fallbackLoader: true } }) });
	expect(fired(facts('uefi'), 'libvirt')).not.toContain('vconv.guest.firmware.mismatch');
	expect(fired(facts('bios'), 'libvirt')).toContain('vconv.guest.firmware.mismatch');
});

it('where the system was not seen, the loader has to be for the CPU that the description says', () => {
	const found = (loader: string) =>
		guest({ os: null, drivers: null, firmware: { type: 'uefi', fallbackLoader: true, loaders: [`/EFI/BOOT/${loader}`] } });
	const says = (loader: string, ...lines: string[]) =>
		fired(healthy({ machine: machine('firmware = "efi"', ...lines), guest: found(loader) }), 'libvirt').includes(
			'vconv.guest.firmware.fallback',
		);
	expect(['BOOTX64.EFI', 'bootx64.efi', 'BOOTIA32.EFI', 'BOOTAA64.EFI'].map((loader) => says(loader))).toEqual([false, false, true, true]);
	expect(['BOOTX64.EFI', 'BOOTAA64.EFI'].map((loader) => says(loader, 'guestOS = "arm-ubuntu-64"'))).toEqual([true, false]);
});

it('GRUB where firmware looks is no loader under Secure Boot, which takes what Microsoft has signed', () => {
	const facts = (fallbackIsGrub: boolean | undefined, ...lines: string[]) =>
		healthy({
			machine: machine('firmware = "efi"', ...lines),
			guest: guest({ firmware: { type: 'uefi', fallbackLoader: true, fallbackIsGrub } }),
		});
	const id = 'vconv.guest.firmware.fallback';
	const secure = facts(true, 'uefi.secureBoot.enabled = "TRUE"');
	expect(fired(secure, 'libvirt')).toContain(id);
	expect(fired({ ...secure, choices: { secureBoot: false } }, 'libvirt')).not.toContain(id);
	expect(fired(secure, 'esxi')).not.toContain(id);
	expect(fired(facts(true), 'libvirt')).not.toContain(id);
	expect(fired(facts(undefined, 'uefi.secureBoot.enabled = "TRUE"'), 'libvirt')).not.toContain(id);
});

// Of DiskControllerType Azure's API says that it is for machines of generation 2 alone, which start by EFI.
it('Azure has NVMe for machines that start by EFI', () => {
	const drivers = { ...noDrivers, disk: { ...noDrivers.disk, 'hyperv-nvme': { state: 'boot', evidence: 'the initramfs' } } } as const;
	const lacking = (type: 'bios' | 'uefi') => {
		const found = guest({ drivers, firmware: { type, fallbackLoader: true } });
		const firmware = `firmware = "${type === 'bios' ? 'bios' : 'efi'}"`;
		return [healthy({ machine: machine(firmware), guest: found }), { ...inside(found), machine: undefined }].map((facts) =>
			fired(facts, 'azure').includes('vconv.guest.disk.driver'),
		);
	};
	expect(lacking('bios')).toEqual([true, true]);
	expect(lacking('uefi')).toEqual([false, false]);
	const disks = ['nvme0.present = "TRUE"', 'nvme0:0.present = "TRUE"', 'nvme0:0.fileName = "b.vmdk"'];
	expect(fired(withDisks(...disks), 'azure')).toContain('vmware.disk.nvme.detected');
	expect(fired(withDisks('firmware = "efi"', ...disks), 'azure')).not.toContain('vmware.disk.nvme.detected');
});
