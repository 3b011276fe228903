/** Modules that a kernel's command line keeps from loading, by their names, with the words that say so. What is built in stays. */
export type Blacklist = {
	/** Not even for another that needs it: `module_blacklist=`. */
	readonly refused: ReadonlyMap<string, string>;
	/** Not for the hardware that it drives. */
	readonly ignored: ReadonlyMap<string, string>;
	/** The same, while the initramfs runs. */
	readonly ignoredEarly: ReadonlyMap<string, string>;
};

/** kernel-parameters.txt, modprobe(8), dracut.cmdline(7) with the name of before version 008, initramfs-tools(7). */
const KEYS: ReadonlyMap<string, keyof Blacklist> = new Map([
	['module_blacklist', 'refused'],
	['modprobe.blacklist', 'ignored'],
	['rd.driver.blacklist', 'ignoredEarly'],
	['rdblacklist', 'ignoredEarly'],
	['blacklist', 'ignoredEarly'],
]);

export const blacklistOf = (commandLine: string): Blacklist => {
	const found = { refused: new Map<string, string>(), ignored: new Map<string, string>(), ignoredEarly: new Map<string, string>() };
	for (const word of commandLine.replaceAll('"', '').split(/\s+/)) {
		const [, key = '', value = ''] = /^([\w.]+)=(.*)$/.exec(word) ?? [];
		const kind = KEYS.get(key);
		if (kind) for (const name of value.split(',')) found[kind].set(name.replaceAll('-', '_'), `${key}=${name}`);
	}
	return found;
};
