import { expect, test } from 'vitest';
import { machineFormats } from '../../formats/machines.ts';
import { diffMachines } from '../../src/machine/diff.ts';
import { startsByEfi } from '../../src/machine/firmware.ts';
import { parseMachine, planMachine, printMachine } from '../../src/machine/plan.ts';
import { kvmWith } from './kvm-sample.ts';

const parse = (text: string) => parseMachine(new TextEncoder().encode(text), 'a', machineFormats);

// Where Debian, Fedora, openSUSE and Arch have them, and QEMU itself; to libvirt a loader without a type is a ROM.
test.each([
	['', "readonly='yes' type='pflash'", '/usr/share/OVMF/OVMF_CODE.fd', true],
	['', "type='pflash'", '/srv/firmware.fd', true],
	['', '', '/usr/share/OVMF/OVMF.fd', true],
	['', "type='rom'", '/usr/share/qemu/ovmf-x86_64.bin', true],
	['', "type='rom'", '/usr/share/edk2/x64/OVMF.4m.fd', true],
	['', '', '/usr/share/qemu-efi-aarch64/QEMU_EFI.fd', true],
	["firmware='bios'", '', '/srv/edk2/bios.bin', false],
	['', '', '/usr/share/seabios/bios.bin', false],
	['', "type='rom'", '/usr/share/seabios/bios-256k.bin', false],
	['', '', '/usr/lib/xen/boot/hvmloader', false],
	['', '', '/home/stefi/bios.bin', false],
])('a domain says by the loader alone how it starts: %s %s %s', (os, attributes, file, isEfi) => {
	const domain = parse(kvmWith('', '', `<os ${os}><type>hvm</type><loader ${attributes}>${file}</loader></os>`));
	expect(startsByEfi(domain.spec)).toBe(isEfi);
	const vmx = printMachine(planMachine(domain, { intent: 'migrate', to: 'vmx' }), machineFormats);
	expect(vmx.includes('firmware = "efi"')).toBe(isEfi);
	expect(diffMachines(domain, parse(vmx)).map(({ path }) => path)).not.toContain('firmware');
});
