import type { Source } from '../../src/core/source.ts';
import { CorruptError } from '../../src/errors.ts';
import { checksum, DISK_TYPES, FOOTER_COOKIE, type Footer, footerStruct, SECTOR, SHORT_FOOTER } from './layout.ts';

/** Damage that can be read around. `open` makes a note of it, `check` a finding. */
export type Flaw = {
	/** Stable, in kebab-case. */
	readonly code: string;
	readonly message: string;
	/** Host offset in bytes. */
	readonly offset: number;
	/** What is believed instead. */
	readonly remedy: string;
};
export type Report = (flaw: Flaw) => void;

/** A footer, the host offset it was found at, and how many bytes at the end of the file are a footer: 512, 511, or 0 where it is gone. */
export type FoundFooter = { readonly footer: Footer; readonly offset: number; readonly length: number };

type Candidate = { readonly raw: Uint8Array; readonly offset: number; readonly length: number; readonly sound: boolean };

/**
 * The footer at the end of the file, or the copy at its beginning where only that one is sound.
 * @throws CorruptError where there is none to be trusted.
 */
export const readFooter = async (source: Source, report: Report, signal?: AbortSignal): Promise<FoundFooter> => {
	const last =
		(await candidate(source, source.size - SECTOR, SECTOR, signal)) ??
		(await candidate(source, source.size - SHORT_FOOTER, SHORT_FOOTER, signal));
	const found = (from: Candidate): FoundFooter => ({
		footer: decode(source, from),
		offset: from.offset,
		length: last?.length ?? 0,
	});
	// A fixed image begins with what the guest wrote, which may be a VHD as well.
	if (last?.sound && decode(source, last).diskType === DISK_TYPES.fixed) return found(last);

	const copy = source.size >= 2 * SECTOR ? await candidate(source, 0, SECTOR, signal) : undefined;
	if (last && copy) return found(settled(source, last, copy, report));
	if (last) {
		if (decode(source, last).diskType !== DISK_TYPES.fixed) {
			if (!last.sound) throw unsound(source, last);
			report({ code: 'footer-copy-damaged', message: 'the copy of the footer is destroyed', offset: 0, remedy: 'the footer' });
		} else {
			report(wrongChecksum(last, 'a footer that fits the file'));
		}
		return found(last);
	}
	if (!copy) {
		throw new CorruptError('no VHD footer is at its end, and no copy of one at its beginning', {
			path: source.name,
			offset: Math.max(0, source.size - SECTOR),
			field: 'cookie',
			hint: 'a fresh copy: this one may be truncated',
		});
	}
	if (!copy.sound) throw unsound(source, copy);
	report({
		code: 'footer-damaged',
		message: 'the footer at the end is destroyed or cut off',
		offset: source.size,
		remedy: 'the copy of the footer at the beginning',
	});
	return found(copy);
};

/** Which of a footer and its copy holds. */
const settled = (source: Source, last: Candidate, copy: Candidate, report: Report): Candidate => {
	if (last.sound !== copy.sound) {
		const [good, bad] = last.sound ? [last, copy] : [copy, last];
		report(wrongChecksum(bad, good === last ? 'the footer at the end' : 'the copy of the footer at the beginning'));
		return good;
	}
	const field = difference(decode(source, last), decode(source, copy));
	if (field) {
		throw new CorruptError(`the footer and its copy at the beginning disagree on ${field}`, {
			path: source.name,
			offset: last.offset + footerStruct.offsets[field],
			field,
			hint: 'the program that wrote the image last, to repair it',
		});
	}
	if (!last.sound) report(wrongChecksum(last, 'the footer and its copy, which agree'));
	return last;
};

const wrongChecksum = ({ offset, raw }: Candidate, remedy: string): Flaw => ({
	code: 'footer-checksum',
	message: `the checksum of the footer is wrong: 0x${checksum(raw, footerStruct.offsets.checksum).toString(16)} would be right`,
	offset: offset + footerStruct.offsets.checksum,
	remedy,
});

const unsound = (source: Source, { offset }: Candidate): CorruptError =>
	new CorruptError('the checksum of the only footer is wrong', {
		path: source.name,
		offset: offset + footerStruct.offsets.checksum,
		field: 'checksum',
		hint: 'a fresh copy: this one is damaged at both ends',
	});

/** What a change of decides which bytes the guest sees. */
const DECISIVE = ['dataOffset', 'creatorApplication', 'currentSize', 'cylinders', 'heads', 'sectorsPerTrack', 'diskType'] as const;

const difference = (a: Footer, b: Footer): (typeof DECISIVE)[number] | undefined => DECISIVE.find((field) => a[field] !== b[field]);

const candidate = async (source: Source, offset: number, length: number, signal?: AbortSignal): Promise<Candidate | undefined> => {
	if (offset < 0) return undefined;
	const raw = new Uint8Array(SECTOR);
	raw.set(await source.read(offset, length, signal));
	if (String.fromCharCode(...raw.subarray(0, 8)) !== FOOTER_COOKIE) return undefined;
	const at = footerStruct.offsets.checksum;
	const stored = new DataView(raw.buffer).getUint32(at);
	return { raw, offset, length, sound: stored === checksum(raw, at) };
};

const decode = (source: Source, { raw, offset }: Candidate): Footer => footerStruct.decode(raw, { path: source.name, offset });
