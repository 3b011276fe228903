import { vmdk } from '../../../formats/vmdk/index.ts';
import { SECTOR, sparseHeader } from '../../../formats/vmdk/layout.ts';
import type { Disk } from '../../../src/core/disk.ts';
import { deltaDisk } from '../../formats/vhdx/images.ts';
import { descriptor } from '../../formats/vmdk/build.ts';
import { patternBytes, patternDisk } from '../../helpers/pattern.ts';
import { type Case, edited, type Files, imageOf, MiB } from './case.ts';

const full = patternDisk({ size: 2 * MiB, data: [[0, 2 * MiB]] });

/** A descriptor of these extents, and the one file they name. */
const described = async (image: string, createType: string, extents: readonly string[], data: Uint8Array): Promise<Files> => ({
	[image]: descriptor('parentCID=ffffffff', `createType="${createType}"`, ...extents.map((line) => line.replace('DATA', '"data.bin"'))),
	'data.bin': data,
});

/** A sparse image with changes. */
const sparse = async (image: string, edit: Parameters<typeof edited>[1]): Promise<Files> => ({
	[image]: edited(await imageOf(vmdk, full, { name: image }), edit),
});

/** A whole image under a child with its second half, as VirtualBox ties them together: by UUIDs in their disk databases alone. */
const virtualBoxChain = async (image: string): Promise<Readonly<Record<string, Uint8Array>>> => {
	const [base, state] = ['9afa1dd0-d966-4279-a762-b7fbb0136308', 'cd9be63c-4953-44d0-8325-45635a9ca396'];
	const none = '00000000-0000-0000-0000-000000000000';
	const of = (own: string, now: string, parent: string, then: string): string =>
		[`uuid.image="${own}"`, `uuid.modification="${now}"`, `uuid.parent="${parent}"`, `uuid.parentmodification="${then}"`]
			.map((line) => `ddb.${line}\n`)
			.join('');
	const said = async (disk: Disk, ids: string): Promise<Uint8Array> =>
		edited(await imageOf(vmdk, disk, { name: image }), (_, bytes) => {
			const text = Buffer.from(bytes.buffer).subarray(SECTOR, 21 * SECTOR);
			text.write(ids, text.indexOf(0));
		});
	return {
		[image]: await said(
			patternDisk({ size: 2 * MiB, data: [[MiB, MiB]] }),
			of('871a6044-c8ca-48ed-b7aa-e6fc49da3db4', '3661715c-3906-4e4a-ab65-486d140e03b8', base, state),
		),
		'base.vmdk': await said(full, of(base, state, none, none)),
	};
};

/** Where the entries of a sparse image's first grain table are named: in its primary directory, and in the redundant one. */
const directories = (bytes: Uint8Array): readonly [number, number] => {
	const { gdOffset, rgdOffset } = sparseHeader.decode(bytes, { path: 'image', offset: 0 });
	return [Number(gdOffset) * SECTOR, rgdOffset * SECTOR];
};

/** A sector that no file here has. */
const FAR = 0x10000000;

export const vmdkCases: readonly Case[] = [
	{
		image: 'zero-extent.vmdk',
		disk: patternDisk({ size: 2 * MiB, data: [[MiB, MiB]] }),
		files: () => described('zero-extent.vmdk', 'monolithicFlat', ['RW 2048 ZERO', 'RW 2048 FLAT DATA 0'], patternBytes(MiB, MiB)),
		vconv: 'right',
		qemu: { size: MiB, wrongAt: 0 },
	},
	{
		image: 'rdonly-extent.vmdk',
		disk: full,
		files: () =>
			described('rdonly-extent.vmdk', 'monolithicFlat', ['RW 2048 FLAT DATA 0', 'RDONLY 2048 FLAT DATA 2048'], patternBytes(0, 2 * MiB)),
		vconv: 'right',
		qemu: { size: MiB, wrongAt: MiB },
	},
	{
		image: 'noaccess-extent.vmdk',
		disk: full,
		files: () =>
			described('noaccess-extent.vmdk', 'monolithicFlat', ['RW 2048 FLAT DATA 0', 'NOACCESS 2048 FLAT DATA 0'], patternBytes(0, MiB)),
		vconv: { code: 3, says: 'marked NOACCESS' },
		qemu: { size: MiB, wrongAt: MiB },
	},
	{
		image: 'rdm-extent.vmdk',
		disk: full,
		files: () => described('rdm-extent.vmdk', 'vmfs', ['RW 2048 VMFS DATA', 'RW 2048 VMFSRDM DATA'], patternBytes(0, MiB)),
		vconv: { code: 3, says: 'a physical device' },
		qemu: { size: MiB, wrongAt: MiB },
	},
	{
		image: 'flat-too-short.vmdk',
		disk: full,
		files: () => described('flat-too-short.vmdk', 'monolithicFlat', ['RW 4096 FLAT DATA 0'], patternBytes(0, MiB)),
		vconv: { code: 4, says: 'its descriptor says that' },
		qemu: { size: 2 * MiB, wrongAt: MiB },
	},
	{
		image: 'cut.vmdk',
		disk: full,
		files: async () => ({ 'cut.vmdk': (await imageOf(vmdk, full)).slice(0, -MiB) }),
		vconv: { code: 4, says: 'past the end of the file' },
		qemu: { size: 2 * MiB, wrongAt: MiB },
	},
	{
		image: 'table-past-end.vmdk',
		disk: full,
		files: () =>
			sparse('table-past-end.vmdk', (view, bytes) => {
				for (const at of directories(bytes)) view.setUint32(at, FAR, true);
			}),
		vconv: { code: 4, says: 'grain table 0 is past the end of the file' },
		qemu: { size: 2 * MiB, wrongAt: 0 },
	},
	{
		image: 'directory-damaged.vmdk',
		disk: full,
		files: () => sparse('directory-damaged.vmdk', (view, bytes) => view.setUint32(directories(bytes)[0], FAR, true)),
		vconv: 'right',
		qemu: { size: 2 * MiB, wrongAt: 0 },
	},
	{
		image: 'rounded-capacity.vmdk',
		disk: patternDisk({ size: 4000 * SECTOR, data: [[0, 4000 * SECTOR]] }),
		files: () =>
			sparse('rounded-capacity.vmdk', (_, bytes) => {
				const line = Buffer.from(bytes.buffer).indexOf('RW 4096 SPARSE');
				bytes.set(Buffer.from('RW 4000'), line);
			}),
		vconv: 'right',
		qemu: { size: 2 * MiB, wrongAt: 4000 * SECTOR },
	},
	{
		image: 'grains-swapped.vmdk',
		disk: full,
		async files() {
			const bytes = await imageOf(vmdk, full, { options: { subformat: 'streamOptimized' } });
			// The footer stands before the end-of-stream marker.
			const { gdOffset } = sparseHeader.decode(bytes.subarray(-2 * SECTOR, -SECTOR), { path: 'image', offset: 0 });
			const swapped = edited(bytes, (view) => {
				const table = view.getUint32(Number(gdOffset) * SECTOR, true) * SECTOR;
				const [first, second] = [view.getUint32(table, true), view.getUint32(table + 4, true)];
				view.setUint32(table, second, true);
				view.setUint32(table + 4, first, true);
			});
			return { 'grains-swapped.vmdk': swapped };
		},
		vconv: { code: 4, says: 'is marked as that of' },
		qemu: { size: 2 * MiB, wrongAt: 0 },
	},
	{
		image: 'parent-unsaid.vmdk',
		disk: full,
		async files() {
			const parent = { name: 'parent.vmdk', format: 'vmdk', size: 2 * MiB, id: '1234abcd' };
			const child = await imageOf(vmdk, deltaDisk({ size: 2 * MiB, data: [], zero: [] }), { backing: parent });
			return {
				'parent-unsaid.vmdk': edited(child, (_, bytes) => {
					const key = Buffer.from(bytes.buffer).indexOf('parentFileNameHint');
					bytes.set(Buffer.from('oldFileNameHint   '), key);
				}),
			};
		},
		vconv: { code: 4, says: 'not clear whether the disk has a parent' },
		qemu: { size: 2 * MiB, wrongAt: 0 },
	},
	{
		image: 'virtualbox-snapshot.vmdk',
		disk: full,
		files: () => virtualBoxChain('virtualbox-snapshot.vmdk'),
		vconv: 'right',
		qemu: { size: 2 * MiB, wrongAt: 0 },
	},
	{
		image: 'inner/virtualbox-parent-gone.vmdk',
		disk: full,
		async files() {
			const { 'base.vmdk': _, ...child } = await virtualBoxChain('inner/virtualbox-parent-gone.vmdk');
			return child;
		},
		vconv: { code: 5, says: 'no image in its folder has that' },
		qemu: { size: 2 * MiB, wrongAt: 0 },
	},
	{
		image: 'inner/file-outside.vmdk',
		disk: full,
		files: async () => ({
			'inner/file-outside.vmdk': descriptor('parentCID=ffffffff', 'createType="monolithicFlat"', 'RW 4096 FLAT "../somebody-elses.txt" 0'),
			'somebody-elses.txt': patternBytes(0, 2 * MiB),
		}),
		vconv: { code: 5, says: 'outside its own folder' },
		qemu: { size: 2 * MiB },
	},
];
