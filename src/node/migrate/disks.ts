import path from 'node:path';
import type { FormatWords } from '../../convert/detect.ts';
import { flatten, type Layer, type OpenOptions, openChain } from '../../convert/open.ts';
import type { Disk } from '../../core/disk.ts';
import type { DiskFormat } from '../../core/format.ts';
import { limitsOf } from '../../core/limits.ts';
import type { Note } from '../../core/note.ts';
import type { Source } from '../../core/source.ts';
import { AccessError, UnrecognizedError, UnsupportedError } from '../../errors.ts';
import type { Machine } from '../../machine/format.ts';
import { isHardDisk } from '../../machine/hard-disks.ts';
import type { DiskDevice, VmSpec } from '../../machine/spec.ts';
import { statOf, versionOf } from '../file.ts';
import { type GateOptions, gate, isMissing, orBeside, siblings } from '../gate.ts';
import { holdSource, type SharingOptions } from '../inuse.ts';
import { refuseOtherChain, refuseSlice } from '../said-chain.ts';
import { noFile, refusedDevice } from './no-file.ts';

/** Which files may be opened for a machine, and how. */
export type ReadingOptions = GateOptions &
	SharingOptions & {
		/** All that vconv has, where left out. */
		readonly formats: readonly DiskFormat[];
		readonly signal?: AbortSignal | undefined;
	};

/** Of these options, those of reading. */
export const readingOptions = (
	{ allow, untrusted, limits, pathMap, forceShare, sourceLock, signal }: Omit<ReadingOptions, 'formats'>,
	formats: readonly DiskFormat[],
): ReadingOptions => ({ allow, untrusted, limits, pathMap, forceShare, sourceLock, signal, formats });

/** A disk of a machine, opened with everything beneath it. */
export type OpenDisk = {
	readonly device: DiskDevice;
	/** What the guest sees. Closing it closes all files. */
	readonly disk: Disk;
	/** The image and its parents, the top first. */
	readonly layers: readonly Layer[];
	/**
	 * What all its files are at present, in words that change when they do: of those that were opened by now. Undefined where that cannot be
	 * told, as of a device.
	 */
	versions(): readonly string[] | undefined;
	/** The names of those files. */
	files(): readonly string[];
};

/** The hard disks of a machine. */
export const hardDisks = (disks: readonly DiskDevice[]): readonly DiskDevice[] =>
	disks.filter((one) => isHardDisk(one) && one.bus !== 'fdc');

/** The way from a machine's description, and from its images, to files. @param note as `orBeside` has it. */
export const machineGate = (description: string, options: ReadingOptions, note?: (note: Note) => void): OpenOptions['gate'] =>
	orBeside(gate(options), description, note);

/**
 * The file of a disk, by the name that the description gives.
 * @param description the file's name.
 * @param spec says in what other folders VMware would look, for the message.
 * @throws AccessError for a disk that is not there or may not be opened, UnsupportedError for one that is in no file.
 */
export const locateDisk = async (
	description: string,
	device: DiskDevice,
	options: ReadingOptions,
	note?: (note: Note) => void,
	spec?: VmSpec,
): Promise<Source> => {
	const { id, media, keys } = device;
	refuseSlice(description, device);
	if (media.type === 'none' || media.type === 'auto') {
		throw new UnsupportedError(`its disk ${id} has no image`, {
			path: description,
			field: keys[0],
			hint: 'a description without that disk',
		});
	}
	const said = media.type === 'other' ? (media.name ?? media.said) : media.path;
	const isMapped = options.pathMap?.some(({ from }) => from !== '' && said.startsWith(from)) ?? false;
	if (!options.untrusted && !isMapped) {
		if (media.type === 'other' && media.said !== 'volume') throw noFile(description, device, media);
		if (media.type === 'block' && statOf(said)?.isBlockDevice()) throw refusedDevice(description, device, said);
	}
	const found = await locate(description, said, options, note).catch((error) => {
		if (!isMissing(error)) throw error;
		throw media.type === 'other' ? noFile(description, device, media) : missing(description, device, said, spec);
	});
	try {
		holdSource(found, options, note);
	} catch (error) {
		await found.close();
		throw error;
	}
	return found;
};

/** A file that a description names. The gate asks for no more of a source than where it is. */
const locate = (description: string, said: string, options: ReadingOptions, note?: (note: Note) => void): Promise<Source> =>
	machineGate(description, options, note)({ name: description } as Source, said);

const missing = (description: string, { id, keys }: DiskDevice, said: string, spec: VmSpec | undefined): AccessError => {
	const folder = /^\[[^\]]*\]/.exec(said)?.[0] ?? said.split(/[\\/]/).slice(0, -1).join('/');
	const searched = (spec?.extras ?? []).filter(({ key, value }) => /^(workingdir|filesearchpath)$/i.test(key) && !/^\.?$/.test(value));
	const where = searched.map(({ key, value }) => `; its ${key}, which is not searched, is '${value}'`).join('');
	return new AccessError(`its disk ${id}, '${said}', is not there${where}`, {
		path: description,
		field: keys[0],
		hint: `putting it beside ${path.basename(description)}, or --path-map '${folder === '' ? said : folder}=WHERE IT IS'`,
		reason: 'missing',
	});
};

/** The description alone says what a disk is; a VMX has no word for it. */
const inDomain: FormatWords = (format) => `<driver type='${format}'/> in the domain`;
const inCopy: FormatWords = (format) => `a VMDK that vconv convert -f ${format} makes of it`;

/** To libvirt a disk whose format is not said is raw, whatever its guest has written into it. */
const refuseUnsaidFormat = (description: string, { id, format, keys }: DiskDevice, top: Layer): void => {
	if (format !== undefined || top.format.id === 'raw') return;
	throw new UnrecognizedError(
		`it does not say what its disk ${id} is, which is raw to libvirt, and a guest may have made that look like a ${top.format.name}`,
		{
			path: description,
			field: keys[0],
			hint: `${inDomain(top.format.id)}, if that is what it is, or ${inDomain('raw')}`,
		},
	);
};

/** Open a disk with all its parents. @throws as `locateDisk`, and whatever is wrong with an image. */
export const openDiskOf = async (
	{ path: description, format, spec }: Machine,
	device: DiskDevice,
	options: ReadingOptions,
	note?: (note: Note) => void,
): Promise<OpenDisk> => {
	const { formats, signal } = options;
	const top = await locateDisk(description, device, options, note, spec);
	const followed: Source[] = [];
	const limits = limitsOf(options);
	const follow = gate(options);
	const layers = await openChain(top, {
		formats,
		format: device.format,
		formatWords: format === 'libvirt' ? inDomain : inCopy,
		async gate(source, reference) {
			const found = await follow(source, reference);
			followed.push(found);
			holdSource(found, options, note);
			return found;
		},
		siblings: siblings(
			formats.flatMap(({ extensions }) => extensions),
			{ ...options, limits },
		),
		limits,
		...(note && { note }),
		signal,
	});
	const sources = (): readonly Source[] => [...followed, ...layers.map(({ source }) => source)];
	const disk = flatten(layers);
	try {
		if (format === 'libvirt') refuseUnsaidFormat(description, device, layers[0] as Layer);
		await refuseOtherChain(description, device, { layers, opened: sources() }, (name) => locate(description, name, options, note));
	} catch (error) {
		await disk.close();
		throw error;
	}
	return {
		device,
		disk,
		layers,
		versions() {
			const said = sources().map(versionOf);
			return said.every((version) => version !== undefined) ? [...new Set(said)].sort() : undefined;
		},
		files: () => [...new Set(sources().map(({ name }) => name))],
	};
};
