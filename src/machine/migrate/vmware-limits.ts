import type { Migration } from './to-vmx-context.ts';

const GIB = 2 ** 30;

/** The most that VMware's newest products run: virtual CPUs, and memory in bytes. */
export const VMWARE_MOST = {
	/** <https://configmax.broadcom.com>, of ESX 9.0 */
	esxi: { cpus: 960, memory: 24 * 1024 * GIB },
	/** <https://techdocs.broadcom.com/us/en/vmware-cis/desktop-hypervisors.html> */
	hosted: { cpus: 32, memory: 128 * GIB },
} as const;

/** What no product runs for which the VMX is written, whatever its hardware version. */
export const tellTooLarge = ({ spec, product, tell }: Migration): void => {
	const [name, most] =
		product === 'hosted' ? (['Workstation and Fusion', VMWARE_MOST.hosted] as const) : (['ESXi', VMWARE_MOST.esxi] as const);
	const { count = 1 } = spec.cpu;
	const { size = 0 } = spec.memory;
	const tellLimit = (subject: string, message: string, key: string): void => {
		tell('BIG_VM', subject, `${message}: the machine does not start`, { keys: [key], severity: 'error', action: 'none' });
	};
	if (count > most.cpus) tellLimit('cpu', `${count} virtual CPUs, and ${name} gives at most ${most.cpus}`, 'vcpu');
	if (size > most.memory) tellLimit('memory', `${size / GIB} GiB of memory, and ${name} gives at most ${most.memory / GIB}`, 'memory');
};
