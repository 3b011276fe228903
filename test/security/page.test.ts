import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { humanSize } from '../../src/bytes/size.ts';
import { LIMITS, limitNames } from '../../src/core/limits.ts';

const page = fs.readFileSync('docs/security.md', 'utf8');

/** The cells of the rows of a section, without the marks of code. */
const rows = (section: string): readonly (readonly string[])[] => {
	const text = page.split(/^## /m).find((part) => part.startsWith(section)) ?? '';
	const cells = (line: string) =>
		line
			.split('|')
			.slice(1, -1)
			.map((cell) => cell.trim().replaceAll('`', ''));
	return text
		.split('\n')
		.filter((line) => /^\| (?!-|limit|bound|number)/.test(line))
		.map(cells);
};

test('the table of limits is the one of the code', () => {
	const said = rows('Limits').filter((row) => limitNames.some((name) => name === row[0]));
	const held = limitNames.map((name) => {
		const { value, unit } = LIMITS[name];
		return [name, unit === 'bytes' ? humanSize(value) : `${value}`];
	});
	expect(said.map(([name, value]) => [name, value])).toEqual(held);
});

test('every other bound is where the page says', () => {
	const bounds = rows('Limits').filter((row) => row[1]?.includes('/'));
	expect(bounds.length).toBeGreaterThan(10);
	for (const [, file = '', name = ''] of bounds) expect(fs.readFileSync(file, 'utf8'), file).toMatch(new RegExp(`\\b${name}\\b`));
});

test('every number of the list has its test, or says why it has none', () => {
	const list = rows('The list');
	const numbers = [
		[1, 18],
		[20, 33],
		[40, 44],
		[50, 56],
		[60, 62],
		[70, 79],
	].flatMap(([first = 0, last = 0]) => Array.from({ length: last - first + 1 }, (_, i) => `T${String(first + i).padStart(2, '0')}`));
	expect(list.map(([number]) => number)).toEqual(numbers);
	for (const [number, , file = '', title = ''] of list) {
		expect(title, number).not.toBe('');
		if (file !== 'waits' && file !== 'not used') expect(fs.readFileSync(file, 'utf8'), number).toContain(title);
	}
});

/** All modules of vconv, by their paths. */
const modules = ['src', 'formats', 'bin'].flatMap((folder) =>
	fs
		.readdirSync(folder, { recursive: true, encoding: 'utf8' })
		.filter((name) => name.endsWith('.ts'))
		.map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
);

const importing = (what: RegExp): string[] => modules.filter((file) => what.test(fs.readFileSync(file, 'utf8'))).toSorted();

/** However a module of Node's is loaded: `import`, `import()` or `process.getBuiltinModule()`. */
const loading = (names: string): RegExp => new RegExp(`(?:from |\\bimport\\(|\\brequire\\(|getBuiltinModule\\()'(?:node:)?(?:${names})'`);

test('programs are run in two places, without a shell', () => {
	const places = ['src/node/batch/child.ts', 'src/node/qemu-judge.ts'];
	expect(importing(loading('child_process'))).toEqual(places);
	for (const file of places) {
		const text = fs.readFileSync(file, 'utf8');
		expect(text).toMatch(/import \{ spawn \} from 'node:child_process'|const \{ execFile \} = await import\('node:child_process'\)/);
		expect(text).not.toMatch(/shell:/);
	}
});

test('nothing can make a connection: the one socket is a name that stands for a lock', () => {
	expect(importing(new RegExp(`${loading('net|http|https|http2|dgram|tls|dns').source}|\\bfetch\\(|WebSocket`))).toEqual([
		'src/node/lock.ts',
	]);
	expect(fs.readFileSync('src/node/lock.ts', 'utf8')).not.toMatch(/net\.(connect|createConnection|Socket)/);
});

test('no text is run as a program, and none is loaded by a name from outside', () => {
	expect(importing(new RegExp(`\\beval\\(|new Function\\(|${loading('vm').source}`))).toEqual([]);
});

test('the library loads four packages of others, and the page names them; the command line is a bundle', () => {
	const seen = new Set<string>();
	const packages = new Set<string>();
	const visit = (file: string): void => {
		if (seen.has(file)) return;
		seen.add(file);
		const text = fs.readFileSync(file, 'utf8').replaceAll(/^import type .*$/gm, '');
		for (const [, name = ''] of text.matchAll(/^(?:import|export) [^;]*?from '([^']+)';$|\bimport\('([^']+)'\)/gm)) {
			if (name.startsWith('.')) visit(path.join(path.dirname(file), name));
			else if (name !== '' && !name.startsWith('node:')) packages.add(name);
		}
	};
	for (const entry of ['src/index.ts', 'src/node/index.ts', 'src/node/mover-thread.ts']) visit(entry);
	expect(seen.size).toBeGreaterThan(300);
	expect([...packages].toSorted()).toEqual(['fzstd', 'pako', 'saxes', 'xz-decompress']);
	for (const name of packages) expect(page.split('**Supply.**')[1]?.split('\n\n')[0]).toContain(`\`${name}\``);
});
