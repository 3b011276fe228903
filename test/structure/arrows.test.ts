import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.join(import.meta.dirname, '../..');

/** The room of a file, by its path from the root: a folder of src/, a file of src/ by its name, formats, bin. */
const roomOf = (file: string): string => {
	const [top = '', within = ''] = file.split(path.sep);
	return top === 'src' ? path.basename(within, '.ts') : top;
};

/** What each room may use, as the table of docs/architecture.md says it. */
const table = (): ReadonlyMap<string, readonly string[]> => {
	const rooms = new Map<string, readonly string[]>();
	const text = fs.readFileSync(path.join(ROOT, 'docs/architecture.md'), 'utf8');
	for (const [, place = '', uses = ''] of text.matchAll(/^\| `([\w/.]+)` \|.*\| (.+) \|$/gm)) {
		const named = [...uses.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
		rooms.set(roomOf(path.normalize(place)), uses === 'all of the above' ? [...rooms.keys()] : named);
	}
	return rooms;
};

const sources = (folder: string): readonly string[] =>
	fs
		.readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
		.filter((name) => name.endsWith('.ts'))
		.map((name) => path.join(folder, name));

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g;

describe('the rooms', () => {
	const rooms = table();
	const files = ['src', 'formats', 'bin'].flatMap(sources);

	it('are all in the table of docs/architecture.md', () => {
		expect([...new Set(files.map(roomOf))].sort()).toEqual([...rooms.keys()].sort());
	});

	it('use only what the table lets them use', () => {
		const wrong = files.flatMap((file) =>
			[...fs.readFileSync(path.join(ROOT, file), 'utf8').matchAll(IMPORT)]
				.map(([, name = '']) => path.join(path.dirname(file), name))
				.filter((used) => roomOf(used) !== roomOf(file) && !rooms.get(roomOf(file))?.includes(roomOf(used)))
				.map((used) => `${file} imports ${used}`),
		);
		expect(wrong).toEqual([]);
	});
});
