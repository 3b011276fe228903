import type { Network, Nic } from '../../src/machine/spec.ts';
import type { Dom } from './dom.ts';
import { countOf, yesOrNo } from './units.ts';

export const readNics = (devices: Dom | undefined, path: string): Nic[] =>
	(devices?.children('interface') ?? []).map((card, index): Nic => {
		const mac = card.child('mac');
		return {
			index,
			model: card.child('model')?.attribute('type'),
			mac: {
				address: mac?.attribute('address')?.toLowerCase(),
				assignment: mac?.attribute('type'),
				checked: yesOrNo(mac?.attribute('check'), `${card.path}/mac/@check`, path),
			},
			network: readNetwork(card),
			...readMore(card.more(), path),
		};
	});

const readNetwork = (card: Dom): Network => {
	const type = card.attribute('type') ?? '';
	const source = card.child('source');
	if (type === 'user') return { type: 'nat' };
	if (type === 'null') return { type: 'none' };
	if (type === 'bridge') {
		const name = source?.attribute('bridge') || undefined;
		const device = card.child('target')?.attribute('dev');
		return device === undefined ? { type: 'bridged', name } : { type: 'custom', name, device };
	}
	if (type !== 'vds') return { type: 'other', said: type, ...readSource(card.more().child('source'), type) };
	return {
		type: 'dvs',
		switchId: source?.attribute('switchid')?.toLowerCase(),
		portId: source?.attribute('portid'),
		portgroupId: source?.attribute('portgroupid'),
		connectionId: source?.attribute('connectionid'),
	};
};

/** Which network, or which of the host's cards. */
const readSource = (
	source: Dom | undefined,
	type: string,
): { readonly name?: string | undefined; readonly portgroup?: string | undefined } => {
	if (type === 'network') return { name: source?.attribute('network'), portgroup: source?.attribute('portgroup') };
	return type === 'direct' ? { name: source?.attribute('dev') } : {};
};

/** What libvirt's own translation has no place for. */
const readMore = (card: Dom, path: string): Pick<Nic, 'connected' | 'bootOrder' | 'vlans'> => {
	const isDown = card.unread().child('link')?.attribute('state') === 'down';
	const vlans = card
		.child('vlan')
		?.children('tag')
		.flatMap((tag) => countOf(tag.attribute('id'), `${tag.path}/@id`, path) ?? []);
	return {
		connected: isDown ? card.child('link')?.attribute('state') !== 'down' : undefined,
		bootOrder: countOf(card.child('boot')?.attribute('order'), `${card.path}/boot/@order`, path),
		vlans,
	};
};
