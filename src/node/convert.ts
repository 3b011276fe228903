import fs from 'node:fs';
import path from 'node:path';
import { type Conversion, type ConvertOptions, convert, type Plan } from '../api.ts';
import { humanSize } from '../bytes/size.ts';
import type { Note } from '../core/note.ts';
import { AccessError, UnsupportedError } from '../errors.ts';
import { identityOf, openFile } from './file.ts';
import { type GateOptions, gate } from './gate.ts';
import { nodeMover } from './mover.ts';
import { createTarget, freeSpace } from './target.ts';

export type ConvertFileOptions = Omit<ConvertOptions, 'from' | 'to' | 'follow' | 'onPlan' | 'mover'> &
	GateOptions & {
		/** Replace what has the output's name already. */
		readonly force?: boolean | undefined;
		/** Begin even if the output may not fit. */
		readonly skipSpaceCheck?: boolean | undefined;
		/** How many threads work on it. */
		readonly threads?: number | undefined;
	};

/**
 * Convert the image of one file into another: `convertFile('web.vmdk', 'web.qcow2')`. Parents and extents are found as `gate` allows.
 * @throws VconvError of every kind; the reason of `signal`. Nothing has the output's name then that had not before.
 */
export const convertFile = async (input: string, output: string, options: ConvertFileOptions = {}): Promise<Conversion> => {
	const { force = false, threads } = options;
	const from = await openFile(input);
	const read = new Set([from.identity]);
	const follow = gate(options);
	try {
		refuseOutput(output, read);
		const to = await createTarget(output, { force });
		return await convert({
			...options,
			from,
			to,
			mover: nodeMover(threads === undefined ? {} : { threads }),
			async follow(source, reference) {
				const found = await follow(source, reference);
				read.add(found.identity);
				return found;
			},
			async onPlan(plan) {
				for (const name of [path.basename(output), ...(plan.layout.files ?? [])]) {
					refuseReplacing(path.join(path.dirname(output), name), read);
				}
				if (!options.skipSpaceCheck) await checkSpace(output, plan, (note) => options.onNote?.(note));
			},
		});
	} catch (error) {
		await from.close();
		throw error;
	}
};

/** What is no place for a file shows itself before anything is read. */
const refuseOutput = (output: string, read: ReadonlySet<string>): void => {
	const folder = path.dirname(output);
	if (!fs.existsSync(folder)) throw new AccessError('its folder does not exist', { path: output, hint: `mkdir -p ${folder}` });
	const there = fs.statSync(output, { throwIfNoEntry: false });
	if (there?.isDirectory()) {
		throw new AccessError('it is a folder', { path: output, hint: 'the name of a file in it' });
	}
	refuseReplacing(output, read);
	if (there && !there.isFile()) throw new UnsupportedError('it is not a regular file, and vconv writes to no other', { path: output });
};

/** Even `force` does not replace what is read. */
const refuseReplacing = (name: string, read: ReadonlySet<string>): void => {
	const identity = identityOf(name);
	if (identity !== undefined && read.has(identity)) {
		throw new AccessError('it is a file that the conversion reads', { path: name, hint: 'another name for the output' });
	}
};

/** Tables never take more than this part of what they describe, nor an empty image more than `EMPTY`. */
const TABLES = 1 / 16;
const EMPTY = 64 * 1024 * 1024;

/** @throws AccessError if the image cannot fit; where it is compressed nobody knows before, and it is a note. */
const checkSpace = async (output: string, { layout, measure }: Plan, note: (note: Note) => void): Promise<void> => {
	const free = freeSpace(output);
	if (free === undefined || layout.size * (1 + TABLES) + EMPTY <= free) return;
	const needed = await measure();
	if (needed <= free) return;
	const what = `it takes up to ${humanSize(needed)}, and ${humanSize(free)} are free there`;
	if (layout.packing) return note({ kind: 'assumed', what, why: 'it is begun because it is compressed and may take less', path: output });
	throw new AccessError(what, {
		path: output,
		hint: `freeing ${humanSize(needed - free)}, or --skip-space-check if much of it is zeros`,
	});
};
