import type { CharPort, Mac, Network, Nic, SharedFolder, VmSpec } from '../spec.ts';
import type { Context } from './context.ts';
import { toVmxPath } from './paths.ts';

/** VMware's network cards, all that libvirt takes. */
const NIC_MODELS = ['vlance', 'vmxnet', 'vmxnet2', 'vmxnet3', 'e1000', 'e1000e'];

/** The network cards as libvirt writes them. */
export const planNics = (nics: readonly Nic[], c: Context): Nic[] => {
	const most = c.hardwareVersion < 7 ? 4 : 10;
	if (nics.length > most) {
		c.refuse(
			`devices/interface[${most + 1}]`,
			`hardware version ${c.hardwareVersion} has ${most} network cards`,
			most === 4 ? '--hw-version 7' : undefined,
		);
	}
	return nics.map((nic) => {
		const field = nics.length === 1 ? 'devices/interface' : `devices/interface[${nic.index + 1}]`;
		if (nic.model !== undefined && !NIC_MODELS.includes(nic.model))
			c.refuse(`${field}/model`, `it is '${nic.model}', and no card of VMware`);
		return { index: nic.index, model: nic.model, network: planNetwork(nic.network, field, c), mac: planMac(nic.mac, field, c) };
	});
};

const planNetwork = (network: Network, field: string, c: Context): Network => {
	if (network.type === 'other') return c.refuse(`${field}/@type`, `it is '${network.said}', and VMware has bridge, user, null and vds`);
	if ((network.type === 'bridged' || network.type === 'custom') && network.name === undefined) {
		c.refuse(`${field}/source`, 'it names no bridge');
	}
	if (network.type !== 'dvs') return network;
	const { switchId = '', portId = '', connectionId = '' } = network;
	if (!/^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/.test(switchId)) c.refuse(`${field}/source/@switchid`, `'${switchId}' is no UUID`);
	for (const [name, value] of Object.entries({ portid: portId, connectionid: connectionId })) {
		if (!/^-?\d{0,19}$/.test(value)) c.refuse(`${field}/source/@${name}`, `'${value}' is no number`);
	}
	return network;
};

/** Whose address it is shows in its range, where the domain does not say it. */
const planMac = ({ address, assignment, checked }: Mac, field: string, c: Context): Mac => {
	if (address === undefined) {
		c.tell('MAC_MISSING', field, 'it says no address: VMware will make one', [], 'defaulted');
		return { assignment: 'generated', checked };
	}
	if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(address)) c.refuse(`${field}/mac`, `'${address}' is no MAC address`);
	if (assignment !== undefined && assignment !== 'static' && assignment !== 'generated')
		c.refuse(`${field}/mac/@type`, `it is '${assignment}'`);
	const ofVcenter = /^00:50:56:[89ab]/.test(address);
	const generated = ofVcenter ? 'vpx' : 'generated';
	if (assignment === 'generated') return { address, assignment: generated, checked };
	const foreign = !ofVcenter && !/^00:(0c:29|50:56:[0-3])/.test(address) ? false : undefined;
	const isStatic = assignment === 'static' || !(ofVcenter || address.startsWith('00:0c:29'));
	return { address, assignment: isStatic ? 'static' : generated, checked: checked ?? foreign };
};

/** The ports as libvirt writes them; there are so many. */
export const planPorts = (kind: 'serial' | 'parallel', ports: readonly CharPort[], most: number, c: Context): CharPort[] =>
	ports.map(({ index, backend }): CharPort => {
		const field = `devices/${kind}`;
		if (index >= most) c.refuse(`${field}/target/@port`, `it is ${index}, and VMware has ${most} ${kind} ports`);
		const isKnown =
			backend.type === 'device' || backend.type === 'file' || (kind === 'serial' && (backend.type === 'pipe' || backend.type === 'tcp'));
		if (!isKnown)
			return c.refuse(`${field}/@type`, `VMware has no ${kind} port of type '${backend.type === 'other' ? backend.said : backend.type}'`);
		if (backend.type === 'tcp') {
			if (!['tcp', 'telnet', 'telnets', 'ssl'].includes(backend.protocol)) c.refuse(`${field}/protocol`, `it is '${backend.protocol}'`);
			if (backend.service === '') c.refuse(`${field}/source/@service`, 'it says no port');
			return { index, backend };
		}
		if (backend.path === undefined) return c.refuse(`${field}/source`, 'it says no path');
		return { index, backend: { ...backend, path: backend.type === 'file' ? toVmxPath(backend.path) : backend.path } };
	});

export const planFolders = (folders: readonly SharedFolder[], c: Context): readonly SharedFolder[] => {
	for (const { type } of folders) {
		if (type !== 'mount') c.refuse('devices/filesystem/@type', `it is '${type}', and VMware has folders of type 'mount'`);
	}
	return folders;
};

export const planTpms = ({ tpms, firmware }: VmSpec, c: Context): VmSpec['tpms'] => {
	if (tpms.length > 0 && !c.profile.tpm) {
		c.tell('TPM_LOST', 'tpm', `${c.profile.name} does not write the virtual TPM`, ['devices/tpm']);
		return [];
	}
	for (const { model, backend, version } of tpms) {
		if (model !== 'tpm-crb' || backend !== 'emulator' || (version ?? '2.0') !== '2.0') {
			c.refuse('devices/tpm', "VMware has an emulated TPM 2.0 of the model 'tpm-crb' alone");
		}
		if (firmware.type !== 'efi' || c.hardwareVersion < 14)
			c.refuse('devices/tpm', 'VMware has a TPM with EFI, from hardware version 14 on');
	}
	return tpms;
};
