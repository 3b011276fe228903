import type { VmSpec } from './spec.ts';

/** What the files with a UEFI for virtual machines are called: OVMF and AAVMF, EDK2 in QEMU and the distributions, QEMU_EFI.fd. */
const EFI_FILE = /ovmf|aavmf|edk2|(?<![a-z])u?efi(?![a-z])/i;

/** Whether a description says that the machine starts by EFI. Of a domain the file with the firmware alone may say so. */
export const startsByEfi = ({ firmware: { type, loader, loaderType } }: Pick<VmSpec, 'firmware'>): boolean =>
	type === undefined ? loaderType === 'pflash' || EFI_FILE.test(loader ?? '') : /^u?efi$/i.test(type);
