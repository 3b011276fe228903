import type { Source } from '../../src/core/source.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { openCowd } from './cowd.ts';
import type { ExtentLine } from './descriptor.ts';
import { openSparse } from './directory.ts';
import type { ExtentContext, ExtentFile } from './extent-file.ts';
import { openFlat } from './flat.ts';
import { KIND_HEAD, type Kind, kindOf } from './kind.ts';
import { openSeSparse } from './sesparse.ts';

/** The extents that hold grains, and how their files begin. */
const WITH_GRAINS: Readonly<Partial<Record<ExtentLine['type'], Kind>>> = { SPARSE: 'sparse', VMFSSPARSE: 'cowd', SESPARSE: 'seSparse' };

/** An extent of a disk: its line in the descriptor, and the file behind it (none for `ZERO`). */
export type DiskExtent = ExtentFile & { readonly line: ExtentLine; readonly source?: Source | undefined };

/**
 * Open what one line of a descriptor names.
 * @param follow the way to the file that it names; the descriptor must not be it.
 * @throws UnsupportedError for what no file holds, CorruptError where line and file contradict each other, AccessError.
 */
export const openExtent = async (
	line: ExtentLine,
	descriptor: Source,
	follow: (reference: string) => Promise<Source>,
	context: ExtentContext,
): Promise<DiskExtent> => {
	refuseUnreadable(line, descriptor);
	if (line.type === 'ZERO') return { line, capacity: line.size, extents: zeros };
	const name = line.fileName ?? '';
	const source = await follow(name);
	if (source.identity === descriptor.identity) {
		throw new CorruptError(`it names itself, '${name}', as a file that holds its data`, { path: descriptor.name, field: 'extent' });
	}
	const kind = kindOf(await source.read(0, Math.min(KIND_HEAD, source.size)));
	const wanted = WITH_GRAINS[line.type];
	if (wanted !== undefined && kind !== wanted) {
		throw new CorruptError(`it is not the ${line.type} extent that its descriptor says`, { path: source.name, offset: 0, field: 'magic' });
	}
	const file = await openKind(line, source, context);
	checkSize(line, file, source);
	return { ...file, line, source };
};

/** The disk's part of a file with grains is all of it, but for the grain that the disk ends in: VirtualBox counts it whole. */
export const checkSize = (
	line: ExtentLine,
	{ capacity, grainSize = 1 }: Pick<ExtentFile, 'capacity' | 'grainSize'>,
	source: Pick<Source, 'name'>,
): void => {
	if (line.size <= capacity && capacity - line.size < grainSize) return;
	throw new CorruptError(`the descriptor says that it holds ${line.size} bytes of the disk, and its header says ${capacity}`, {
		path: source.name,
		field: 'capacity',
		hint: 'the descriptor that was made with this file',
	});
};

const openKind = (line: ExtentLine, source: Source, context: ExtentContext): Promise<ExtentFile> | ExtentFile => {
	switch (line.type) {
		case 'SPARSE':
			return openSparse(source, context);
		case 'VMFSSPARSE':
			return openCowd(source);
		case 'SESPARSE':
			return openSeSparse(source);
		default:
			return openFlat(line, source);
	}
};

async function* zeros(offset: number, length: number) {
	yield { kind: 'zero', offset, length } as const;
}

/** What has no file that could be read. */
const refuseUnreadable = ({ access, type, fileName = '' }: ExtentLine, descriptor: Source): void => {
	const unsupported = (message: string, hint: string, reason?: 'device') =>
		new UnsupportedError(message, { path: descriptor.name, field: 'extent', hint, reason });
	if (access === 'NOACCESS') {
		throw unsupported(
			`its ${type} extent${fileName && ` '${fileName}'`} is marked NOACCESS: what the guest would read there is not known`,
			'a full copy made on its host',
		);
	}
	if (type === 'VMFSRDM' || type === 'VMFSRAW') {
		throw unsupported(
			`it stands for a physical device of its ESXi host (${type} '${fileName}'), and holds no data itself`,
			'a copy by `vmkfstools -i` of this descriptor on that host, or of the device itself by `vconv convert -f raw`',
			'device',
		);
	}
	const store = /^(vsan|vvol):\/\//i.exec(fileName)?.[1]?.toLowerCase();
	if (store !== undefined) {
		throw unsupported(
			`its data is an object of ${store === 'vsan' ? 'vSAN' : 'vVols'}, '${fileName}', and in no file`,
			'vmkfstools -i of this descriptor on its host, to a datastore of VMFS or NFS',
		);
	}
	if (isDeviceName(fileName)) throw unsupported(`its data is on a device, '${fileName}'`, copyOf(fileName), 'device');
};

/** Names of devices on Windows and elsewhere. */
const isDeviceName = (name: string): boolean => /^(\\\\[.?]\\|\/dev\/)/.test(name);

const copyOf = (device: string): string => `a copy of it by \`vconv convert -f raw ${device} COPY\`, on the machine that has it`;

/** What to do about a disk that stands for a device: its extents name that, or parts of it in devices of their own. */
export const deviceInstead = ([first, ...others]: readonly ExtentLine[]): string => {
	const name = first?.fileName ?? '';
	return copyOf(others.length === 0 && isDeviceName(name) ? name : 'DEVICE');
};
