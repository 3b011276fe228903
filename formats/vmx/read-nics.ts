import type { DistributedPort, Mac, Network, Nic } from '../../src/machine/spec.ts';
import type { Cursor } from './cursor.ts';

/** The network cards that are present. */
export const readNics = (c: Cursor, more: Cursor): Nic[] =>
	c.indices('ethernet').flatMap((index): Nic[] => {
		const id = `ethernet${index}`;
		if (!c.boolean(`${id}.present`)) return [];
		return [
			{
				index,
				model: readModel(c, id),
				mac: readMac(c, more, id),
				network: readNetwork(c, more, id),
				connected: more.boolean(`${id}.startConnected`),
				opaqueNetwork: more.text(`${id}.opaqueNetwork.id`),
				otherAddress: readOtherAddress(c, more, id),
				pciSlotNumber: c.integer(`${id}.pciSlotNumber`),
			},
		];
	});

/** `vmxnet` with features 15 is the enhanced one, which has no name of its own here. */
const readModel = (c: Cursor, id: string): string | undefined => {
	const model = c.text(`${id}.virtualDev`)?.toLowerCase();
	return model === 'vmxnet' && c.integer(`${id}.features`) === 15 ? 'vmxnet2' : model;
};

const readMac = (c: Cursor, more: Cursor, id: string): Mac => {
	const assignment = c.text(`${id}.addressType`)?.toLowerCase();
	const key = assignment === 'static' ? `${id}.address` : `${id}.generatedAddress`;
	const said = c.text(key)?.toLowerCase();
	const address = said === undefined ? undefined : normalMac(said);
	if (said !== undefined && address === undefined)
		c.odd('VMX_BAD_VALUE', key, 'no MAC address of six bytes: the card gets another', 'error');
	const checkedSaid = c.text(`${id}.checkMACAddress`);
	const offset = more.integer(`${id}.generatedAddressOffset`);
	return {
		address,
		assignment,
		offset,
		checked: checkedSaid === undefined ? undefined : checkedSaid.toLowerCase() === 'true',
		checkedSaid,
	};
};

/** Products leave an address of the other kind behind. */
const readOtherAddress = (c: Cursor, more: Cursor, id: string): string | undefined => {
	const isStatic = c.text(`${id}.addressType`)?.toLowerCase() === 'static';
	return normalMac(more.text(`${id}.${isStatic ? 'generatedAddress' : 'address'}`)?.toLowerCase() ?? '');
};

const normalMac = (said: string): string | undefined => {
	const bytes = said.split(':');
	return bytes.length === 6 && bytes.every((byte) => /^[0-9a-f]{1,2}$/.test(byte))
		? bytes.map((byte) => byte.padStart(2, '0')).join(':')
		: undefined;
};

const readNetwork = (c: Cursor, more: Cursor, id: string): Network => {
	if (c.take(`${id}.dvs.switchId`)) return readPort(c, id);
	const type = c.text(`${id}.connectionType`)?.toLowerCase();
	const name = c.text(`${id}.networkName`);
	if (type === undefined) return name === undefined ? { type: 'none' } : { type: 'bridged', name };
	if (type === 'bridged') return { type: 'bridged', name };
	if (type === 'custom') return { type: 'custom', name, device: c.text(`${id}.vnet`) };
	if (type === 'nat') return { type: 'nat', name };
	return { type: 'other', said: type, name: name ?? (type === 'pvn' ? more.text(`${id}.pvnID`) : undefined) };
};

const readPort = (c: Cursor, id: string): Network => {
	const port: DistributedPort = {
		switchId: c.uuid(`${id}.dvs.switchId`),
		portId: c.text(`${id}.dvs.portId`),
		portgroupId: c.text(`${id}.dvs.portgroupId`),
		connectionId: c.text(`${id}.dvs.connectionId`),
	};
	return { type: 'dvs', ...port };
};
