import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readCsv } from '../../src/batch/csv.ts';
import { readPlan } from '../../src/batch/plan.ts';
import { readYaml } from '../../src/syntax/yaml.ts';
import { dist } from '../helpers/dist.ts';
import { temporaryFolder } from '../helpers/programs.ts';

const page = fs.readFileSync('docs/scripting.md', 'utf8');

/** The examples of a language. */
const examples = (language: string): string[] =>
	[...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, name]) => name === language).map(([, , text]) => text ?? '');

test('every example is of a kind that is tested here', () => {
	const languages = new Set([...page.matchAll(/^```(\w+)$/gm)].map(([, name]) => name));
	expect([...languages].toSorted()).toEqual(['bash', 'crontab', 'csv', 'ini', 'powershell', 'sh', 'yaml']);
});

test('the plans are plans', () => {
	for (const [language, read] of [
		['yaml', readYaml],
		['csv', readCsv],
	] as const) {
		for (const text of examples(language)) {
			const tree = read(text);
			expect('mistakes' in tree ? tree.mistakes : readPlan(tree, { values: new Map() }).mistakes).toEqual([]);
		}
	}
});

const posix = test.skipIf(process.platform === 'win32');

/** A folder with disks in it, and a `vconv` to run there. */
const workplace = (): { readonly folder: string; sh(script: string, ...args: string[]): ReturnType<typeof spawnSync> } => {
	const folder = temporaryFolder();
	const bin = path.join(folder, 'bin');
	fs.mkdirSync(bin);
	fs.mkdirSync(path.join(folder, 'disks'));
	fs.writeFileSync(path.join(bin, 'vconv'), `#!/bin/sh\nexec '${process.execPath}' '${path.join(dist, 'bin', 'vconv.js')}' "$@"\n`, {
		mode: 0o755,
	});
	for (const name of ['web.vmdk', 'disks/web.vmdk']) fs.copyFileSync('samples/hello.vmdk', path.join(folder, name));
	const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
	return {
		folder,
		sh: (script, ...args) => spawnSync('bash', ['-e', '-c', script, 'example', ...args], { cwd: folder, env, encoding: 'utf8' }),
	};
};

posix('the commands do what the page says', { timeout: 120_000 }, () => {
	const { folder, sh } = workplace();
	for (const script of examples('sh')) expect(sh(script), script).toMatchObject({ status: 0 });
	const read = (name: string): string => fs.readFileSync(path.join(folder, name), 'utf8');
	expect(JSON.parse(read('web.json'))).toMatchObject({ format: 'qcow2' });
	expect(JSON.parse(read('error.json')).error).toMatchObject({ code: 'ACCESS', exitCode: 5 });
	for (const line of read('events.jsonl').trim().split('\n')) expect(Object.keys(JSON.parse(line))).toHaveLength(1);
	for (const name of ['converted/web.qcow2', 'converted/web.vhdx', 'vconv.batch/report.html'])
		expect(fs.existsSync(path.join(folder, name)), name).toBe(true);

	const [loop = ''] = examples('bash');
	fs.writeFileSync(path.join(folder, 'plan.yaml'), 'jobs: [{ from: web.vmdk, to: again.vhd }, { from: gone.vmdk, to: gone.vhd }]');
	expect(sh(loop.replace(/^#!.*\n/, 'set +e\n'), 'plan.yaml')).toMatchObject({ status: 8, stdout: '' });
});

posix('the shell scripts and the line for cron are such', () => {
	for (const script of examples('bash')) expect(spawnSync('bash', ['-n', '-c', script])).toMatchObject({ status: 0 });
	for (const line of examples('crontab').flatMap((text) => text.split('\n'))) {
		if (line === '' || line.startsWith('#')) continue;
		const [, command = ''] = /^(?:[\d*/,-]+ +){5}(.*)$/.exec(line) ?? [];
		expect(command).toContain('vconv batch');
		expect(spawnSync('bash', ['-n', '-c', command])).toMatchObject({ status: 0 });
	}
});

test('the units are of sections, keys and values, and what PowerShell is given has its brackets closed', () => {
	for (const unit of examples('ini')) {
		for (const line of unit.split('\n')) expect(line).toMatch(/^$|^#|^\[(Unit|Service|Timer|Install)\]$|^[A-Z]\w+=\S/);
	}
	for (const script of examples('powershell')) {
		const open: string[] = [];
		for (const bracket of script.replace(/'[^']*'|#.*/g, '').match(/[{}()[\]]/g) ?? []) {
			if ('{(['.includes(bracket)) open.push(bracket);
			else expect(`${open.pop()}${bracket}`).toMatch(/^(\{\}|\(\)|\[\])$/);
		}
		expect(open).toEqual([]);
	}
});

test('the codes are those that errors have', () => {
	const errors = fs.readFileSync('src/errors.ts', 'utf8');
	for (const [, code] of errors.matchAll(/exitCode = (\d+)/g)) expect(page).toMatch(new RegExp(`^\\| (\\d+, )*${code} \\|`, 'm'));
});
