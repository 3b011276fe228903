import { describe, expect, test } from 'vitest';
import { DESCRIPTOR, isDescriptor } from '../../../formats/parallels/descriptor.ts';
import { parallels } from '../../../formats/parallels/index.ts';
import { limitsOf } from '../../../src/core/limits.ts';
import type { Note } from '../../../src/core/note.ts';
import type { Source } from '../../../src/core/source.ts';
import { readDisk } from '../../../src/disk/read.ts';
import { pakoCodec } from '../../../src/engine/pako.ts';
import { AccessError, CorruptError, UnsupportedError } from '../../../src/errors.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { firstDifference, openImage } from '../../helpers/image.ts';
import { alone, survives } from '../../helpers/mutate.ts';
import { patternBytes, patternDisk } from '../../helpers/pattern.ts';
import { clustersOf, parallelsBytes } from './images.ts';

const TOP = '{5fbaabe3-6958-40ff-92a7-860e329aab41}';
const OLD = '{11111111-2222-3333-4444-555555555555}';
const NIL = '{00000000-0000-0000-0000-000000000000}';
/** Bytes of a cluster of the images here. */
const C = 4096;

const image = (guid: string, file: string, type = 'Compressed'): string =>
	`<Image><GUID>${guid}</GUID><Type>${type}</Type><File>${file}</File></Image>`;
const storage = (start: number, end: number, ...images: string[]): string =>
	`<Storage><Start>${start * 8}</Start><End>${end * 8}</End><Blocksize>8</Blocksize>${images.join('')}</Storage>`;
const shot = (guid: string, parent: string): string => `<Shot><GUID>${guid}</GUID><ParentGUID>${parent}</ParentGUID></Shot>`;

type Parts = { clusters?: number; parameters?: string; storages: string; snapshots?: string; version?: string };

const xml = ({ clusters = 4, parameters = '', storages, snapshots = shot(TOP, NIL), version = '1.0' }: Parts): Uint8Array =>
	new TextEncoder().encode(
		`<?xml version='1.0' encoding='UTF-8'?><Parallels_disk_image Version="${version}"><Disk_Parameters><Disk_size>${clusters * 8}</Disk_size>` +
			`<Padding>0</Padding><LogicSectorSize>512</LogicSectorSize>${parameters}</Disk_Parameters>` +
			`<StorageData>${storages}</StorageData><Snapshots>${snapshots}</Snapshots></Parallels_disk_image>`,
	);

const files = (images: Readonly<Record<string, Uint8Array>>): Map<string, { source(): Source }> =>
	new Map(Object.entries(images).map(([name, bytes]) => [name, { source: () => memorySource(bytes, name) }]));

const oldClusters = [true, true, false, false];
const topClusters = [false, true, true, false];
const chain = {
	[DESCRIPTOR]: xml({ storages: storage(0, 4, image(OLD, 'old.hds'), image(TOP, 'top.hds')), snapshots: shot(OLD, NIL) + shot(TOP, OLD) }),
	'old.hds': parallelsBytes(oldClusters),
	'top.hds': parallelsBytes(topClusters),
};
const both = patternDisk(clustersOf([true, true, true, false]));

describe('a bundle', () => {
	test('is its images, snapshots on top of each other', async () => {
		const disk = await openImage(files(chain), DESCRIPTOR);
		expect(await firstDifference(disk, both)).toBeUndefined();
		expect(disk.info).toMatchObject({ format: 'parallels', clusterSize: C, snapshots: [{ id: OLD }] });
	});

	test('shows an earlier snapshot when asked', async () => {
		const disk = await openImage(files(chain), DESCRIPTOR, { snapshot: OLD });
		expect(await firstDifference(disk, patternDisk(clustersOf(oldClusters)))).toBeUndefined();
		await expect(openImage(files(chain), DESCRIPTOR, { snapshot: 'other' })).rejects.toThrow(UnsupportedError);
	});

	test('may say which snapshot is the present one', async () => {
		const snapshots = `<TopGUID>${OLD}</TopGUID>${shot(OLD, NIL)}${shot(TOP, OLD)}`;
		const descriptor = xml({ storages: storage(0, 4, image(OLD, 'old.hds'), image(TOP, 'top.hds')), snapshots });
		const disk = await openImage(files({ ...chain, [DESCRIPTOR]: descriptor }), DESCRIPTOR);
		expect(await firstDifference(disk, patternDisk(clustersOf(oldClusters)))).toBeUndefined();
	});

	test('has as many snapshots on top of each other as the limit of chains says', async () => {
		const guids = Array.from({ length: 40 }, (_, index) => `{${`${index}`.padStart(8, '0')}${OLD.slice(9)}`);
		const top = guids.at(-1) ?? '';
		const snapshots = `<TopGUID>${top}</TopGUID>${guids.map((guid, index) => shot(guid, guids[index - 1] ?? NIL)).join('')}`;
		const source = memorySource(xml({ storages: storage(0, 4, ...guids.map((guid) => image(guid, 'old.hds'))), snapshots }), DESCRIPTOR);
		const follow = async () => memorySource(chain['old.hds'], 'old.hds');
		await expect(parallels.open(source, { ...alone, follow })).rejects.toMatchObject({
			code: 'UNSUPPORTED',
			hint: expect.stringContaining('--limit chain-depth=MORE'),
		});
		const limits = limitsOf({ limits: { 'chain-depth': 40 } });
		expect((await parallels.open(source, { ...alone, follow, limits })).size).toBe(4 * C);
	});

	test('may be split, its parts plain or not', async () => {
		const storages = storage(0, 1, image(TOP, 'a.hds', 'Plain')) + storage(1, 4, image(TOP, '/Users/me/moved.hdd/b.hds'));
		const images = files({ [DESCRIPTOR]: xml({ storages }), 'a.hds': patternBytes(0, C), 'b.hds': parallelsBytes([false, true, true]) });
		const disk = await openImage(images, DESCRIPTOR);
		expect(disk.size).toBe(4 * C);
		const bytes = await readDisk(disk, pakoCodec, 0, 4 * C);
		// Each part's pattern begins anew.
		expect(bytes.subarray(0, C)).toEqual(patternBytes(0, C));
		expect(bytes.subarray(C, 2 * C)).toEqual(new Uint8Array(C));
		expect(bytes.subarray(2 * C)).toEqual(patternBytes(C, 2 * C));
	});

	test('is known by its root element', () => {
		const head = new TextEncoder().encode(`<!-- a --><?xml version="1.0"?>\n<Parallels_disk_image Version="1.0">`);
		expect([isDescriptor(head), isDescriptor(new TextEncoder().encode('<domain/>')), isDescriptor(new Uint8Array(64))]).toEqual([
			true,
			false,
			false,
		]);
	});
});

describe('an image of a bundle, by itself', () => {
	test('is read with its parent, as the descriptor beside it says', async () => {
		expect(await firstDifference(await openImage(files(chain), 'top.hds'), both)).toBeUndefined();
	});

	test('is refused when its parent is missing', async () => {
		const images = files(chain);
		images.delete('old.hds');
		await expect(openImage(images, 'top.hds')).rejects.toThrow(AccessError);
	});

	test('is refused when it is a part of a split disk', async () => {
		const storages = storage(0, 2, image(TOP, 'a.hds')) + storage(2, 4, image(TOP, 'b.hds'));
		const images = files({ [DESCRIPTOR]: xml({ storages }), 'a.hds': parallelsBytes([true, true]) });
		await expect(openImage(images, 'a.hds')).rejects.toThrow(/split/);
	});

	test('is taken for a whole disk without a descriptor, and the user told', async () => {
		const notes: Note[] = [];
		const source = memorySource(chain['top.hds'], 'top.hds');
		const disk = await parallels.open(source, { ...alone, note: (note) => notes.push(note) });
		expect(disk.parent).toBeUndefined();
		expect(notes).toMatchObject([{ kind: 'assumed' }]);
	});
});

const one = storage(0, 4, image(TOP, 'top.hds'));
const cyclic = shot(TOP, OLD) + shot(OLD, TOP);
const encrypted = `<Encryption><Engine>${OLD}</Engine></Encryption>`;

test.for([
	['another version', { storages: one, version: '2.0' }, UnsupportedError],
	['encryption', { storages: one, parameters: encrypted }, UnsupportedError],
	['no parts', { storages: '' }, CorruptError],
	['a gap between parts', { storages: storage(0, 2, image(TOP, 'a')) + storage(3, 4, image(TOP, 'b')) }, CorruptError],
	['a part that ends before it starts', { storages: one + storage(4, 2, image(TOP, 'a')) }, CorruptError],
	['a size that the parts do not have', { storages: one, clusters: 5 }, CorruptError],
	['no number', { storages: '<Storage><Start>-1</Start></Storage>' }, CorruptError],
	['a type that is not known', { storages: storage(0, 4, image(TOP, 'top.hds', 'Odd')) }, UnsupportedError],
	['no present state', { storages: one, snapshots: shot(OLD, NIL) }, CorruptError],
	['a parent that is not there', { storages: one, snapshots: shot(TOP, OLD) }, CorruptError],
	['snapshots in a circle', { storages: one, snapshots: cyclic }, CorruptError],
	['a snapshot without an image', { storages: one, snapshots: shot(TOP, OLD) + shot(OLD, NIL) }, CorruptError],
	['a plain delta', { storages: storage(0, 4, image(TOP, 'top.hds', 'Plain')), snapshots: shot(TOP, OLD) + shot(OLD, NIL) }, CorruptError],
	['an image that is missing', { storages: storage(0, 4, image(TOP, 'gone.hds')) }, AccessError],
	['an image of another size', { storages: storage(0, 3, image(TOP, 'top.hds')), clusters: 3 }, CorruptError],
	['a plain image that is too short', { storages: storage(0, 99, image(TOP, 'top.hds', 'Plain')), clusters: 99 }, CorruptError],
] as const)('a bundle with %s is refused', async ([, parts, kind]) => {
	await expect(openImage(files({ ...chain, [DESCRIPTOR]: xml(parts) }), DESCRIPTOR)).rejects.toThrow(kind);
});

test('a bundle is refused, whatever was damaged in its description', async () => {
	const bytes = chain[DESCRIPTOR];
	await survives(parallels, bytes, [[0, bytes.length]], 200);
});
