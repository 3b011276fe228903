import type { CharBackend, Nic } from '../spec.ts';
import type { Migration } from './to-vmx-context.ts';

type Product = Migration['product'];

/** Networks that a person's computer makes, and a server has not. */
const OF_A_DESKTOP = ['hostonly', 'pvn'];

/** Whether a product has the network of a card: port groups and switches are ESXi's, and the host's own networks Workstation's and Fusion's. */
export const hasNetwork = ({ network, opaqueNetwork }: Pick<Nic, 'network' | 'opaqueNetwork'>, product: Product): boolean => {
	if (product === 'hosted') return network.type !== 'dvs' && opaqueNetwork === undefined;
	if (product === 'any' || network.type === 'none' || network.type === 'dvs') return true;
	if (network.type === 'bridged') return network.name !== undefined;
	return network.type === 'other' && !OF_A_DESKTOP.includes(network.said);
};

/** Paths of Windows, and of Linux and macOS where they are none of ESXi's own. */
const OF_A_DESKTOP_PATH = /^([a-z]:|\\\\|\/(?!(vmfs|dev|usr\/lib\/vmware)\/))/i;

/** Paths of a datastore. */
const OF_ESXI_PATH = /^(\[|\/vmfs\/)/i;

/** Whether a path of a VMX may lead somewhere on the host of a product; one beside the VMX does on each. */
export const hasPath = (path: string | undefined, product: Product): boolean => {
	if (path === undefined || product === 'any') return true;
	return !(product === 'esxi' ? OF_A_DESKTOP_PATH : OF_ESXI_PATH).test(path);
};

/** Whether a product has the other end of a port. */
export const hasBackend = (backend: CharBackend, product: Product): boolean => {
	if (product === 'esxi' && backend.type === 'other') return false;
	return !('path' in backend) || hasPath(backend.path, product);
};
