import type { Guest } from '../spec.ts';
import type { Context } from './context.ts';
import { type GuestOs, guestOfOsinfo, guestOfVmx, osinfoId } from './guests.ts';
import type { GuestFacts } from './options.ts';

/** What runs in the machine: what was found on its disks counts before what Tools reported, and that before what the VMX says. */
export const decideGuest = ({ vmxGuestOs, reported }: Guest, facts: GuestFacts | undefined): GuestOs => {
	const said = guestOfVmx(vmxGuestOs ?? 'other');
	const found = facts?.osinfo === undefined ? undefined : foundGuest(facts.osinfo, facts.bits ?? said.bits);
	if (found) return { ...found, osinfo: facts?.osinfo };
	return guestOfReport(reported) ?? said;
};

/** A system that there is for 64 bits alone is one, whatever the VMX says: `other` is of 32. */
const foundGuest = (osinfo: string, bits: 32 | 64): GuestOs | undefined => {
	const [found, other] = [guestOfOsinfo(osinfo, bits), guestOfOsinfo(osinfo, 64)];
	return found?.match === 'exact' || other?.match !== 'exact' ? (found ?? other) : other;
};

/** Distributions by what Tools call them in `prettyName` or `distroName`. */
const DISTRIBUTIONS: readonly (readonly [RegExp, string])[] = [
	[/red hat enterprise linux/i, 'redhat.com/rhel'],
	[/centos/i, 'centos.org/centos'],
	[/oracle linux/i, 'oracle.com/ol'],
	[/alma/i, 'almalinux.org/almalinux'],
	[/rocky/i, 'rockylinux.org/rocky'],
	[/fedora/i, 'fedoraproject.org/fedora'],
	[/ubuntu/i, 'ubuntu.com/ubuntu'],
	[/debian/i, 'debian.org/debian'],
	[/suse linux enterprise/i, 'suse.com/sles'],
	[/opensuse/i, 'opensuse.org/opensuse'],
];

const guestOfReport = (reported: Guest['reported']): GuestOs | undefined => {
	const name = `${reported?.get('prettyName') ?? ''} ${reported?.get('distroName') ?? ''}`;
	const path = DISTRIBUTIONS.find(([pattern]) => pattern.test(name))?.[1];
	const version = reported?.get('distroVersion') ?? /\d+(\.\d+)?/.exec(name)?.[0];
	if (path === undefined || version === undefined) return undefined;
	const id = osinfoId(path, version);
	const found = guestOfOsinfo(id, reported?.get('bitness') === '32' ? 32 : 64);
	return found && { ...found, osinfo: /^[\d.]+$/.test(version) ? id : found.osinfo };
};

/** What the domain says of the guest. */
export const planGuest = (c: Context): Guest => {
	const { vmxGuestOs, reported } = c.source.guest;
	const { guest } = c;
	const said = vmxGuestOs === undefined ? undefined : guestOfVmx(vmxGuestOs);
	c.honour(...(reported ? ['guestInfo.detailed.data', 'guestOS.detailed.data'] : []));
	if (said === undefined) {
		c.tell('GUESTOS_UNKNOWN', 'guest', 'the VMX says no guest system: the most careful hardware is chosen', { action: 'defaulted' });
	} else if (said.match !== 'exact') {
		const kind = said.match === 'family' ? `a relative of ${said.key}` : `a system of the family '${said.family}'`;
		c.tell('GUESTOS_UNKNOWN', 'guest', `guestOS '${vmxGuestOs}' is not known: it is taken for ${kind}`, { keys: ['guestOS'] });
	} else if (said.key !== guest.key) {
		const message = `guestOS says '${vmxGuestOs}', and the guest itself is ${guest.osinfo ?? guest.key}: that counts`;
		c.tell('GUESTOS_CONFLICT', 'guest', message, { keys: ['guestOS'] });
	}
	if (guest.family === 'darwin' || guest.family === 'esx') {
		const what =
			guest.family === 'darwin' ? 'macOS wants hardware and a licence that KVM does not give' : 'ESXi in a guest of KVM is not supported';
		c.tell('GUEST_UNSUPPORTED', 'guest', what, { keys: ['guestOS'], action: 'none' });
	}
	return { arch: 'x86_64', osinfo: guest.osinfo };
};
