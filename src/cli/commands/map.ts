import type { Options } from 'yargs';
import { hex } from '../../bytes/size.ts';
import type { Extent } from '../../core/disk.ts';
import { breather } from '../../io/breathe.ts';
import { command, operands } from '../command.ts';
import { inputOptions, isJson, openDisk, snapshotOption } from '../input.ts';
import type { Output } from '../io.ts';
import { plain, toJson } from '../render.ts';

const options = { ...inputOptions, ...snapshotOption } as const satisfies Record<string, Options>;

/** `vconv map`: where each range of the disk is stored, over the whole chain, as qemu-img map says it. */
export const map = command({
	command: 'vconv map',
	operands: 'IMAGE',
	about: `Where each range of the disk is stored, over the whole chain. The table for people shows what holds data; JSON has every
range, with how many images beneath IMAGE it was found.`,
	options,
	examples: [['vconv map --output=json web.qcow2', 'for a script']],
	async run(args, io) {
		const [name] = operands(args, 'IMAGE');
		const disk = await openDisk(name, args, io);
		const breathe = breather();
		const print = isJson(args) ? jsonPrinter(io.stdout) : tablePrinter(io.stdout);
		try {
			for await (const entry of mapEntries(disk.extents(0, disk.size, io.signal))) {
				await breathe();
				print.entry(entry);
			}
			print.end();
			return 0;
		} finally {
			await disk.close();
		}
	},
});

/** A range of the disk, as qemu-img names its fields. */
export type MapEntry = {
	readonly start: number;
	readonly length: number;
	/** How many images beneath the top of the chain. */
	readonly depth: number;
	/** Some image of the chain has it. */
	readonly present: boolean;
	/** It reads as zeros. */
	readonly zero: boolean;
	/** It is stored. */
	readonly data: boolean;
	readonly compressed: boolean;
	/** Host offset, where it is stored as it is, or where a place is kept for its zeros. */
	readonly offset?: number;
	/** The file in which it is stored, or has that place. */
	readonly filename?: string;
};

/** The entries of a map, with neighbours that are one run made one. */
export async function* mapEntries(extents: AsyncIterable<Extent>): AsyncGenerator<MapEntry> {
	let run: MapEntry | undefined;
	for await (const extent of extents) {
		const next = entryOf(extent);
		if (run && continues(run, next)) {
			run = { ...run, length: run.length + next.length };
			continue;
		}
		if (run) yield run;
		run = next;
	}
	if (run) yield run;
}

const entryOf = (extent: Extent): MapEntry => {
	const quiet = extent.kind === 'zero' || extent.kind === 'absent';
	const place = extent.kind === 'zero' ? extent.place : extent.kind === 'data' ? extent : undefined;
	const source = extent.kind === 'packed' ? extent.source : place?.source;
	return {
		start: extent.offset,
		length: extent.length,
		depth: extent.depth ?? 0,
		present: extent.kind !== 'absent' && !(extent.kind === 'zero' && extent.beyond),
		zero: quiet,
		data: !quiet,
		compressed: extent.kind === 'packed',
		...(place && { offset: place.at }),
		...(source && { filename: source.name }),
	};
};

const continues = (run: MapEntry, next: MapEntry): boolean =>
	run.depth === next.depth &&
	run.present === next.present &&
	run.data === next.data &&
	run.compressed === next.compressed &&
	run.filename === next.filename &&
	(run.offset === undefined ? next.offset === undefined : run.offset + run.length === next.offset);

type Printer = { entry(entry: MapEntry): void; end(): void };

const jsonPrinter = (stdout: Output): Printer => {
	let lead = '[';
	return {
		entry(entry) {
			stdout.write(`${lead}${toJson(entry)}`);
			lead = ',\n';
		},
		end: () => stdout.write(lead === '[' ? '[]\n' : ']\n'),
	};
};

const tablePrinter = (stdout: Output): Printer => {
	const row = (...cells: string[]) =>
		stdout.write(
			`${cells
				.map((cell) => cell.padEnd(16))
				.join('')
				.trimEnd()}\n`,
		);
	row('Offset', 'Length', 'Mapped to', 'File');
	return {
		entry({ start, length, data, compressed, offset, filename }) {
			if (!data) return;
			const place = offset === undefined ? (compressed ? 'compressed' : 'computed') : hex(offset);
			row(hex(start), hex(length), place, plain(filename ?? ''));
		},
		end() {},
	};
};
