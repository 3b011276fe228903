import { UsageError } from '../../errors.ts';
import { ATTACHMENTS } from './guest-facts.ts';
import { DEVICE_POLICIES, UUID_MODES } from './options.ts';

/** What fields of a request may say, where types do not hold a caller to it. */
const REQUEST = {
	intent: ['faithful', 'migrate'],
	to: ['libvirt', 'vmx'],
	devices: DEVICE_POLICIES,
	machine: ['q35', 'pc'],
	firmware: ['bios', 'efi'],
	uuid: UUID_MODES,
	clock: ['utc', 'localtime'],
	product: ['esxi', 'hosted', 'any'],
} as const;

const GUEST = {
	attachment: ATTACHMENTS,
	state: ['boot', 'installed', 'absent', 'unknown'],
	firmware: REQUEST.firmware,
} as const;

/** @throws UsageError for a word that a request to plan a machine cannot have, with those that it can. */
export const refuseUnknownWords = (request: object): void => {
	const said: Readonly<Record<string, unknown>> = { ...request };
	for (const [field, words] of Object.entries(REQUEST)) refuseUnknown(field, said[field], words);
	const guest = said['guest'];
	if (typeof guest !== 'object' || guest === null) return;
	const { disk = {}, nic = {}, firmware }: { disk?: object; nic?: object; firmware?: unknown } = guest;
	for (const bus of Object.keys(disk)) refuseUnknown('guest.disk', bus, GUEST.attachment);
	for (const [name, state] of [...Object.entries(disk), ...Object.entries(nic)]) refuseUnknown(`guest: ${name}`, state, GUEST.state);
	refuseUnknown('guest.firmware', firmware, GUEST.firmware);
};

/** @throws UsageError unless it is one of the words, or nothing. */
export const refuseUnknown = (field: string, said: unknown, words: readonly string[]): void => {
	if (said === undefined || words.some((word) => word === said)) return;
	throw new UsageError(`${field} '${String(said)}' is not known`, { hint: `one of ${words.join(', ')}` });
};
