import { alignUp, isZero } from '../../src/bytes/align.ts';
import { guidBytes, guidText } from '../../src/bytes/guid.ts';
import type { BackingReference, DiskWriter } from '../../src/core/format.ts';
import { UnsupportedError, UsageError } from '../../src/errors.ts';
import { deltaAllocator, wholeAllocator } from './allocator.ts';
import { encodeHeader, encodeIdentifier, encodeMetadata, encodeRegions } from './front.ts';
import { HEADER_SECTION, HEADERS_AT, KiB, MiB, REGION_TABLES_AT, STATE } from './layout.ts';
import { encodeLocator } from './locator.ts';
import { settingsOf, vhdxOptions } from './options.ts';
import { blockTable } from './table.ts';

/** What is tested for zeros: a part of a block, so that a sparse file stays sparse within its blocks. */
const GRANULE = 64 * KiB;

/**
 * Fixed, dynamic, or differencing over `backing`: headers, log, metadata, BAT, then the payload blocks in guest order and, in a delta,
 * the sector bitmaps. Everything is on a multiple of 1 MiB, the end of the file too.
 */
export const vhdxWriter: DiskWriter = {
	sectorSizes: [512, 4096],
	options: vhdxOptions,
	plan(request) {
		const { backing, stamp } = request;
		const settings = settingsOf(request);
		const { size, fixed, geometry } = settings;
		const locator = backing && parentLocator(backing);
		const log = { offset: HEADER_SECTION, length: settings.logSize };
		const metadata = { offset: log.offset + log.length, length: MiB };
		const bat = { offset: metadata.offset + metadata.length, length: Math.max(MiB, alignUp(geometry.entries * 8, MiB)) };
		const dataStart = bat.offset + bat.length;

		const blank = { state: settings.stateZero && !backing ? STATE.zero : STATE.notPresent, offset: 0 };
		const table = blockTable(geometry, (block) =>
			fixed ? { state: STATE.fullyPresent, offset: dataStart + block * geometry.blockSize } : blank,
		);
		const blocks = backing ? deltaAllocator(geometry, size, table, dataStart) : wholeAllocator(geometry, table, dataStart);
		return {
			size,
			// In a delta sectors are told apart, and moved: none holds both its own bytes and the parent's.
			block: backing ? geometry.sectorSize : GRANULE,
			...(fixed && { fixedAt: dataStart }),
			place: blocks.place,
			...(backing && { zero: blocks.zero }),
			outline: { unit: geometry.blockSize, reserved: fixed, others: () => dataStart },
			async finish([sink]) {
				if (!sink) return;
				const end = await blocks.finish(sink);
				await table.write(sink, bat.offset);
				await sink.write(metadata.offset, encodeMetadata(settings, stamp.id(), locator));
				const regions = encodeRegions(bat, metadata);
				for (const at of REGION_TABLES_AT) await sink.write(at, regions);
				await sink.resize(fixed ? dataStart + geometry.blocks * geometry.blockSize : end);
				const [fileWriteGuid, dataWriteGuid] = [stamp.id(), stamp.id()];
				for (const [index, at] of HEADERS_AT.entries()) {
					await sink.write(at, encodeHeader({ sequenceNumber: BigInt(index + 1), fileWriteGuid, dataWriteGuid, log }));
				}
				// Without it no program takes the file for a VHDX.
				await sink.write(0, encodeIdentifier('vconv'));
			},
		};
	},
};

/** §2.6.2.6.3. @throws UnsupportedError for a parent that is no VHDX, UsageError for a path that Windows cannot follow. */
const parentLocator = (backing: BackingReference): Uint8Array => {
	const { name, relative = name, format } = backing;
	const place = { path: name };
	if (format !== 'vhdx') throw new UnsupportedError(`the parent of a VHDX is a VHDX, and this is ${format}`, place);
	const id = guidBytes(backing.id ?? '');
	if (!id || isZero(id)) throw new UnsupportedError('it has no data write GUID, by which a differencing VHDX knows its parent', place);
	const [path, near] = [name, relative].map((said) => said.replaceAll('/', '\\')) as [string, string];
	const paths = {
		...(!isAbsolute(near) && { relative_path: near.startsWith('.') ? near : `.\\${near}` }),
		...(isOfWindows(path) && { absolute_win32_path: path }),
	};
	if (Object.keys(paths).length === 0) {
		throw new UsageError('a VHDX names its parent by a relative path, or one of Windows', { ...place, hint: 'a relative path' });
	}
	return encodeLocator({ parent_linkage: `{${guidText(id)}}`, ...paths });
};

/** With a drive, or a server. */
const isOfWindows = (path: string): boolean => /^([a-z]:|\\\\)/i.test(path);

const isAbsolute = (path: string): boolean => path.startsWith('\\') || isOfWindows(path);
