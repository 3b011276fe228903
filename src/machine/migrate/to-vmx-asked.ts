import type { Tpm, VmSpec } from '../spec.ts';
import type { Migration, ToVmxOptions } from './to-vmx-context.ts';

/** The TPM that VMware has. */
const NEW_TPM: Tpm = { model: 'tpm-crb', backend: 'emulator', version: '2.0' };

/** The machine as the options want it, whatever the domain says. */
export const asAsked = (spec: VmSpec, { firmware, secureBoot, tpm, clock }: ToVmxOptions): VmSpec => ({
	...spec,
	firmware: {
		...spec.firmware,
		...(firmware !== undefined && { type: firmware }),
		...(secureBoot !== undefined && { secureBoot }),
	},
	...(tpm !== undefined && { tpms: tpm ? [NEW_TPM] : [] }),
	...(clock !== undefined && { clock, clockOffset: undefined, clockStart: undefined }),
});

/** What is otherwise than the domain says, for it was asked for. What is asked of secure boot is told with the firmware. */
export const tellAsked = (wasEfi: boolean, isEfi: boolean, { machine, options, tell }: Migration): void => {
	const { clock, tpms } = machine.spec;
	const [before, now] = [wasEfi, isEfi].map((efi) => (efi ? 'EFI' : 'a BIOS'));
	if (before !== now) {
		const message = `the domain has ${before}, and the VMX ${now}, as was asked for: the guest starts if it was installed for that as well`;
		tell('FIRMWARE_UNKNOWN', 'firmware', message, { keys: ['os/@firmware', 'os/loader'], remedy: undefined });
	}
	if (options.clock !== undefined && options.clock !== clock) {
		const message = `the clock is ${options.clock}, as was asked for, and not '${clock ?? 'utc'}'`;
		tell('CLOCK_LOST', 'clock', message, { keys: ['clock/@offset', 'clock/@adjustment', 'clock/@start'], severity: 'info' });
	}
	if (options.tpm === false && tpms.length > 0) {
		const message = 'the TPM is left out, as was asked for: what BitLocker, Hello or clevis keep in it cannot be read';
		tell('TPM_STATE_LOST', 'tpm', message, { keys: ['devices/tpm'], action: 'dropped' });
	}
};
