import type { VmSpec } from '../machine/spec.ts';
import type { MachineIdentity } from './facts.ts';

/** By what a machine is told from others. UUIDs are compared by their digits, whichever notation a description has. */
export const identityOf = ({ path, spec }: { readonly path: string; readonly spec: VmSpec }): MachineIdentity => ({
	path,
	name: spec.identity.name || undefined,
	uuid: spec.identity.biosUuid?.replace(/[^0-9a-f]/gi, '').toLowerCase() || undefined,
	macs: spec.nics.flatMap(({ mac }) => (mac.address === undefined ? [] : [mac.address.toLowerCase()])),
});
