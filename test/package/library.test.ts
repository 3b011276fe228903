import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { dist } from '../helpers/dist.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

test('what only the command line needs is in its bundle alone', () => {
	const shipped = fs.readdirSync(dist, { recursive: true }).map((name) => String(name).replaceAll('\\', '/'));
	expect(shipped).toEqual(
		expect.arrayContaining(['bin/vconv.js', 'bin/mover-thread.js', 'src/index.d.ts', 'src/node/index.js', 'src/node/mover-thread.js']),
	);
	expect(shipped.filter((name) => /^src\/(cli|batch|report)\/.*\.|^bin\/.*\.d\.ts$/.test(name))).toEqual([]);
});

test('the declarations of both entries are whole for a strict project', () => {
	const folder = temporaryFolder();
	const installed = path.join(folder, 'node_modules', 'vconv');
	fs.mkdirSync(installed, { recursive: true });
	fs.copyFileSync('package.json', path.join(installed, 'package.json'));
	fs.cpSync(dist, path.join(installed, 'dist'), { recursive: true, filter: (name) => !name.endsWith('.js') });
	fs.symlinkSync(path.resolve('node_modules/@types'), path.join(folder, 'node_modules', '@types'), 'junction');
	fs.writeFileSync(path.join(folder, 'package.json'), '{"type": "module"}');
	fs.writeFileSync(
		path.join(folder, 'consumer.ts'),
		`import { convert, diskFormats, type Disk } from 'vconv';
import { convertFile, migrate, openFile } from 'vconv/node';
export const made: Promise<{ readonly size: number }> = convertFile('in.vmdk', 'out.qcow2');
export const size = (disk: Disk): number => disk.size;
export { convert, diskFormats, migrate, openFile };
`,
	);
	const tsc = path.resolve('node_modules/typescript/bin/tsc');
	const options = ['--ignoreConfig', '--noEmit', '--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext', '--types', 'node'];
	const { stdout } = spawnSync(process.execPath, [tsc, ...options, 'consumer.ts'], { cwd: folder, encoding: 'utf8' });
	expect(stdout).toBe('');
});

test('bundled, it finds no program for its threads, and converts a large disk with the calling one', async () => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	rawFile(at('in.raw'), 48 << 20, [[0, 48 << 20]]);
	// Of the program that it is bundled with: it is none of ours.
	fs.writeFileSync(at('worker.js'), 'setInterval(() => {}, 1000);');
	fs.writeFileSync(
		at('app.mjs'),
		`import { convertFile } from ${JSON.stringify(path.join(dist, 'src/node/index.js'))};
await convertFile('in.raw', 'out.qcow2', { threads: 2, verify: 'full' });\n`,
	);
	await build({
		entryPoints: [at('app.mjs')],
		outfile: at('bundled.mjs'),
		bundle: true,
		platform: 'node',
		format: 'esm',
		external: ['koffi', '@foxglove/wasm-zstd'],
		logLevel: 'error',
	});
	const { status, stderr } = spawnSync(process.execPath, ['bundled.mjs'], { cwd: folder, encoding: 'utf8', timeout: 60_000 });
	expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
	expect(fs.existsSync(at('out.qcow2'))).toBe(true);
});

test('what README links to is in the package', () => {
	const { files } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as { readonly files: readonly string[] };
	const links = [...fs.readFileSync('README.md', 'utf8').matchAll(/\]\(([^):#]+)/g)].map(([, link = '']) => link);
	expect(links).toContain('docs/migration.md');
	for (const link of links) {
		expect([...files, 'LICENSE']).toContain(link.split('/')[0]);
		expect(fs.existsSync(link)).toBe(true);
	}
});
