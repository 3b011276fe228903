/** One choice of a boot menu. Paths are as the boot loader has them: from the root of the volume that it reads, or of the guest. */
export type BootEntry = {
	/** What a default names it by: its title, its id. */
	readonly names: readonly string[];
	readonly kernel: string;
	/** In the order in which they are loaded: microcode may be the first. */
	readonly initramfs: readonly string[];
	readonly commandLine: string;
	/** Where it is said rather than to be seen from the kernel's name. */
	readonly version?: string | undefined;
};

/** A boot menu. */
export type BootMenu = {
	/** `grub2`, `grub-legacy`, `extlinux`, `systemd-boot`; `bls` for entries whose loader is not known. */
	readonly kind: string;
	/** The guest's file. */
	readonly file: string;
	readonly entries: readonly BootEntry[];
	/** What boots if nobody chooses; undefined if that is not to be known. */
	readonly chosen: BootEntry | undefined;
	/** Nothing that was read says that it is the default: it is the first. */
	readonly isGuessed?: boolean | undefined;
};
