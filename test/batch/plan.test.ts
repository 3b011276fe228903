import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCsv } from '../../src/batch/csv.ts';
import { expandPlan, type Surroundings } from '../../src/batch/expand.ts';
import { type Defaults, readPlan } from '../../src/batch/plan.ts';
import { EXAMPLE_PLAN } from '../../src/cli/commands/batch-init.ts';
import { readYaml } from '../../src/syntax/yaml.ts';
import { vconv } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';

const nothing: Defaults = { values: new Map() };

/** A world in which patterns find what `files` says, and ids are the words themselves. */
const world = (files: Readonly<Record<string, readonly string[]>> = {}): Surroundings => ({
	resolve: (name) => (name.startsWith('/') ? name : `/plans/${name}`),
	find: (name) => ({ root: name.replace(/\/[^/]*$/, ''), files: files[name] ?? [name] }),
	place: (name) => name.replace(/^\/plans\/alias\//, '/plans/out/'),
	real: (name) => name.replace(/^\/plans\/(alias|link\.vmdk)/, '/plans/out'),
	check: () => undefined,
	id: (argv) => argv.join(' '),
});

const jobsOf = (text: string, { read = readYaml, given = nothing, files = {} as Readonly<Record<string, readonly string[]>> } = {}) => {
	const tree = read(text);
	if ('mistakes' in tree) return { jobs: [], mistakes: tree.mistakes };
	const plan = readPlan(tree, given);
	return plan.mistakes.length > 0 ? { jobs: [], mistakes: plan.mistakes } : expandPlan(plan.entries, world(files));
};

const wordsOf = (...args: Parameters<typeof jobsOf>): string[] => {
	const { jobs, mistakes } = jobsOf(...args);
	expect(mistakes).toEqual([]);
	return jobs.map(({ argv }) => argv.join(' '));
};

const mistakesOf = (...args: Parameters<typeof jobsOf>): string[] =>
	jobsOf(...args).mistakes.map(({ line, column, field, message }) => `${line}:${column} ${field}: ${message}`);

test('the same plan in YAML, JSON and CSV is the same jobs', () => {
	const yaml = `version: 1
defaults: { compress: yes }
jobs:
  - from: a.vmdk
    to: out/a.qcow2
    options: { cluster_size: 2M, compression_type: zstd }
  - { from: b.vmdk, to: out/b.vhdx, compress: no, sector-size: 4096 }
`;
	const json = JSON.stringify({
		version: 1,
		jobs: [
			{ from: 'a.vmdk', to: 'out/a.qcow2', compress: true, options: { cluster_size: '2M', compression_type: 'zstd' } },
			{ from: 'b.vmdk', to: 'out/b.vhdx', compress: false, 'sector-size': 4096 },
		],
	});
	const csv = `from,to,compress,options,sector-size\r
a.vmdk,out/a.qcow2,yes,"cluster_size=2M,compression_type=zstd",\r
# a comment

"b.vmdk",out/b.vhdx,no,,4096
`;
	const words = [
		'convert -O -o'.replace(' -O', '').concat(' cluster_size=2M -o compression_type=zstd -c /plans/a.vmdk /plans/out/a.qcow2'),
		'convert --sector-size 4096 /plans/b.vmdk /plans/out/b.vhdx',
	];
	expect(wordsOf(yaml)).toEqual(words);
	expect(wordsOf(json)).toEqual(words);
	expect(wordsOf(csv, { read: readCsv })).toEqual(words);
});

test('a plan may ask for proofs, of all or of some', () => {
	const yaml = 'defaults: { proof: yes }\njobs:\n  - { from: a, to: b.raw }\n  - { from: c, to: d.raw, proof: no, verify: fast }\n';
	expect(wordsOf(yaml)).toEqual(['convert --proof /plans/a /plans/b.raw', 'convert --verify fast /plans/c /plans/d.raw']);
});

test('the example of batch init is a plan, with its comments taken away too', () => {
	const files = {
		'/plans/disks/**/*.vmdk': ['/plans/disks/a.vmdk', '/plans/disks/old/a.vmdk'],
		'/plans/machines/*/*.vmx': ['/plans/machines/db/db.vmx'],
	};
	expect(mistakesOf(EXAMPLE_PLAN, { files: { ...files, '/plans/disks/**/*.vmdk': ['/plans/disks/a.vmdk'] } })).toEqual([]);
	const whole = EXAMPLE_PLAN.replace(/^( +)# (?=[-a-z ])(?!One|A |What)/gm, '$1');
	expect(wordsOf(whole, { files: { ...files, '/plans/disks/**/*.vmdk': ['/plans/disks/a.vmdk'] } })).toHaveLength(5);
});

test('a pattern is as many jobs as it finds files, and a template says where each goes', () => {
	const files = { '/plans/in/*': ['/plans/in/a.vmdk', '/plans/in/b.x.vhd', '/plans/in/deep/c'] };
	expect(wordsOf('jobs: [{ from: in/*, to: "out/{dir}/{name}-{ext}-{base}{{}}.raw" }]', { files })).toEqual([
		'convert /plans/in/a.vmdk /plans/out/./a-vmdk-a.vmdk{}.raw',
		'convert /plans/in/b.x.vhd /plans/out/./b.x-vhd-b.x.vhd{}.raw',
		'convert /plans/in/deep/c /plans/out/deep/c--c{}.raw',
	]);
});

test('what the command line says holds for jobs that say nothing, and a plan is above it', () => {
	const given: Defaults = { kind: 'convert', to: 'there/{name}.vhd', values: new Map([['format', 'vhd']]) };
	expect(wordsOf('[a.vmdk, { from: b.vmdk, to: b.raw, format: raw }]', { given })).toEqual([
		'convert -O vhd /plans/a.vmdk /plans/there/a.vhd',
		'convert -O raw /plans/b.vmdk /plans/b.raw',
	]);
});

test('migrations and validations are jobs', () => {
	const text = `jobs:
  - { kind: migrate, from: web/web.vmx, to: out/web, target: libvirt, arguments: [--network, "a:b"] }
  - { kind: validate, from: web/web.vmx, target: libvirt }
`;
	expect(wordsOf(text)).toEqual([
		'migrate --to libvirt --network a:b /plans/web/web.vmx /plans/out/web',
		'validate --to libvirt /plans/web/web.vmx',
	]);
});

describe('a mistake is told with its line and column:', () => {
	test.for([
		[
			'jobs:\n  - frm: a.vmdk\n    to: a.raw\n',
			["2:5 jobs[1].frm: there is no key 'frm' here", '2:5 jobs[1].from: the job does not say what to read'],
		],
		['jobs:\n  - from: a\n', ['2:5 jobs[1].to: the job does not say what to write']],
		['jobs:\n  - { from: a, to: b, compress: maybe }\n', ['2:33 jobs[1].compress: it is yes or no']],
		['jobs:\n  - { from: a, to: b, kind: copy }\n', ["2:29 jobs[1].kind: there is no kind of job called 'copy'"]],
		['jobs:\n  - { from: a, to: b }\n  - { from: c, to: b }\n', ["3:5 jobs[2].to: jobs[1] writes 'b' too"]],
		['jobs:\n  - { from: a, to: b }\n  - { from: b, to: c }\n', ['2:5 jobs[1].to: a would be written over what jobs[2] reads']],
		['jobs:\n  - { from: a, to: out/b }\n  - { from: c, to: alias/b }\n', ["3:5 jobs[2].to: jobs[1] writes 'alias/b' too"]],
		['jobs:\n  - { from: link.vmdk, to: b }\n  - { from: c, to: out }\n', ['3:5 jobs[2].to: c would be written over what jobs[1] reads']],
		[
			'defaults: { kind: migrate, target: libvirt }\njobs:\n  - { from: a, to: out }\n  - { from: c, to: alias }\n',
			["4:5 jobs[2].to: jobs[1] writes 'alias' too"],
		],
		['jobs:\n  - { from: a, to: "{nam}.raw" }\n', ['2:5 jobs[1].to: there is no {nam}']],
		['jobs:\n  - { kind: validate, target: libvirt, from: a, to: b }\n', ['2:49 jobs[1].to: validate writes nothing']],
		['version: 2\njobs: [{ from: a, to: b }]\n', ['1:10 version: this vconv reads plans of version 1']],
		['jobs: []\n', ['1:7 jobs: there are no jobs in it']],
		['', ['1:1 plan: a plan is a list of jobs']],
		['jobs:\n  - from: &x a\n    to: *x\n', ['3:9 YAML: aliases are not read']],
		['jobs:\n  - from: a\n    from: b\n    to: c\n', ['3:5 YAML: map keys must be unique']],
		['jobs:\n  - from: [a\n', ['3:1 YAML: flow sequence in block collection must be sufficiently indented and end with a ]']],
	] as const)('%j', ([text, expected]) => {
		expect(mistakesOf(text)).toEqual(expected);
	});

	test('a key that stands twice, written in another way, at the end of a map of very many', () => {
		const keys = Array.from({ length: 40_000 }, (_, index) => `key${index}: 1\n`);
		const started = performance.now();
		expect(readYaml(`${keys.join('')}"key0": 2\n`)).toEqual({
			mistakes: [{ line: 40_001, column: 1, field: 'YAML', message: 'map keys must be unique' }],
		});
		expect(performance.now() - started).toBeLessThan(5000);
	});

	test('all of them at once', () => {
		expect(mistakesOf('jobs:\n  - { from: a, too: b }\n  - { form: a }\n').length).toBe(5);
	});

	test('what its command says against a value, of every value, with those of keys', async () => {
		const folder = temporaryFolder();
		const plan = path.join(folder, 'plan.yaml');
		fs.writeFileSync(path.join(folder, 'a.raw'), '');
		const lines = [
			'defaults: { limits: [no-such=1] }',
			'jobs:',
			'  - { from: a.raw, to: a.vhd, threads: 0 }',
			'  - from: a.raw',
			'    to: b.vhd',
			'    mode: "0999"',
			'    verify: maybe',
			'    options: { subformat: none }',
			'  - { kind: migrate, from: a.raw, to: c }',
			'  - { kind: validate, from: a.raw }',
			'  - { from: nowhere/*.vmdk, to: d.qcow2 }',
			'  - { from: a.raw, to: e.vhd, format: qcow3, options: { subformat: fixed }, arguments: [--bogus] }',
			'  - { kind: migrate, from: a.raw, to: f, target: azure, arguments: [-m, 0] }',
			'  - { kind: migrate, from: a.raw, to: g, arguments: [--to, libvirt] }',
			'  - { from: a.raw, to: h.qcow2, too: 1, backing-format: qcow2, sparse-size: 4k }',
			'  - { from: a.raw, to: i.xyz }',
		];
		fs.writeFileSync(plan, lines.join('\n'));
		const { code, stderr } = await vconv('batch', '--json', plan);
		const told = stderr
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line).error);
		expect(code).toBe(2);
		const lineOf = ({ path: at, field }: { path: string; field: string }) => `${at.slice(plan.length + 1)} ${field}`;
		expect(told.map(lineOf)).toEqual([
			'1:21 defaults.limits',
			'3:40 jobs[1].threads',
			'6:11 jobs[2].mode',
			'7:13 jobs[2].verify',
			'8:14 jobs[2].options',
			'9:5 jobs[3].target',
			'10:5 jobs[4].target',
			'11:5 jobs[5].from',
			'12:39 jobs[6].format',
			'12:88 jobs[6].arguments',
			'13:50 jobs[7].target',
			'13:68 jobs[7].arguments',
			'15:33 jobs[9].too',
			'15:57 jobs[9].backing-format',
			'15:77 jobs[9].sparse-size',
			'16:5 jobs[10]',
		]);
		expect(told[1]).toMatchObject({ message: 'threads 0 is not a number of threads', hint: 'threads with 1 to 64' });
		expect(fs.readdirSync(folder).sort()).toEqual(['a.raw', 'plan.yaml']);
	});

	test('in CSV too', () => {
		expect(mistakesOf('from,to\na,b\n"c\nd",e,f\n', { read: readCsv })).toEqual(['4:6 CSV: it is cell 3, and there are 2 columns']);
		expect(mistakesOf('from,to\n"a,b\n', { read: readCsv })).toEqual(['2:1 CSV: a quote is not closed, or has text behind it']);
	});
});

test('what nests too deep, or is any noise, is a mistake and soon', () => {
	for (const text of [
		'['.repeat(100_000),
		'{a: '.repeat(50_000),
		`${'- '.repeat(50_000)}a`,
		`${'? '.repeat(50_000)}a`,
		'"'.repeat(9999),
		'&a '.repeat(999),
	]) {
		const start = performance.now();
		expect(mistakesOf(text).length).toBeGreaterThan(0);
		expect(performance.now() - start).toBeLessThan(2000);
	}
	const pieces = fc.constantFrom(
		'jobs',
		'from',
		'to',
		': ',
		'\n',
		'  ',
		'- ',
		'[',
		']',
		'{',
		'}',
		'"',
		"'",
		'|',
		'>',
		'#',
		'&a',
		'*a',
		'!!x',
		'? ',
		',',
		'é',
		'\0',
		'%',
		'---\n',
		'<<',
	);
	const text = fc.array(fc.oneof(pieces, fc.string({ maxLength: 3 })), { maxLength: 40 }).map((all) => all.join(''));
	fc.assert(
		fc.property(text, fc.constantFrom(readYaml, readCsv), (said, read) => void jobsOf(said, { read })),
		{
			numRuns: process.env['VCONV_THOROUGH'] ? 100_000 : 1500,
		},
	);
});
