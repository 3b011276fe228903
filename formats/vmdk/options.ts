import type { OptionTable, WriteRequest } from '../../src/core/format.ts';
import { UsageError } from '../../src/errors.ts';

export const SUBFORMATS = [
	'monolithicSparse',
	'streamOptimized',
	'monolithicFlat',
	'twoGbMaxExtentSparse',
	'twoGbMaxExtentFlat',
	'vmfs',
] as const;

/** The kinds of VMDK that are written, by their `createType`. */
export type Subformat = (typeof SUBFORMATS)[number];

const SWITCH = ['off', 'on'];

/** Named as qemu-img names them where it has them. */
export const vmdkOptions: OptionTable = {
	subformat: { default: 'monolithicSparse', values: SUBFORMATS, help: 'monolithicSparse with -c is streamOptimized' },
	adapter_type: {
		default: 'auto',
		values: ['auto', 'ide', 'buslogic', 'lsilogic', 'legacyESX', 'pvscsi'],
		help: 'auto is lsilogic for vmfs and streamOptimized, which ESXi takes, and ide otherwise',
	},
	hwversion: { default: 'auto', help: 'oldest virtual hardware that may use it; auto is 8 for vmfs, 7 for pvscsi, otherwise 4' },
	toolsversion: { default: '2147483647', help: 'version of the guest tools on the disk; 2147483647 for those of the guest system' },
	compat6: { default: 'off', values: SWITCH, help: 'the same as hwversion=6' },
	zeroed_grain: { default: 'off', values: SWITCH, help: 'sparse kinds: say zeros over a parent in the table, not with grains of zeros' },
	compression_level: { default: '3', values: ['1', '2', '3', '4', '5', '6', '7', '8', '9'], help: 'streamOptimized: 1 is fast, 9 small' },
	thin_provisioned: { default: 'off', values: SWITCH, help: 'vmfs: tell ESXi that the data file is thin' },
};

/** What the options come to. */
export type Choices = {
	readonly subformat: Subformat;
	readonly adapterType: string;
	readonly hwVersion: string;
	readonly toolsVersion: string;
	readonly zeroedGrain: boolean;
	/** 1 … 9. */
	readonly level: number;
	readonly thin: boolean;
};

/** @throws UsageError for options that contradict each other, or mean nothing for the kind that is asked for. */
export const chosen = ({ options, compress, backing }: Pick<WriteRequest, 'options' | 'compress' | 'backing'>): Choices => {
	const said = options['subformat'] as Subformat;
	const subformat = compress && said === 'monolithicSparse' ? 'streamOptimized' : said;
	const sparse = subformat === 'monolithicSparse' || subformat === 'twoGbMaxExtentSparse';
	const on = (name: string): boolean => options[name] === 'on';

	if (compress && subformat !== 'streamOptimized') {
		throw new UsageError(`${subformat} stores nothing compressed`, { hint: '-o subformat=streamOptimized, or no -c' });
	}
	if (backing && !sparse) {
		throw new UsageError(`a VMDK over a parent cannot be ${subformat}`, { hint: '-o subformat=monolithicSparse, without -c' });
	}
	if (on('zeroed_grain') && !sparse) {
		throw new UsageError(`${subformat} has no zeroed grains`, { hint: 'zeroed_grain=off, or subformat=monolithicSparse' });
	}
	if (on('thin_provisioned') && subformat !== 'vmfs') {
		throw new UsageError(`thin_provisioned means nothing for ${subformat}`, { hint: 'subformat=vmfs' });
	}
	const adapter = options['adapter_type'] ?? 'auto';
	const esxi = subformat === 'vmfs' || subformat === 'streamOptimized';
	const adapterType = adapter === 'auto' ? (esxi ? 'lsilogic' : 'ide') : adapter;
	return {
		subformat,
		adapterType,
		hwVersion: hwVersion(options['hwversion'] ?? 'auto', on('compat6'), subformat === 'vmfs' ? '8' : adapterType === 'pvscsi' ? '7' : '4'),
		toolsVersion: wholeNumber('toolsversion', options['toolsversion'] ?? '', 2 ** 32 - 1),
		zeroedGrain: on('zeroed_grain'),
		level: Number(options['compression_level']),
		thin: on('thin_provisioned'),
	};
};

const hwVersion = (said: string, compat6: boolean, usual: string): string => {
	if (compat6 && said !== 'auto')
		throw new UsageError('compat6 is hwversion=6: only one of them can be given', { hint: `hwversion=${said}` });
	if (compat6) return '6';
	return said === 'auto' ? usual : wholeNumber('hwversion', said, 99);
};

const wholeNumber = (name: string, value: string, most: number): string => {
	if (!/^\d{1,10}$/.test(value) || Number(value) > most) throw new UsageError(`${name}=${value} is not a number from 0 to ${most}`);
	return value;
};
