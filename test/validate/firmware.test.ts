import { expect, it } from 'vitest';
import { fired, inside } from './facts-of.ts';
import { guest, healthy, machine, noDrivers, withDisks } from './healthy.ts';

it('boot entries and NVRAM go with a machine that stays with VMware', () => {
	const facts = healthy({ machine: machine('firmware = "efi"'), guest: guest({ firmware: { type: 'uefi', fallbackLoader: false } }) });
	const told = ['vconv.guest.firmware.fallback', 'vconv.firmware.variables'];
	expect(fired(facts, 'libvirt')).toEqual(expect.arrayContaining(told));
	for (const to of ['esxi', 'workstation']) expect(fired(facts, to).filter((id) => told.includes(id))).toEqual([]);
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
	const drivers = { ...noDrivers, disk: { ...noDrivers.disk, nvme: { state: 'boot', evidence: 'the initramfs' } } } as const;
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
