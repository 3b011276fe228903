import { humanSize } from '../../bytes/size.ts';
import { profileNamed } from '../../convert/profiles.ts';
import type { DiskState, Facts, ImageState } from '../facts.ts';
import type { Evidence, Rule } from '../rule.ts';
import { problems, sizeAgainst } from './describe.ts';

/** What is wrong with the files that disks are in. */
export const imageRules: readonly Rule[] = [
	{
		id: 'vmware.disk.capacity.invalid',
		category: 'Critical',
		label: 'Disk without a size',
		assessment: 'A disk of no bytes can be neither converted nor attached.',
		remedy: 'Find the right image, or remove the disk from the machine.',
		find: ({ disks }) => images(disks, ({ size }) => size <= 0 && 'its virtual size is 0'),
	},
	{
		id: 'vmware.datastore.missing',
		category: 'Critical',
		label: 'Disk image not found',
		assessment: 'A file that the disk needs is not there, so the machine cannot be moved whole.',
		remedy: 'Copy all files of the machine, or say where they are with --path-map.',
		find: ({ disks }) => problems(disks, 'missing'),
	},
	{
		id: 'vconv.image.reference.refused',
		category: 'Critical',
		label: 'An image names a file that may not be opened',
		assessment: 'The image refers to a file outside its folder, which may be none of its business.',
		remedy: 'Look at the name, and allow the folder with --allow-external DIR if it is yours.',
		find: ({ disks }) => problems(disks, 'refused'),
	},
	{
		id: 'vconv.image.corrupt',
		category: 'Critical',
		label: 'Damaged image',
		assessment: 'The image contradicts its own format: what it holds cannot be read for sure.',
		remedy: 'Take the image from the source once more, or repair it with the tool that made it; vconv check says more.',
		find: ({ disks }) => problems(disks, 'corrupt'),
	},
	{
		id: 'vconv.image.unsupported',
		category: 'Critical',
		label: 'Image of a kind that cannot be read',
		assessment:
			'The image uses something that vconv does not read (vSAN objects, encryption, an unwritten journal), and it does not guess.',
		remedy: 'Export the machine from the product that made it, where nothing else to do is said.',
		find: ({ disks }) => problems(disks, 'unsupported'),
	},
	{
		id: 'vconv.image.denied',
		category: 'Critical',
		label: 'File that may not be read',
		assessment: 'The system does not let vconv read a file that the disk needs.',
		remedy: 'Give whoever runs vconv the right to read it, or copy it.',
		find: ({ disks }) => problems(disks, 'denied'),
	},
	{
		id: 'vconv.image.chain.changed',
		category: 'Critical',
		label: 'An image was made of another parent',
		assessment: 'A parent of the chain is not what it was when its child was made: the disk that they make together never was.',
		remedy: 'Find the parent as it was; vconv chain shows which images belong together.',
		find: ({ disks }) => problems(disks, 'changed'),
	},
	{
		id: 'vconv.image.in_use',
		category: 'Critical',
		label: 'Image in use',
		assessment: 'Another program has the image open for writing: a copy of it now would mix several points in time.',
		remedy: 'Shut the machine down.',
		find: ({ disks }) => problems(disks, 'in-use'),
	},
	{
		id: 'vconv.image.errors',
		category: 'Critical',
		label: 'The check of the image finds errors',
		assessment: 'Tables of the image contradict each other; some of the data of the guest may be lost.',
		remedy: 'vconv check lists them all. Repair a copy of the image, or take the image from the source once more.',
		find: ({ disks }) => disks.flatMap((disk) => findings(disk, 'error')),
	},
	{
		id: 'vconv.image.leaks',
		category: 'Information',
		label: 'The image holds space that nothing uses',
		assessment: 'No data is at risk, and a conversion leaves the space out.',
		remedy: 'Nothing.',
		find: ({ disks }) => disks.flatMap((disk) => findings(disk, 'leak')),
	},
	{
		id: 'vconv.image.dirty',
		category: 'Warning',
		label: 'The image was not closed in order',
		assessment: 'The program that had it open ended unexpectedly. What the guest wrote last may not be in it.',
		remedy: 'Start the machine at the source once more and shut it down in order.',
		find: ({ disks }) =>
			disks.flatMap(({ image }) =>
				(image?.chain ?? []).flatMap(({ path, info }) =>
					info.dirty ? [{ what: `it is marked as open (${info.format})`, file: path }] : [],
				),
			),
	},
	{
		id: 'vconv.image.marked',
		category: 'Warning',
		label: 'Image that its writer marked as corrupt',
		assessment:
			'QEMU met a contradiction in it and wrote no more. What is in it now was found consistent; what the guest wrote then may be lost.',
		remedy: 'See in the guest, or in a copy of it, that its data is whole; take an earlier copy of the image if not.',
		find: ({ disks }) =>
			disks.flatMap(({ image }) =>
				(image?.chain ?? []).flatMap(({ path, check }) =>
					(check?.findings ?? [])
						.filter(({ severity, code }) => severity === 'note' && code === 'corrupt')
						.map(({ message }) => ({ what: message, file: path })),
				),
			),
	},
	{
		id: 'vconv.image.snapshots',
		category: 'Warning',
		label: 'The image holds snapshots',
		assessment: 'A conversion takes the present state of the disk, and no snapshots.',
		remedy: 'Take the snapshots that you need with vconv convert -l NAME, and keep the source.',
		find: ({ disks }) => images(disks, ({ info }) => (info.snapshots?.length ?? 0) > 0 && `${info.snapshots?.length} internal snapshots`),
	},
	{
		id: 'vconv.image.chain',
		category: 'Information',
		label: 'The disk is a chain of images',
		assessment: 'The disk is made of several images, each a delta of the next. The conversion makes one of them.',
		remedy: 'Nothing; vconv convert --keep-chain keeps them apart.',
		find: ({ disks }) =>
			disks.flatMap(({ path, image }) => {
				const [, ...parents] = image?.chain ?? [];
				const base = parents.at(-1)?.path;
				if (base === undefined) return [];
				return [{ what: `${parents.length + 1} images, the base is ${base}`, file: path, named: [base] }];
			}),
	},
	{
		id: 'vconv.image.deltas',
		category: 'Warning',
		label: 'Image with deltas that the machine does not name',
		assessment:
			'Deltas of the disk lie beside it, and the description names what they are made of: if one of them is the newest state, the move takes an older one.',
		remedy: 'See which image is the newest (vconv chain DIR) and have the description name that; nothing, if the deltas are left over.',
		find: ({ disks }) =>
			disks.flatMap(({ path, deltas = [] }) => deltas.map((delta) => ({ what: `${delta} is a delta of it`, file: path, named: [delta] }))),
	},
	{
		id: 'vconv.image.format',
		category: 'Information',
		label: 'Image of a kind that the target does not take',
		assessment: 'The import of the target refuses images of this kind: it has to be converted.',
		remedy: '`vconv convert --for TARGET IN OUT` writes one that it takes.',
		targets: ['azure', 'aws', 'gcp', 'hyperv'],
		find: ({ disks }, target) => {
			const { takes, name } = profileNamed(target.id);
			const kinds = ({ format, options }: (typeof takes)[number]): string => [format, ...(options?.['subformat'] ?? [])].join(' ');
			return images(disks, ({ format, info }) => {
				const kind = info.specific?.data['create-type'] ?? info.specific?.data['disk-type'];
				const isTaken = takes.some(
					(shape) => shape.format === format && (typeof kind !== 'string' || (shape.options?.['subformat'] ?? [kind]).includes(kind)),
				);
				const own = typeof kind === 'string' ? `${format} ${kind}` : format;
				return !isTaken && `${own}, and ${name} takes ${takes.map(kinds).join(', ')}`;
			});
		},
	},
	{
		id: 'vconv.disk.size.limit',
		category: 'Critical',
		label: 'Disk larger than the target takes',
		assessment: 'The target takes no disk of this size.',
		remedy: 'Shrink the file systems and the disk in the guest, or choose another target.',
		find: ({ disks }, { name, size }) =>
			images(disks, (image) => image.size > size.most && sizeAgainst(image.size, `${name} takes at most`, size.most)),
	},
	{
		id: 'vconv.disk.size.least',
		category: 'Warning',
		label: 'Disk smaller than the target takes',
		assessment: 'The target refuses disks as small as this one.',
		remedy: 'Have it grown by the conversion: -o align=SIZE adds zeros at its end.',
		find: ({ disks }, { name, size }) =>
			images(
				disks,
				(image) => image.size > 0 && image.size < size.least && sizeAgainst(image.size, `${name} takes no less than`, size.least),
			),
	},
	{
		id: 'vconv.disk.size.multiple',
		category: 'Information',
		label: 'Disk of an odd size',
		assessment: 'The target takes whole multiples of a size; the conversion adds zeros at the end of the disk.',
		remedy: 'Nothing; vconv convert --for TARGET makes it so.',
		find: ({ disks }, { name, size }) =>
			images(
				disks,
				(image) =>
					image.size % size.multipleOf !== 0 && `${image.size} bytes, and ${name} takes multiples of ${humanSize(size.multipleOf)}`,
			),
	},
	{
		id: 'vconv.disk.size.sector',
		category: 'Warning',
		label: 'Disk that does not end with a sector',
		assessment: 'Its last bytes are no whole sector of 512 bytes: the conversion adds zeros up to one.',
		remedy: 'See whether the image was cut off.',
		find: ({ disks }) => images(disks, ({ size }) => size % 512 !== 0 && `${size} bytes`),
	},
	{
		id: 'vconv.disk.sectors.4k',
		category: 'Critical',
		label: 'Sectors of 4096 bytes',
		assessment: 'The target shows disks with sectors of 512 bytes, by which the partition table of this one means other places.',
		remedy: 'Make the machine anew on a disk with sectors of 512 bytes, or choose a target that has the larger ones.',
		find: ({ disks }, { sectors4K, name }) =>
			disks.flatMap(({ path, image, device }) => {
				const isLarge = image?.sectorSize === 4096 || device?.sectorSize === 4096;
				return isLarge && !sectors4K ? [{ what: `${name} has sectors of 512 bytes only`, file: path }] : [];
			}),
	},
];

/** Evidence for each disk whose image is so. */
const images = (disks: Facts['disks'], seen: (image: ImageState) => string | false): Evidence[] =>
	disks.flatMap(({ path, image }) => {
		const what = image ? seen(image) : false;
		return what === false ? [] : [{ what, file: path }];
	});

/** Those of a check that a person would read. */
const SHOWN = 5;

const findings = ({ image }: DiskState, severity: 'error' | 'leak'): Evidence[] =>
	(image?.chain ?? []).flatMap(({ path, check }): Evidence[] => {
		const all = (check?.findings ?? []).filter((finding) => finding.severity === severity);
		const first = all.slice(0, SHOWN).map(({ message, offset }) => ({ what: message, file: path, offset }));
		const count = check?.counts[severity] ?? 0;
		return count > first.length && first.length > 0 ? [...first, { what: `${count} in all`, file: path }] : first;
	});
