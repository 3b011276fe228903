import { machineFormats } from '../../formats/machines.ts';
import type { Machine } from '../../src/machine/format.ts';
import type { ToVmxOptions } from '../../src/machine/migrate/to-vmx-context.ts';
import { type MachinePlan, parseMachine, planMachine, printMachine } from '../../src/machine/plan.ts';

const parse = (bytes: Uint8Array, path: string): Machine => parseMachine(bytes, path, machineFormats);
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A VMX that became a domain of KVM, which was changed and becomes a VMX. */
export const planBack = (
	vmx: string | Uint8Array,
	change: (xml: string) => string = (xml) => xml,
	options: ToVmxOptions = {},
): MachinePlan => {
	const machine = parse(typeof vmx === 'string' ? encode(vmx) : vmx, 'machine.vmx');
	const there = planMachine(machine, { intent: 'migrate', to: 'libvirt', discardSuspend: true });
	const domain = parse(encode(change(printMachine(there, machineFormats))), 'machine.xml');
	return planMachine(domain, { intent: 'migrate', to: 'vmx', ...options });
};

/** A VMX that became a domain of KVM, and that a VMX. */
export const thereAndBack = (vmx: string | Uint8Array): Machine =>
	parse(encode(printMachine(planBack(vmx), machineFormats)), 'machine.vmx');

/**
 * Where the VMX that comes back may differ: what the run of a machine left behind, where its file was, what was its host's, what VMware takes where nothing
 * is said, and secrets.
 */
export const NOT_HARDWARE =
	/^identity\/(locationUuid|name)$|^firmware\/nvram$|password|userdata|vnc\.|^guest\/vmxGuestOs$|^cpu\/count$|^memory\/size$|^others\/(guest\.commands|guestinfo|uuid|vmotion|migrate|checkpoint|cleanshutdown|extendedconfigfile|sched\.swap|pcipassthru)|^videos\/|^nics\/[^/]+\/network\/type$|^others\/svga\.|\.autodetect$|^platform\/hardwareVersion$/;
