import type { ModprobeLine } from './modprobe.ts';

/** A module that is kept from loading, by its name. What is built in stays. */
export type Kept = {
	readonly module: string;
	/** Not even for another that needs it, or not for the hardware that it drives. */
	readonly how: 'refused' | 'ignored';
	/** While the initramfs runs; after that. */
	readonly early: boolean;
	readonly late: boolean;
	/** What says so, and where. */
	readonly evidence: string;
};

const ALWAYS = { early: true, late: true } as const;
const EARLY = { how: 'ignored', early: true, late: false } as const;

/** kernel-parameters.txt, modprobe(8), dracut.cmdline(7) with the name of before version 008, initramfs-tools(7). */
const KEYS = new Map<string, Pick<Kept, 'how' | 'early' | 'late'>>([
	['module_blacklist', { how: 'refused', ...ALWAYS }],
	['modprobe.blacklist', { how: 'ignored', ...ALWAYS }],
	['rd.driver.blacklist', EARLY],
	['rdblacklist', EARLY],
	['blacklist', EARLY],
]);

const moduleNamed = (name: string): string => name.replaceAll('-', '_');

/** What a kernel's command line keeps from loading. */
export const keptByCommandLine = (commandLine: string): readonly Kept[] =>
	commandLine
		.replaceAll('"', '')
		.split(/\s+/)
		.flatMap((word) => {
			const [, key = '', value = ''] = /^([\w.]+)=(.*)$/.exec(word) ?? [];
			const kind = KEYS.get(key);
			if (!kind) return [];
			return value
				.split(',')
				.map((name): Kept => ({ ...kind, module: moduleNamed(name), evidence: `${key}=${name} on the kernel's command line` }));
		});

/** A line of modprobe's settings that keeps a module from loading. */
export type KeptBySettings = Pick<Kept, 'module' | 'how' | 'evidence'> & Pick<ModprobeLine, 'file'>;

/** modprobe.d(5): `blacklist` is about aliases alone, a command of one's own that loads nothing about any way to load it. */
export const keptBySettings = (lines: readonly ModprobeLine[]): readonly KeptBySettings[] =>
	lines.flatMap(({ line, path, file }) => {
		const ignored = /^blacklist\s+([\w-]+)$/.exec(line)?.[1];
		const name = ignored ?? /^install\s+([\w-]+)\s+\S*\/(?:true|false)$/.exec(line)?.[1];
		if (name === undefined) return [];
		return [{ module: moduleNamed(name), how: ignored === undefined ? 'refused' : 'ignored', evidence: `"${line}" in ${path}`, file }];
	});
