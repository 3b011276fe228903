import type { DriverFact, DriverFacts, DriverState } from '../facts.ts';
import type { Key } from '../registry/keys.ts';
import type { FileTree } from '../tree.ts';
import type { Registry } from './hives.ts';
import { DISK_DRIVERS, type DriverChoice, NETWORK_DRIVERS } from './services.ts';

/** Windows 8 finds the drivers of boot devices in DriverDatabase, which goes along with the service. */
const FIRST_WITH_DRIVER_DATABASE = 9200;

/** `Start` of a service: started by the loader; never started. */
const START = { boot: 0, disabled: 4 } as const;

/** The best first: of several choices the best counts, of several services of one the worst. */
const RANKS: readonly DriverState[] = ['boot', 'installed', 'disabled', 'file-missing', 'staged', 'unknown', 'absent'];

type Place = {
	readonly registry: Registry;
	readonly tree: FileTree;
	/** Windows' folder: `/Windows`. */
	readonly windows: string;
	/** As far as it is known. */
	readonly build: number | undefined;
};

/** Which buses and cards this Windows has drivers for, and whether it can start from them. */
export const windowsDrivers = async (place: Place): Promise<DriverFacts> => {
	const services = await place.registry.controlSet.key('Services');
	const staged = await stagedPackages(place);
	const critical = await criticalDevices(place);
	const best = async (choices: readonly DriverChoice[], kind: 'disk' | 'network'): Promise<DriverFact> => {
		const facts = [];
		for (const choice of choices) facts.push(await choiceFact(place, services, choice, kind, staged, critical));
		return byRank(facts)[0] ?? { state: 'unknown', evidence: 'no driver of it is known' };
	};
	const disk: Record<string, DriverFact> = {};
	for (const [bus, choices] of Object.entries(DISK_DRIVERS)) disk[bus] = await best(choices, 'disk');
	const network: Record<string, DriverFact> = {};
	for (const [model, choices] of Object.entries(NETWORK_DRIVERS)) network[model] = await best(choices, 'network');
	return { disk, network };
};

const byRank = (facts: readonly DriverFact[]): readonly DriverFact[] =>
	facts.toSorted((a, b) => RANKS.indexOf(a.state) - RANKS.indexOf(b.state));

const choiceFact = async (
	place: Place,
	services: Key | undefined,
	{ services: names, packages = [], devices }: DriverChoice,
	kind: 'disk' | 'network',
	staged: readonly string[],
	critical: readonly string[] | undefined,
): Promise<DriverFact> => {
	const facts = [];
	for (const name of names) {
		const service = await services?.key(name);
		facts.push(service ? await serviceFact(place, service, kind) : { state: 'absent' as const, evidence: `no service ${name}` });
	}
	const worst = byRank(facts).at(-1) ?? { state: 'absent', evidence: 'no service' };
	if (worst.state === 'absent') {
		const found = staged.find((folder) => packages.some((inf) => folder.startsWith(`${inf}_`)));
		return found ? { state: 'staged', evidence: `${worst.evidence}; ${found} is in the driver store` } : worst;
	}
	if (worst.state === 'boot' && devices && critical && !devices.some((device) => critical.some((known) => known.startsWith(device)))) {
		return { state: 'disabled', evidence: `${worst.evidence}; CriticalDeviceDatabase has none of ${devices.join(', ')}` };
	}
	return { state: worst.state, evidence: facts.map(({ evidence }) => evidence).join('; ') };
};

const serviceFact = async ({ tree, windows }: Place, service: Key, kind: 'disk' | 'network'): Promise<DriverFact> => {
	const start = await service.number('Start');
	// Setup and the plug-and-play manager note here that a driver is not needed to start this machine, whatever `Start` says.
	const override = await (await service.key('StartOverride'))?.number('0');
	const file = driverFile(windows, service.name, await service.text('ImagePath'));
	const evidence = `${service.path}: Start=${start ?? 'none'}${override === undefined ? '' : `, StartOverride=${override}`}`;
	if (start === undefined) return { state: 'unknown', evidence };
	if (!(await tree.isFile(file))) return { state: 'file-missing', evidence: `${evidence}, and there is no ${file}` };
	if (kind === 'network') return { state: start === START.disabled ? 'disabled' : 'installed', evidence };
	return { state: start === START.boot && (override ?? START.boot) === START.boot ? 'boot' : 'disabled', evidence };
};

/** The path in the guest of a driver's file, by its service's ImagePath: from Windows' folder, or with a drive that is taken to be Windows' own. */
const driverFile = (windows: string, name: string, image = `System32\\drivers\\${name}.sys`): string => {
	const path = image
		.replace(/^"|"$/g, '')
		.replace(/^\\\?\?\\/, '')
		.replaceAll('\\', '/');
	const absolute = /^[a-z]:(\/.*)$/i.exec(path)?.[1];
	return absolute ?? `${windows}/${path.replace(/^\/?(%SystemRoot%|SystemRoot)\//i, '')}`;
};

/** The folders of the driver store, in lower case: `viostor.inf_amd64_0123456789abcdef`. */
const stagedPackages = async ({ tree, windows }: Place): Promise<readonly string[]> =>
	(await tree.readdir(`${windows}/System32/DriverStore/FileRepository`)).map((name) => name.toLowerCase());

/** What Windows 7 and before can start from; undefined for those after it, and where the version is not known. */
const criticalDevices = async ({ registry, build }: Place): Promise<readonly string[] | undefined> => {
	if (build === undefined || build >= FIRST_WITH_DRIVER_DATABASE) return undefined;
	const database = await registry.controlSet.key('Control\\CriticalDeviceDatabase');
	return ((await database?.keys()) ?? []).map(({ name }) => name.toUpperCase());
};
