import type { Facts } from '../facts.ts';
import type { Evidence, Rule } from '../rule.ts';
import type { Target } from '../targets.ts';
import { cpuFamily } from './describe.ts';

/** Whether the target has CPUs of the machine's kind. */
export const architectureRules: readonly Rule[] = [
	{
		id: 'vconv.cpu.architecture',
		category: 'Critical',
		label: 'CPU of a kind that the target has not',
		assessment:
			'The guest is made for other CPUs than those of the target, or of the machine that vconv makes for it, and does not start there.',
		remedy: 'Choose another target, or install the guest anew for CPUs of the target.',
		find: (facts, target) => {
			const arch = archOf(facts);
			const { kinds, by } = takenBy(facts, target);
			return arch !== undefined && !takes(kinds, arch) ? [at(facts, `${arch}, and ${by} ${kinds.join(', ')}`)] : [];
		},
	},
	{
		id: 'vconv.cpu.architecture.host',
		category: 'Warning',
		label: 'CPU that few hosts of the target have',
		assessment:
			'The guest is made for CPUs that only some hosts of the target have, or some kinds of its machines; on others it does not start.',
		remedy: 'Choose such a host, or such a kind of machine.',
		find: (facts, target) => {
			const arch = archOf(facts);
			const isUsual = arch === undefined || cpuFamily(arch) === 'x86_64';
			return !isUsual && takes(takenBy(facts, target).kinds, arch) ? [at(facts, arch)] : [];
		},
	},
];

/** The kinds of CPU that a move can have there, and whose limit that is. */
const takenBy = ({ machine }: Facts, { id, name, architectures }: Target): { kinds: readonly string[]; by: string } =>
	id === 'libvirt' && machine?.format === 'vmx'
		? { kinds: ['x86_64'], by: 'vconv makes domains of a VMX only for' }
		: { kinds: architectures, by: `${name} takes` };

const takes = (kinds: readonly string[], arch: string): boolean => kinds.includes('any') || kinds.includes(cpuFamily(arch));

/** The CPU that a description says, or what the guest on the disks was made for. */
const archOf = ({ machine, guest }: Facts): string | undefined => {
	const { arch, vmxGuestOs } = machine?.spec.guest ?? {};
	return arch ?? (/^arm-/i.test(vmxGuestOs ?? '') ? 'aarch64' : guest?.os?.arch);
};

/** The same, and of a VMX that says nothing of ARM that it is for the CPUs of PCs. */
export const cpuOf = (facts: Facts): string | undefined => archOf(facts) ?? (facts.machine?.format === 'vmx' ? 'x86_64' : undefined);

const at = ({ machine }: Facts, what: string): Evidence => ({
	what,
	file: machine?.path,
	key: machine && (machine.format === 'libvirt' ? 'os/type/@arch' : 'guestOS'),
});
