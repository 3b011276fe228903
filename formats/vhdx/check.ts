import { type Bitset, bitset } from '../../src/bytes/bitset.ts';
import { hex } from '../../src/bytes/size.ts';
import type { CheckReport, Finding, OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { collectFindings } from '../../src/disk/findings.ts';
import { cached } from '../../src/io/cached.ts';
import { bitmapFault, type Entry, payloadFault, splitEntry } from './bat.ts';
import { bitmapIndex } from './geometry.ts';
import { type Image, readImage } from './image.ts';
import { MAX_FILE, MiB, STATE } from './layout.ts';

/** BAT entries that are read at a time. */
const BATCH = 8192;

/**
 * Both headers, both region tables, the log, and every BAT entry: its state, that its block is in the file and no other's, and that a
 * partly present block has its sector bitmap.
 * @throws CorruptError, UnsupportedError where the image cannot be opened at all.
 */
export const checkVhdx = async (source: Source, { signal }: OpenContext): Promise<CheckReport> => {
	const image = await readImage(source, signal);
	const findings = collectFindings();
	const report: Report = (severity, code, message, offset) => findings.add({ severity, code, message, offset });
	checkFront(image, source, report);
	const blocks = await checkBlocks(image, report, signal);
	return { ...findings.report(), ...blocks };
};

type Report = (severity: Finding['severity'], code: string, message: string, offset?: number) => void;

const checkFront = ({ headers, log, regions }: Image, file: Source, report: Report): void => {
	for (const at of headers.damaged) report('note', 'header-damaged', 'one of the two headers is damaged; the other is used', at);
	for (const at of regions.damaged) report('error', 'region-table-damaged', 'one of the two region tables is damaged', at);
	if (regions.differ) report('error', 'region-tables-differ', 'the two region tables say different things; the first is used');
	const { logOffset, logLength } = headers.current;
	if (log) report('note', 'log-pending', `it was not closed: ${log.entries} log entries are to be replayed`, logOffset);
	else if (logOffset + logLength > file.size) report('error', 'log-past-end', 'the log ends behind the file', logOffset);
	if (file.size % MiB !== 0) report('note', 'file-size', 'the length of the file is not a multiple of 1 MiB', file.size);
};

/** Walk the BAT once, claiming what each entry says is its own, a bit a MiB of the file. */
const checkBlocks = async (image: Image, report: Report, signal?: AbortSignal): Promise<Pick<CheckReport, 'imageEnd' | 'blocks'>> => {
	const { geometry, regions, source } = image;
	const used = bitset(Math.ceil(Math.min(source.size, MAX_FILE) / MiB));
	let imageEnd = 0;
	for (const { offset, length } of regions.reserved) {
		claim(used, offset, length);
		imageEnd = Math.max(imageEnd, offset + length);
	}
	const blocks = { total: geometry.blocks, allocated: 0, fragmented: 0, compressed: 0 };
	let before: number | undefined;
	let needsBitmap = false;

	const visit = (entry: Entry, index: number): void => {
		const offset = regions.bat.offset + index * 8;
		const chunk = Math.floor(index / (geometry.ratio + 1));
		const isBitmap = index === bitmapIndex(geometry, chunk);
		const fault = isBitmap ? bitmapFault(image, entry) : payloadFault(image, entry, index);
		if (fault) report('error', isBitmap ? 'sector-bitmap-entry' : 'block-entry', `BAT entry ${index}: ${fault}`, offset);
		if (isBitmap) {
			if (needsBitmap && entry.state === STATE.notPresent) {
				report('error', 'sector-bitmap-missing', `blocks of chunk ${chunk} are partly present, and have no sector bitmap`, offset);
			}
			needsBitmap = false;
		}
		if (fault || (entry.state !== STATE.fullyPresent && entry.state !== STATE.partiallyPresent)) return;
		const length = isBitmap ? MiB : geometry.blockSize;
		if (!claim(used, entry.offset, length)) {
			report('error', 'block-shared', `BAT entry ${index}: another block is at ${hex(entry.offset)} too`, offset);
		}
		imageEnd = Math.max(imageEnd, Math.min(entry.offset + length, source.size));
		if (isBitmap) return;
		blocks.allocated++;
		if (before !== undefined && entry.offset !== before + length) blocks.fragmented++;
		before = entry.offset;
		needsBitmap ||= entry.state === STATE.partiallyPresent;
	};

	const tables = cached(source);
	for (let first = 0; first < geometry.entries; first += BATCH) {
		const count = Math.min(BATCH, geometry.entries - first);
		const bytes = await tables.read(regions.bat.offset + first * 8, count * 8, signal);
		const view = new DataView(bytes.buffer, bytes.byteOffset);
		for (let index = 0; index < count; index++) visit(splitEntry(view, index * 8), first + index);
	}
	return { imageEnd, blocks };
};

/** Mark a range as used. False if any of it was already. */
const claim = (used: Bitset, offset: number, length: number): boolean => {
	let free = true;
	for (let at = offset; at < offset + length; at += MiB) free = used.add(at / MiB) && free;
	return free;
};
