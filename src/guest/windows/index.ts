import { CorruptError } from '../../errors.ts';
import type { Mark } from '../facts.ts';
import type { Hive } from '../registry/hive.ts';
import type { SystemFacts, SystemReader } from '../system.ts';
import { type FileTree, fileTree } from '../tree.ts';
import { windowsBootloader } from './bootloader.ts';
import { windowsDrivers } from './drivers.ts';
import { driveLetters } from './drives.ts';
import { currentControlSet, findWindows, openSystemHive, type Registry } from './hives.ts';
import { windowsMarks } from './marks.ts';
import { windowsNetwork } from './network.ts';
import { windowsSoftware } from './software.ts';
import { windowsVersion } from './version.ts';

/** Windows 2000 and later, by its registry and its drivers' files. */
export const windowsReader: SystemReader = async (root, context): Promise<SystemFacts | undefined> => {
	const tree = fileTree(root.fileSystem);
	const windows = await findWindows(tree);
	if (windows === undefined) return undefined;
	const { attempt } = context;
	const nothing = { os: { family: 'windows', name: 'Windows', root: root.facts.id } } as const;

	const system = await attempt(`${root.facts.id}:${windows}`, 'the hive SYSTEM', async () => openSystemHive(tree, windows, 'SYSTEM'));
	const software = await attempt(`${root.facts.id}:${windows}`, 'the hive SOFTWARE', async () =>
		required(await openSystemHive(tree, windows, 'SOFTWARE')),
	);
	const registry = system && (await attempt(`${root.facts.id}:SYSTEM`, 'the control set', () => openRegistry(system, software)));
	if (!registry) return nothing;

	const fact = <Result>(what: string, read: () => Promise<Result>) => attempt(`${root.facts.id}:${windows}`, what, read);
	const version = await fact('the version of Windows', () => windowsVersion(registry));
	const build = version?.build === undefined ? undefined : Number.parseInt(version.build, 10);
	const marks = await fact('settings that matter to a move', () => windowsMarks(registry, version?.version));
	const compact = await fact('the compression of system files', () => compactMarks(tree, windows));
	return {
		os: {
			...nothing.os,
			...version,
			bootloader: await windowsBootloader(context),
			marks: [...hiveMarks('SYSTEM', system), ...hiveMarks('SOFTWARE', software), ...(marks ?? []), ...(compact ?? [])],
		},
		drivers: await fact('drivers', () => windowsDrivers({ registry, tree, windows, build })),
		network: await fact('network settings', () => windowsNetwork(registry)),
		software: await fact('installed programs', () => windowsSoftware(registry)),
		mountpoints: await fact('drive letters', () => driveLetters(registry.system, context.disks)),
	};
};

const openRegistry = async (system: Hive, software: Hive | undefined): Promise<Registry> => {
	return { system: system.root, controlSet: await currentControlSet(system.root), software: software?.root };
};

const required = (hive: Hive | undefined): Hive => {
	if (!hive) throw new CorruptError('there is no such file');
	return hive;
};

/** CompactOS compresses the files of Windows, all but those that its loader reads; this one is there in every edition. */
const compactMarks = async (tree: FileTree, windows: string): Promise<readonly Mark[]> => {
	const where = `${windows}/System32/shell32.dll`;
	const unreadable = (await tree.stat(where))?.node.unreadable;
	return unreadable?.startsWith('compressed') ? [{ code: 'compact-os', evidence: `it is ${unreadable}`, where }] : [];
};

/** A hive that was not written whole is worth knowing of: what is read from it may be older than what Windows last had. */
const hiveMarks = (name: string, hive: Hive | undefined): readonly Mark[] => {
	if (hive === undefined || hive.state === 'clean') return [];
	const evidence =
		hive.state === 'replayed' ? 'it was not written whole, and its logs have the rest' : (hive.why ?? 'it was not written whole');
	return [{ code: `hive-${hive.state}`, evidence, where: name }];
};
