// Builds dist/: the library file by file, as tsc gives it, and the command line as one bundle, which halves its start (docs/decisions/0009).
// What is compiled to WebAssembly comes before both, and what neither ships goes at the end.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { emptyDirSync, removeSync } from 'fs-extra/esm';

const tsc = path.join('node_modules', 'typescript', 'bin', 'tsc');

emptyDirSync('dist');
execFileSync(process.execPath, [path.join('scripts', 'assembly.js')], { stdio: 'inherit' });
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });

// yargs measures and wraps its help by packages that set up Intl when they are loaded, 70 ms of every command; these two do not, and do the same.
const quick = {
	name: 'quick-start',
	setup(bundle) {
		bundle.onResolve({ filter: /^(string-width|wrap-ansi)$/ }, ({ path }) => ({ path, namespace: 'quick' }));
		bundle.onLoad({ filter: /.*/, namespace: 'quick' }, ({ path: name }) => ({
			contents:
				name === 'wrap-ansi' ? "export { wrapAnsi as default } from 'fast-wrap-ansi'" : "export { default } from 'fast-string-width'",
			resolveDir: process.cwd(),
		}));
	},
};

// What several commands share comes in one file for each set of them, thirty for a conversion, and each costs a millisecond. So every command asks for what
// `info` needs, and those that write for what a conversion needs: the sets become few.
const COPYING = ['batch', 'compare', 'hash', 'measure', 'migrate', 'verify'];
const together = {
	name: 'together',
	setup(bundle) {
		bundle.onLoad({ filter: /cli[\\/]commands[\\/]\w+\.js$/ }, ({ path: file }) => {
			const own = fs.readFileSync(file, 'utf8');
			const name = path.basename(file, '.js');
			const other = COPYING.includes(name) ? 'convert' : 'info';
			return { contents: name === other ? own : `${own}\nexport { ${other} as together } from './${other}.js';` };
		});
	},
};

const bundle = (entry, splitting) =>
	build({
		plugins: [quick, together],
		entryPoints: [entry],
		outdir: 'dist/bin',
		entryNames: '[name]',
		bundle: true,
		// Half of what has to be read at each start is indentation; names stay, for the sake of stack traces.
		minifyWhitespace: true,
		splitting,
		format: 'esm',
		platform: 'node',
		target: 'node20.19',
		allowOverwrite: true,
		// Optional, and native or WebAssembly: found where they are installed, or done without.
		external: ['koffi', '@foxglove/wasm-zstd'],
		// What is bundled from CommonJS asks for Node's modules by require.
		banner: { js: "import { createRequire as vconvRequire } from 'node:module';\nconst require = vconvRequire(import.meta.url);" },
		metafile: true,
		logLevel: 'warning',
	});
// A thread is to be there soon: it gets one file of its own.
const built = await Promise.all([bundle('dist/bin/vconv.js', true), bundle('dist/src/node/mover-thread.js', false)]);

// What the bundle holds of other people's work goes with their licences.
const packages = new Set(
	built
		.flatMap(({ metafile }) => Object.keys(metafile.inputs))
		.flatMap((input) => /(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[0] ?? []),
);
const notices = [...packages].sort().map((folder) => {
	const { name, version, license } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
	const file = fs.readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
	const text = file ? fs.readFileSync(path.join(folder, file), 'utf8') : '';
	return `${name} ${version}, ${license}\n\n${text.trim()}\n`;
});
fs.writeFileSync('dist/bin/THIRD-PARTY-LICENSES.txt', notices.join(`\n${'-'.repeat(80)}\n\n`));

// What the library's entries do not reach, in code or in declarations, is in the bundle.
const entries = Object.values(JSON.parse(fs.readFileSync('package.json', 'utf8')).exports).filter((entry) => entry.types);
const { metafile: reached } = await build({
	entryPoints: [...entries.map((entry) => entry.default), 'dist/src/node/mover-thread.js'],
	bundle: true,
	write: false,
	outdir: 'dist',
	format: 'esm',
	platform: 'node',
	packages: 'external',
	ignoreAnnotations: true,
	metafile: true,
});
const declared = execFileSync(
	process.execPath,
	[tsc, '--ignoreConfig', '--listFilesOnly', '--module', 'nodenext', ...entries.map((entry) => entry.types)],
	{ encoding: 'utf8' },
);
const bundled = built.flatMap(({ metafile }) => Object.keys(metafile.outputs));
const kept = new Set([...bundled, ...Object.keys(reached.inputs), ...declared.trim().split('\n')].map((file) => path.resolve(file)));
for (const name of fs.readdirSync('dist', { recursive: true }))
	if (/\.(js|d\.ts)$/.test(name) && !kept.has(path.resolve('dist', name))) removeSync(path.join('dist', name));

fs.chmodSync('dist/bin/vconv.js', 0o755);
