import type { MachineFacts } from '../facts.ts';

/** Whether a description says that the machine starts by EFI: libvirt may say it by the loader alone. */
export const startsByEfi = ({ spec: { firmware } }: MachineFacts): boolean =>
	/^u?efi$/i.test(firmware.type ?? '') || firmware.loaderType === 'pflash';

/** Where libvirt says what VMware has under these keys. */
const LIBVIRT: Readonly<Record<string, string>> = {
	displayName: 'name',
	'uuid.bios': 'uuid',
	numvcpus: 'vcpu',
	memsize: 'memory',
	firmware: 'os/@firmware',
	nvram: 'os/nvram',
	'uefi.secureBoot.enabled': 'os/firmware/feature',
	'vcpu.hotadd': 'vcpu/@current',
	'mem.hotadd': 'maxMemory',
	'sched.cpu.affinity': 'vcpu/@cpuset',
	'sched.cpu.shares': 'cputune/shares',
	'sched.mem.max': 'memtune/hard_limit',
	'sched.mem.minsize': 'memtune/min_guarantee',
	'vhv.enable': 'cpu/feature',
	'scsi*.virtualDev': 'devices/controller/@model',
};

/** The place of a setting in a description, by VMware's key for it. */
export const keyIn = (machine: MachineFacts | undefined, vmx: string): string => {
	if (machine?.format !== 'libvirt') return vmx;
	const device = /^([a-z]+?)(\d+)$/.exec(vmx);
	const element = device && { ethernet: 'interface', serial: 'serial', parallel: 'parallel' }[device[1] ?? ''];
	if (element) return `devices/${element}[${Number(device[2]) + 1}]`;
	return LIBVIRT[vmx] ?? vmx;
};
