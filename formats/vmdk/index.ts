import { fileName } from '../../src/bytes/path.ts';
import type { DiskFormat } from '../../src/core/format.ts';
import { checkVmdk } from './check.ts';
import { kindOf } from './kind.ts';
import { openPiped } from './piped.ts';
import { openVmdk } from './reader.ts';
import { vmdkWriter } from './writer.ts';

/** What holds nothing but guest bytes, or a list of changed ones, looks like nothing in particular: its name says what it is. */
const partOfVmdk: NonNullable<DiskFormat['partOf']> = (name) => {
	const [, base, part] = /^(.*)-(flat|f\d{3,}|ctk|rdmp?)\.vmdk$/is.exec(name) ?? [];
	if (base === undefined || part === undefined) return undefined;
	const instead = `${base}.vmdk, its descriptor`;
	if (/ctk/i.test(part)) return { what: 'by its name it is the change tracking of a VMDK, and no disk', instead };
	if (/rdm/i.test(part)) return { what: 'by its name it maps a physical device of an ESXi host', instead };
	return { what: 'by its name it holds the bytes of a flat VMDK, which its descriptor puts in order', instead };
};

/** Extents that have marks of their own, as a delta of somebody else's by that name has. */
const extentOfVmdk: NonNullable<DiskFormat['extentOf']> = (name) => {
	const [, base] = /^(.*)-(?:s\d{3,}|delta|sesparse)\.vmdk$/is.exec(name) ?? [];
	if (base === undefined) return undefined;
	return {
		descriptor: `${base}.vmdk`,
		isNamedIn: (descriptor) =>
			kindOf(descriptor) === 'descriptor' &&
			new TextDecoder()
				.decode(descriptor)
				.toLowerCase()
				.includes(`"${fileName(name).toLowerCase()}"`),
	};
};

/** VMware's disks: a descriptor, in a file of its own or not, and extent files of many kinds. */
export const vmdk: DiskFormat = {
	id: 'vmdk',
	aliases: [],
	name: 'VMDK',
	extensions: ['vmdk'],
	probe: (head) => kindOf(head) !== undefined,
	partOf: partOfVmdk,
	extentOf: extentOfVmdk,
	open: openVmdk,
	openStream: openPiped,
	writer: vmdkWriter,
	check: checkVmdk,
};
