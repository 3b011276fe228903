import type { DiskFacts, FirmwareFacts } from './facts.ts';
import type { Attempt, OpenVolume } from './system.ts';
import { type FileTree, fileTree } from './tree.ts';

/**
 * What firmware starts where nothing else is set up (UEFI 2.10, 3.5.1.1), by the CPU of the machine. A system of 32 bits gets firmware
 * of 64 as well: hypervisors have no other but for VMware's.
 */
const FALLBACKS: ReadonlyMap<string, string> = new Map([
	['x86_64', 'bootx64.efi'],
	['i686', 'bootx64.efi'],
	['aarch64', 'bootaa64.efi'],
	['riscv64', 'bootriscv64.efi'],
]);

/** Whether firmware for this CPU starts a loader by itself; of any, where the CPU is not known. */
export const isFallback = (path: string, arch: string | undefined): boolean => {
	const own = FALLBACKS.get(arch ?? '');
	return (own === undefined ? [...FALLBACKS.values()] : [own]).includes(/^\/efi\/boot\/([^/]*)$/.exec(path.toLowerCase())?.[1] ?? '');
};

/** In bytes: shim, which has OpenSSL in it, has some 900 KiB. */
const LEAST_SHIM = 256 << 10;

/** Loaders are looked for no deeper than EFI\vendor\, and not beyond this number. */
const MAX_LOADERS = 256;

/**
 * What the disks are made to boot with. An ESP makes them a UEFI machine's; boot code with an active partition or a BIOS boot
 * partition a BIOS machine's.
 * @param arch as uname says it, of the system on the disks; undefined where none is known.
 */
export const firmwareOf = async (
	disks: readonly DiskFacts[],
	open: readonly OpenVolume[],
	attempt: Attempt,
	arch: string | undefined,
): Promise<FirmwareFacts> => {
	const esps = disks.flatMap(({ index, partitions }) =>
		partitions.filter(({ type }) => type === 'esp').map(({ number }) => `disk${index}p${number}`),
	);
	const bios = disks.some(startsByBios);
	const type = esps.length > 0 ? (bios ? 'dual' : 'uefi') : bios ? 'bios' : 'unknown';
	const read: { readonly esp: string; readonly loaders: readonly string[]; readonly fallback: boolean; readonly isGrub: boolean }[] = [];
	for (const esp of esps) {
		const volume = open.find(({ facts }) => facts.id === esp);
		const found =
			volume &&
			(await attempt(esp, 'boot loaders', async () => {
				const tree = fileTree(volume.fileSystem);
				const loaders = await loadersOf(tree);
				const loader = loaders.find((path) => isFallback(path, arch));
				if (loader === undefined) return { esp, loaders, fallback: false, isGrub: false };
				return { esp, loaders, fallback: await startsAlone(tree, loader, loaders), isGrub: await isMadeByGrub(tree, loader) };
			}));
		if (found) read.push(found);
	}
	// Firmware looks on all of them.
	const fallback = read.find((one) => one.fallback);
	const { esp } = fallback ?? read[0] ?? { esp: esps[0] };
	if (read.length === 0) return { type, esp };
	const isKnown = fallback !== undefined || read.length === esps.length;
	const isGrub = fallback?.isGrub && { fallbackIsGrub: true };
	const loaders = read.flatMap((one) => one.loaders);
	return { type, esp, loaders, fallbackLoader: isKnown ? fallback !== undefined : undefined, ...isGrub };
};

/** Whether BIOS finds code to start on a disk. On a GPT it is in a partition for it: GRUB's `bios-boot`, or FreeBSD's. */
export const startsByBios = ({ scheme, biosBootCode, partitions }: DiskFacts): boolean => {
	if (biosBootCode === null) return false;
	if (scheme === 'gpt') return partitions.some(({ type, bootable }) => /^(bios|freebsd)-boot$/.test(type) || bootable);
	return biosBootCode === 'grub' || partitions.some(({ bootable }) => bootable);
};

/** Whether the loader that firmware finds has what it needs: shim starts what lies beside it alone. */
const startsAlone = async (tree: FileTree, loader: string, loaders: readonly string[]): Promise<boolean> => {
	if (loaders.some((path) => /^\/efi\/boot\/(grub|fb|fallback)[^/]*\.efi$/i.test(path))) return true;
	const sizeOf = async (path: string) => (await tree.stat(path))?.node.size;
	const size = await sizeOf(loader);
	if (size === undefined || size < LEAST_SHIM) return true;
	for (const path of loaders) if (/\/shim[^/]*\.efi$/i.test(path) && (await sizeOf(path)) === size) return false;
	return true;
};

/** A file for EFI: where its header is (MZ, e_lfanew), and how many sections that has, each of 40 bytes that begin with a name. */
const EFI_HEADER = 4096;

/** Whether the loader that firmware finds is made by grub-mkimage, which alone puts its modules in a section of that name. */
const isMadeByGrub = async (tree: FileTree, loader: string): Promise<boolean> => {
	const found = await tree.stat(loader);
	if (found?.node.kind !== 'file') return false;
	const bytes = await found.fileSystem.read(found.node, 0, Math.min(found.node.size, EFI_HEADER));
	const text = new TextDecoder('latin1').decode(bytes);
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const header = text.startsWith('MZ') && bytes.length >= 64 ? view.getUint32(0x3c, true) : EFI_HEADER;
	if (!text.startsWith('PE\0\0', header) || header + 24 > bytes.length) return false;
	const sections = header + 24 + view.getUint16(header + 20, true);
	return Array.from({ length: view.getUint16(header + 6, true) }, (_, index) => sections + index * 40).some((at) =>
		text.startsWith('mods\0\0\0\0', at),
	);
};

const loadersOf = async (tree: FileTree): Promise<readonly string[]> => {
	const loaders: string[] = [];
	for (const vendor of await tree.readdir('/EFI')) {
		for (const folder of [`/EFI/${vendor}`, `/EFI/${vendor}/Boot`]) {
			for (const name of await tree.readdir(folder)) {
				if (loaders.length === MAX_LOADERS) return loaders;
				if (/\.efi$/i.test(name)) loaders.push(`${folder}/${name}`);
			}
		}
	}
	return loaders;
};
