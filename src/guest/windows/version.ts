import type { OperatingSystem } from '../facts.ts';
import { numberAt, type Registry, textAt } from './hives.ts';

const VERSION_KEY = 'Microsoft\\Windows NT\\CurrentVersion';

/** Windows 11 still says that it is Windows 10, but for its build. */
const FIRST_WINDOWS_11 = 22000;

/** As uname says it. */
const ARCHITECTURES: Readonly<Record<string, string>> = { amd64: 'x86_64', arm64: 'aarch64', x86: 'i686', arm: 'armv7l', ia64: 'ia64' };

export type VersionFacts = Pick<OperatingSystem, 'name' | 'version' | 'build' | 'edition' | 'arch' | 'hostname' | 'role'>;

/** Which Windows it is, as SOFTWARE and SYSTEM say it. */
export const windowsVersion = async ({ controlSet, software }: Registry): Promise<VersionFacts> => {
	const current = await software?.key(VERSION_KEY);
	const product = await current?.text('ProductName');
	const build = (await current?.text('CurrentBuildNumber')) ?? (await current?.text('CurrentBuild'));
	const revision = await current?.number('UBR');
	const major = await current?.number('CurrentMajorVersionNumber');
	const minor = await current?.number('CurrentMinorVersionNumber');
	const processor = await textAt(controlSet, 'Control\\Session Manager\\Environment', 'PROCESSOR_ARCHITECTURE');
	return {
		name: productName(product, await current?.text('InstallationType'), build),
		version: major === undefined ? await current?.text('CurrentVersion') : `${major}.${minor ?? 0}`,
		build: build !== undefined && revision !== undefined ? `${build}.${revision}` : build,
		edition: await current?.text('EditionID'),
		arch: processor && (ARCHITECTURES[processor.toLowerCase()] ?? processor.toLowerCase()),
		hostname:
			(await textAt(controlSet, 'Services\\Tcpip\\Parameters', 'Hostname')) ??
			(await textAt(controlSet, 'Control\\ComputerName\\ComputerName', 'ComputerName')),
		role: await windowsRole({ controlSet }),
	};
};

const productName = (product: string | undefined, installation: string | undefined, build: string | undefined): string => {
	if (product === undefined) return 'Windows';
	const eleven = Number(build) >= FIRST_WINDOWS_11 && installation !== 'Server' && installation !== 'Server Core';
	return eleven ? product.replace(/^Windows 10\b/, 'Windows 11') : product;
};

const windowsRole = async ({ controlSet }: Pick<Registry, 'controlSet'>): Promise<OperatingSystem['role']> => {
	if ((await textAt(controlSet, 'Control\\ProductOptions', 'ProductType')) === 'LanmanNT') return 'domain-controller';
	const cluster = await numberAt(controlSet, 'Services\\ClusSvc', 'Start');
	return cluster === undefined || cluster === 4 ? undefined : 'cluster';
};
