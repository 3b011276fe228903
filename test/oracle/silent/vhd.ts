import { vhd } from '../../../formats/vhd/index.ts';
import { openBytes, vhdBytes, withFooter } from '../../formats/vhd/helpers.ts';
import { deltaDisk } from '../../formats/vhdx/images.ts';
import { memoryDisk, patternDisk } from '../../helpers/pattern.ts';
import { type Case, imageOf, MiB } from './case.ts';
import { guestHeader } from './qcow2.ts';

const full = patternDisk({ size: 2 * MiB, data: [[0, 2 * MiB]] });

/** A size that is no whole number of cylinders, and the whole cylinders in it. */
const odd = patternDisk({ size: 5 * MiB + 512, data: [[0, 5 * MiB + 512]] });
const CYLINDERS = 150 * 4 * 17 * 512;

/** A child whose second half is its own, of a parent in which all is. */
const differencing = async (image: string): Promise<{ readonly [image: string]: Uint8Array; readonly parent: Uint8Array }> => {
	const parent = await vhdBytes(full);
	const { id } = await openBytes(parent);
	const child = deltaDisk({ size: 2 * MiB, data: [[MiB, MiB]], zero: [] });
	const backing = { name: 'parent.vhd', format: 'vhd', size: 2 * MiB, id };
	return { [image]: await vhdBytes(child, { backing }), parent };
};

const sizeBy = (image: string, creator: number, subformat: 'dynamic' | 'fixed'): Case => ({
	image,
	disk: odd,
	async files() {
		const bytes = await vhdBytes(odd, { options: { subformat } });
		return { [image]: withFooter(bytes, { creatorApplication: creator }, subformat === 'fixed' ? 'last' : 'both') };
	},
	vconv: 'right',
	qemu: { size: CYLINDERS, wrongAt: CYLINDERS },
});

export const vhdCases: readonly Case[] = [
	{
		image: 'differencing.vhd',
		disk: full,
		async files() {
			const { parent, ...child } = await differencing('differencing.vhd');
			return { ...child, 'parent.vhd': parent };
		},
		vconv: 'right',
		qemu: { size: 2 * MiB, wrongAt: 0 },
	},
	{
		image: 'inner/parent-gone.vhd',
		disk: full,
		async files() {
			const { parent: _, ...child } = await differencing('inner/parent-gone.vhd');
			return child;
		},
		vconv: { code: 5, says: 'which is not there' },
		qemu: { size: 2 * MiB, wrongAt: 0 },
	},
	sizeBy('virtualbox.vhd', 0x76626f78, 'dynamic'),
	sizeBy('azure.vhd', 0x77610000, 'dynamic'),
	{
		image: 'fixed.vhd',
		disk: full,
		files: async () => ({ 'fixed.vhd': await imageOf(vhd, full, { options: { subformat: 'fixed' } }) }),
		vconv: 'right',
		qemu: { size: 2 * MiB + 512, wrongAt: 2 * MiB },
	},
	{
		image: 'two-formats.vhd',
		disk: memoryDisk(guestHeader(2 * MiB)),
		files: async () => ({
			'two-formats.vhd': await imageOf(vhd, memoryDisk(guestHeader(2 * MiB)), { options: { subformat: 'fixed' } }),
		}),
		vconv: { code: 3, says: 'the marks of QCOW2 image and of VHD' },
		qemu: { size: 32768, wrongAt: 0 },
	},
];
