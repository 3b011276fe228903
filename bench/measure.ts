import { spawnSync } from 'node:child_process';
import fs from 'node:fs';

/** What one run of a program took. */
export type Run = { readonly wall: number; readonly cpu: number; readonly peakMiB: number };

/** Run a program to its end under GNU time, which knows its memory. Throws if it fails. */
export const measure = (command: readonly string[], report: string): Run => {
	const start = process.hrtime.bigint();
	const { status, stderr } = spawnSync('/usr/bin/time', ['-o', report, '-f', '%U %S %M', ...command], { encoding: 'utf8' });
	const wall = Number(process.hrtime.bigint() - start) / 1e9;
	if (status !== 0) throw new Error(`${command.join(' ')}: exit ${status}\n${stderr}`);
	const [user = 0, system = 0, peak = 0] = (fs.readFileSync(report, 'utf8').trim().split('\n').at(-1) ?? '').split(' ').map(Number);
	return { wall, cpu: user + system, peakMiB: peak / 1024 };
};

export const median = (values: readonly number[]): number => {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = Math.floor(sorted.length / 2);
	return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
};

/** Bytes on disk. */
export const allocated = (file: string): number => fs.statSync(file).blocks * 512;
