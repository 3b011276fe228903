import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import type { JobRecord } from '../../src/batch/journal.ts';
import { dist } from './dist.ts';
import { rawFile } from './raw.ts';
import { sampleImage, samples } from './samples.ts';

const MiB = 1 << 20;

/** The built command line, in a process group of its own: a signal to the group reaches the children of a batch too. */
export const startVconv = (cwd: string, ...argv: string[]): ChildProcess =>
	spawn(process.execPath, [path.join(dist, 'bin', 'vconv.js'), ...argv], { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export const ended = async (child: ChildProcess): Promise<Ended> => {
	const said = { stdout: '', stderr: '' };
	child.stdout?.on('data', (text) => (said.stdout += text));
	child.stderr?.on('data', (text) => (said.stderr += text));
	const [code] = (await once(child, 'close')) as [number | null];
	return { code, ...said };
};

/** All records of a state folder's journal, in their order. */
export const journalOf = (folder: string): JobRecord[] => {
	const name = path.join(folder, 'batch.jsonl');
	const text = fs.existsSync(name) ? fs.readFileSync(name, 'utf8') : '';
	return text
		.split('\n')
		.slice(0, -1)
		.map((line) => JSON.parse(line) as JobRecord);
};

const TARGETS = [
	'{ to: out/N.qcow2 }',
	'{ to: out/N.qcow2, compress: true }',
	'{ to: out/N.vmdk }',
	'{ to: out/N.vmdk, options: { subformat: streamOptimized } }',
	'{ to: out/N.vhd }',
	'{ to: out/N.vhdx }',
	'{ to: out/N.vdi }',
	'{ to: out/N.raw }',
];

/** Images of many formats in `folder`, and a plan that converts `count` of them to many others. The name of the plan. */
export const mixedPlan = (folder: string, count: number): string => {
	fs.mkdirSync(path.join(folder, 'in'), { recursive: true });
	const images = samples
		.map(sampleImage)
		.filter(({ name }) => !/\.hdd$/.test(name))
		.slice(0, 8)
		.map(({ name, bytes }) => {
			fs.writeFileSync(path.join(folder, 'in', name), bytes);
			return name;
		});
	const jobs = Array.from({ length: count }, (_, index) => {
		const raw = `disk-${index}.raw`;
		const source = index % 3 === 2 ? (images[((index / 3) % images.length) | 0] ?? raw) : raw;
		if (source === raw) rawFile(path.join(folder, 'in', raw), 24 * MiB, [[MiB, (1 + (index % 12)) * MiB]]);
		const target = TARGETS[index % TARGETS.length]?.replace('N', `job-${index}`).replace('{', `{ from: in/${source},`);
		return `  - ${target}\n`;
	});
	const plan = path.join(folder, 'plan.yaml');
	fs.writeFileSync(plan, `version: 1\njobs:\n${jobs.join('')}`);
	return plan;
};
