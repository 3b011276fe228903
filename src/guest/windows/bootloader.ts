import type { BootloaderFacts } from '../facts.ts';
import type { GuestContext } from '../system.ts';
import { fileTree } from '../tree.ts';

/** Where the boot manager has its settings: on the EFI system partition, and on the active one of a BIOS. */
const STORES = ['/EFI/Microsoft/Boot/BCD', '/Boot/BCD'];

/** The boot manager of Windows Vista and later, on whichever volume it is; undefined where none was found. */
export const windowsBootloader = async ({ open, attempt }: GuestContext): Promise<BootloaderFacts | undefined> => {
	for (const path of STORES) {
		for (const { facts, fileSystem } of open) {
			if (await attempt(facts.id, 'the boot manager of Windows', () => fileTree(fileSystem).isFile(path))) {
				return { kind: 'bootmgr', file: `${facts.id}:${path}` };
			}
		}
	}
	return undefined;
};
