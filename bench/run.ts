import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensureDirSync, outputJsonSync, removeSync } from 'fs-extra/esm';
import { makeInputs } from './inputs.ts';
import { allocated, measure, median, type Run } from './measure.ts';
import { type Pair, pairs } from './pairs.ts';

/**
 * vconv against the faster of qemu-img's two ways, interleaved in one run: on shared machines a ratio holds and a time does not. Each output
 * is compared with its input by qemu-img. Prints a table and writes bench/results.json.
 */
const { values } = parseArgs({
	options: {
		quick: { type: 'boolean', default: false },
		rounds: { type: 'string' },
		only: { type: 'string', default: '' },
		threads: { type: 'string' },
		work: { type: 'string', default: path.join('bench', 'scratch') },
	},
});
const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
const work = path.resolve(values.work);
const vconv = [process.execPath, path.resolve('dist/bin/vconv.js')];

type Row = {
	readonly name: string;
	readonly goal: number;
	/** vconv as it is by qemu-img as it is: the one that the goal is for. */
	readonly ratio: number;
	/** Both without bringing the output to the disk, and both with it; not in a quick run. */
	readonly unsafe: number | undefined;
	readonly flushed: number | undefined;
	readonly best: number;
	readonly cpu: number;
	readonly peakMiB: number;
	readonly size: number;
	readonly copy: number | undefined;
	readonly reached: boolean;
};

ensureDirSync(work);
const inputs = makeInputs(work, values.quick);
const report = path.join(work, 'time');

/** Each round in another order: the memory that one run gives back is warm for the next, so that none is always to follow the same one. */
const shuffled = <T>(list: readonly T[]): readonly T[] =>
	list
		.map((each) => ({ each, rank: Math.random() }))
		.sort((a, b) => a.rank - b.rank)
		.map(({ each }) => each);

const bench = (pair: Pair): Row => {
	const raw = inputs[pair.from];
	const source = pair.input ? path.join(work, 'input') : raw;
	if (pair.input) execFileSync('qemu-img', ['convert', '-f', 'raw', ...pair.input, raw, source]);
	const target = (who: string): string => path.join(work, `out-${who}`);
	const threads = values.threads ? ['-m', values.threads] : [];
	const format = pair.input ? (pair.input[pair.input.indexOf('-O') + 1] as string) : 'raw';
	const commands = {
		qemu: ['qemu-img', 'convert', '-f', format, ...pair.qemu, source, target('qemu')],
		wide: ['qemu-img', 'convert', '-W', '-m', '16', '-f', format, ...pair.qemu, source, target('wide')],
		vconv: [...vconv, 'convert', '-q', '-f', format, ...threads, ...pair.vconv, source, target('vconv')],
		// Like with like: qemu-img does not bring its output to the disk unless told to, vconv does unless told not to.
		...(!values.quick && {
			flushed: ['qemu-img', 'convert', '-t', 'writeback', '-f', format, ...pair.qemu, source, target('flushed')],
			unsafe: [...vconv, 'convert', '-q', '-t', 'unsafe', '-f', format, ...threads, ...pair.vconv, source, target('unsafe')],
		}),
		...(pair.copy && !values.quick && { copy: ['cp', '--sparse=always', source, target('copy')] }),
	};
	const runs: Record<string, Run[]> = {};
	const sizes: Record<string, number> = {};
	for (let round = 0; round < rounds; round++) {
		for (const [who, command] of shuffled(Object.entries(commands))) {
			removeSync(target(who));
			runs[who] = [...(runs[who] ?? []), measure(command, report)];
			if (who === 'vconv' && round === 0) execFileSync('qemu-img', ['compare', '-q', '-f', 'raw', '-F', pair.output, raw, target('vconv')]);
			sizes[who] = allocated(target(who));
			// At once: the next one is to find as much memory free, and as warm, as this one did.
			removeSync(target(who));
		}
	}
	const size = (sizes['vconv'] ?? 0) / Math.min(sizes['qemu'] ?? 0, sizes['wide'] ?? 0);
	if (pair.input) removeSync(source);
	const of = (who: string, what: keyof Run): number[] => (runs[who] ?? []).map((run) => run[what]);
	const faster = median(of('wide', 'wall')) < median(of('qemu', 'wall')) ? 'wide' : 'qemu';
	const ratio = median(of('vconv', 'wall')) / median(of(faster, 'wall'));
	return {
		name: pair.name,
		goal: pair.goal,
		ratio,
		unsafe: runs['unsafe'] && median(of('unsafe', 'wall')) / median(of(faster, 'wall')),
		flushed: runs['flushed'] && median(of('vconv', 'wall')) / median(of('flushed', 'wall')),
		best: Math.min(...of('vconv', 'wall')) / Math.min(...of('qemu', 'wall'), ...of('wide', 'wall')),
		cpu: median(of('vconv', 'cpu')) / median(of(faster, 'cpu')),
		peakMiB: Math.max(...of('vconv', 'peakMiB')),
		size,
		copy: runs['copy'] && median(of('vconv', 'wall')) / median(of('copy', 'wall')),
		reached: ratio <= pair.goal && (pair.size === undefined || size <= pair.size),
	};
};

const print = (...cells: readonly string[]): void => {
	process.stdout.write(`| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(24) : cell.padStart(9))).join(' | ')} |\n`);
};

print('pair', 'median', 'goal', 'unsafe', 'flushed', 'best', 'cpu', 'peak MiB', 'size', 'by cp', '');
print(...Array(11).fill('---'));
const rows: Row[] = [];
for (const pair of pairs.filter(({ name }) => name.includes(values.only))) {
	const row = bench(pair);
	rows.push(row);
	const two = (value: number | undefined): string => value?.toFixed(2) ?? '';
	print(
		row.name,
		two(row.ratio),
		two(row.goal),
		two(row.unsafe),
		two(row.flushed),
		two(row.best),
		two(row.cpu),
		row.peakMiB.toFixed(0),
		row.size.toFixed(3),
		two(row.copy),
		row.reached ? '' : 'short',
	);
}
outputJsonSync('bench/results.json', { node: process.version, rounds, quick: values.quick, rows }, { spaces: '\t' });
