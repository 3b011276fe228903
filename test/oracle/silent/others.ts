import { vdi } from '../../../formats/vdi/index.ts';
import { clustersOf, parallelsBytes } from '../../formats/parallels/images.ts';
import { DATA_AT, vhdxBytes } from '../../formats/vhdx/images.ts';
import { makeEntry, withLog } from '../../formats/vhdx/log-maker.ts';
import { memoryDisk, patternBytes, patternDisk } from '../../helpers/pattern.ts';
import { type Case, imageOf, MiB } from './case.ts';

const full = patternDisk({ size: 2 * MiB, data: [[0, 2 * MiB]] });

const quarters = [true, true, true, true];
const ofQuarters = clustersOf(quarters);

/** What the log of the VHDX holds: 4 KiB of each entry, for the guest offsets 0, 4096 and 8192. */
const LOGGED = [0x11, 0x22, 0x33];

const loggedDisk = (): Uint8Array => {
	const bytes = patternBytes(0, 2 * MiB).slice();
	for (const [i, value] of LOGGED.entries()) bytes.fill(value, i * 4096, (i + 1) * 4096);
	return bytes;
};

/** An image that was not closed, and whose log goes on at the start of its ring after the first of three entries. */
const logged = async (): Promise<Uint8Array> => {
	const image = await vhdxBytes(full);
	const tail = MiB - 8192;
	const sizes = { flushed: image.length, last: image.length };
	const entries = LOGGED.map((value, i) => {
		const updates = [{ at: DATA_AT + i * 4096, bytes: new Uint8Array(4096).fill(value) }];
		return [(tail + i * 8192) % MiB, makeEntry({ sequence: i + 1, tail, updates, ...sizes })] as const;
	});
	return withLog(image, entries);
};

export const otherCases: readonly Case[] = [
	{
		image: 'log-wraps.vhdx',
		disk: memoryDisk(loggedDisk()),
		files: async () => ({ 'log-wraps.vhdx': await logged() }),
		vconv: 'right',
		qemu: { says: 'contains a log that needs to be replayed' },
		repaired: { size: 2 * MiB, wrongAt: 0 },
	},
	{
		image: 'cut.vdi',
		disk: full,
		files: async () => ({ 'cut.vdi': (await imageOf(vdi, full)).slice(0, -MiB) }),
		vconv: { code: 4, says: 'past the end of the file' },
		qemu: { size: 2 * MiB, wrongAt: MiB },
	},
	{
		image: 'cut.hds',
		disk: patternDisk(ofQuarters),
		files: async () => ({ 'cut.hds': parallelsBytes(quarters).slice(0, -ofQuarters.size / 4) }),
		vconv: { code: 4, says: 'past the end of the file' },
		qemu: { size: ofQuarters.size, wrongAt: (ofQuarters.size * 3) / 4 },
	},
];
