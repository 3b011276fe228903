import type { NicModel } from '../../guest/facts.ts';
import { decideGuest } from '../../machine/migrate/guest.ts';
import type { Facts } from '../facts.ts';
import type { Evidence, Rule } from '../rule.ts';
import { keyIn } from './describe.ts';

/** Network cards and what they are plugged into. */
export const networkRules: readonly Rule[] = [
	{
		id: 'vconv.nic.limit',
		category: 'Critical',
		label: 'More network cards than the target takes',
		assessment: 'The target has no places for all cards of the machine.',
		remedy: 'Remove some, or choose another target.',
		find: ({ machine }, { most, name }) => {
			const count = machine?.spec.nics.length ?? 0;
			return count > most.nics ? [{ what: `${count}, and ${name} takes at most ${most.nics}`, file: machine?.path }] : [];
		},
	},
	{
		id: 'vconv.nic.network.unmapped',
		category: 'Information',
		label: 'Network that has to be found at the target',
		assessment: 'The card is on a network of the source, which has another name at the target, or none.',
		remedy: 'Say which is which with --net-map SOURCE=TARGET.',
		find: (facts) =>
			nics(facts, ({ network }) => {
				if (network.type === 'none') return 'it is on no network';
				const name = 'name' in network ? network.name : undefined;
				return `${network.type === 'other' ? network.said : network.type}${name === undefined ? '' : ` '${name}'`}`;
			}),
	},
	{
		id: 'ovirt.nic.interface_type.unsupported',
		category: 'Warning',
		label: 'Network card of another model',
		assessment: 'The target does not have this model: the guest sees a new card, and needs the driver for it.',
		remedy: 'See that the guest has the driver (vconv inspect tells), and that its network settings go by the MAC address.',
		find: (facts, { id, nics: models, name }) =>
			nics(facts, ({ model = usualCard(facts) }) => {
				const said = model.toLowerCase();
				const known = MODELS[said];
				const only = known === 'vmxnet' ? VMWARE : QEMU[said];
				const has = only ? only.includes(id) : known === undefined || known === 'vmxnet' || models.includes(known);
				return !has && `${model}, and ${name} has ${models.join(', ') || 'cards of its own'}`;
			}),
	},
	{
		id: 'ovirt.nic.network_filter.detected',
		category: 'Warning',
		label: 'Network filter, port mirroring or limits of rate',
		assessment: 'What the source filters, mirrors or limits on this card is not in force at the target.',
		remedy: 'Set it up at the target before the machine is connected.',
		find: ({ machine }) =>
			(machine?.spec.extras ?? [])
				.filter(({ key, value }) => {
					const isRate = /^ethernet\d+\.(bandwidth|shares|limit|reservation)/i.test(key);
					if (isRate) return !UNLIMITED.test(value);
					return /^ethernet\d+\.filter|interface(\[\d+\])?\/(filterref|bandwidth)/i.test(key);
				})
				.map(({ key, value }) => ({ what: value, file: machine?.path, key })),
	},
	{
		id: 'vconv.nic.vlan',
		category: 'Information',
		label: 'Tags of VLANs',
		assessment: 'The card is in VLANs by its own description; the target may want them at the network.',
		remedy: 'See that the network at the target carries them.',
		find: (facts) => nics(facts, ({ vlans }) => (vlans?.length ?? 0) > 0 && (vlans ?? []).join(', ')),
	},
	{
		id: 'vconv.nic.unplugged',
		category: 'Information',
		label: 'Network card without a cable',
		assessment: 'The card is not connected at the start, and stays so.',
		remedy: 'Nothing.',
		find: (facts) => nics(facts, ({ connected }) => connected === false && 'not connected'),
	},
	{
		id: 'vconv.nic.mac.missing',
		category: 'Warning',
		label: 'Network card without a MAC address',
		assessment: 'The source makes the address up when the machine starts; at the target it gets another one.',
		remedy: 'See whether something (DHCP, licences, firewalls) goes by the address.',
		find: (facts) => nics(facts, ({ mac }) => mac.address === undefined && 'no address is said'),
	},
	{
		id: 'vconv.nic.mac.duplicate',
		category: 'Critical',
		label: 'One MAC address on two cards',
		assessment: 'Two cards with one address on one network cut each other off.',
		remedy: 'Correct the description.',
		find: ({ machine }) => {
			const macs = (machine?.spec.nics ?? []).flatMap(({ mac }) => (mac.address === undefined ? [] : [mac.address]));
			const twice = new Set(macs.filter((mac, i) => macs.indexOf(mac) !== i));
			return [...twice].map((mac) => ({ what: `${mac} is on more than one card`, file: machine?.path }));
		},
	},
	{
		id: 'vconv.nic.mac.multicast',
		category: 'Critical',
		label: 'MAC address that no card may have',
		assessment: 'The address is one of a group or all zeros: no network takes frames from it.',
		remedy: 'Correct the description.',
		find: (facts) =>
			nics(facts, ({ mac }) => {
				const first = Number.parseInt(mac.address?.slice(0, 2) ?? '', 16);
				return mac.address !== undefined && ((first & 1) === 1 || /^[0:]+$/.test(mac.address)) && mac.address;
			}),
	},
	{
		id: 'vconv.nic.remote',
		category: 'Information',
		label: 'Screen seen over the network',
		assessment: 'The source shows the screen on a port of its host, and a password of it does not come along.',
		remedy: 'Set it up at the target where it is needed.',
		find: ({ machine }) =>
			(machine?.spec.displays ?? []).map(({ type, port }) => ({
				what: `${type}${port === undefined ? '' : ` on port ${port}`}`,
				file: machine?.path,
			})),
	},
];

/** What limits nothing. */
const UNLIMITED = /^(normal|unlimited|-1|0|false)?$/i;

/** Models as descriptions name them. */
const MODELS: Readonly<Record<string, NicModel | 'vmxnet'>> = {
	virtio: 'virtio',
	'virtio-net-pci': 'virtio',
	'virtio-transitional': 'virtio',
	'virtio-non-transitional': 'virtio',
	e1000: 'e1000',
	'e1000-82540em': 'e1000',
	'e1000-82544gc': 'e1000',
	'e1000-82545em': 'e1000',
	e1000e: 'e1000e',
	vmxnet3: 'vmxnet3',
	vmxnet: 'vmxnet',
	vmxnet2: 'vmxnet',
	vlance: 'pcnet',
	pcnet: 'pcnet',
	rtl8139: 'rtl8139',
};

/** Further models of QEMU, and the targets that have them; Proxmox by the list of `net[n]` in its qm.conf. */
const QEMU: Readonly<Record<string, readonly string[]>> = {
	igb: ['libvirt', 'kubevirt'],
	ne2k_pci: ['libvirt', 'kubevirt', 'proxmox'],
	ne2k_isa: ['libvirt', 'proxmox'],
	i82551: ['libvirt', 'proxmox'],
	i82557b: ['libvirt', 'proxmox'],
	i82559er: ['libvirt', 'proxmox'],
	'usb-net': ['libvirt'],
};

/** The targets that have the cards before vmxnet3 too. */
const VMWARE = ['esxi', 'workstation'];

/** What VMware takes where a VMX says none. */
const usualCard = ({ machine }: Facts): string => {
	if (machine?.format !== 'vmx') return '';
	return decideGuest(machine.spec.guest, undefined).bits === 64 ? 'e1000' : 'vlance';
};

type Card = NonNullable<Facts['machine']>['spec']['nics'][number];

const nics = ({ machine }: Facts, seen: (nic: Card) => string | false): Evidence[] =>
	(machine?.spec.nics ?? []).flatMap((nic) => {
		const what = seen(nic);
		return what === false ? [] : [{ what: `card ${nic.index}: ${what}`, file: machine?.path, key: keyIn(machine, `ethernet${nic.index}`) }];
	});
