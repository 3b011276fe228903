import type { NetworkFacts } from '../facts.ts';
import type { Key } from '../registry/keys.ts';
import type { Registry } from './hives.ts';

/** The class of network adapters. */
const ADAPTERS = '{4d36e972-e325-11ce-bfc1-08002be10318}';

/** IPv4 of every adapter that Windows has settings for, those of adapters no longer there too. */
export const windowsNetwork = async ({ controlSet }: Registry): Promise<readonly NetworkFacts[]> => {
	const interfaces = (await (await controlSet.key('Services\\Tcpip\\Parameters\\Interfaces'))?.keys()) ?? [];
	const descriptions = await adapterDescriptions(controlSet);
	const facts: NetworkFacts[] = [];
	for (const settings of interfaces) {
		const dhcp = await settings.number('EnableDHCP');
		const addresses = withPrefixes((await settings.texts('IPAddress')) ?? [], (await settings.texts('SubnetMask')) ?? []);
		const connection = await controlSet.key(`Control\\Network\\${ADAPTERS}\\${settings.name}\\Connection`);
		const adapter = descriptions.get(settings.name.toLowerCase());
		const isStatic = dhcp === 0 && addresses.length > 0;
		if (!isStatic && !connection && !adapter) continue; // no adapter, and nothing that could be lost
		facts.push({
			source: `SYSTEM\\${settings.path}`,
			name: [await connection?.text('Name'), adapter].filter((name) => name !== undefined).join(', ') || settings.name,
			method: dhcp === undefined ? 'unknown' : dhcp !== 0 ? 'dhcp' : isStatic ? 'static' : 'none',
			...(isStatic && { addresses, gateway: ((await settings.texts('DefaultGateway')) ?? [])[0] }),
		});
	}
	return facts;
};

/** What the adapters are called by their makers, by the GUID of their settings in lower case. */
const adapterDescriptions = async (controlSet: Key): Promise<ReadonlyMap<string, string>> => {
	const found = new Map<string, string>();
	for (const adapter of (await (await controlSet.key(`Control\\Class\\${ADAPTERS}`))?.keys()) ?? []) {
		if (!/^\d{4}$/.test(adapter.name)) continue;
		const id = await adapter.text('NetCfgInstanceId');
		const description = await adapter.text('DriverDesc');
		if (id !== undefined && description !== undefined) found.set(id.toLowerCase(), description);
	}
	return found;
};

/** `10.0.0.5/24`, of addresses and masks in the same order; those not set are left out. */
const withPrefixes = (addresses: readonly string[], masks: readonly string[]): readonly string[] =>
	addresses.flatMap((address, index) => {
		if (address === '' || address === '0.0.0.0') return [];
		const bits = masks[index]
			?.split('.')
			.map((part) => Number(part).toString(2).padStart(8, '0'))
			.join('');
		return [bits !== undefined && /^1*0*$/.test(bits) && bits.length === 32 ? `${address}/${bits.replaceAll('0', '').length}` : address];
	});
