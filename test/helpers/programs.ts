import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { removeSync } from 'fs-extra/esm';
import { afterAll, onTestFinished } from 'vitest';

const said = new Set<string>();

/**
 * Whether something is there that tests need; if not, `why` is said, and who asked skips them. CI sets REQUIRE_ORACLE, and then it must be there:
 * what a container may be unable to have (mounts, loop devices) is not asked for here, but skipped by `context.skip`, with its reason.
 */
export const requires = (condition: boolean, why: string): boolean => {
	if (!condition && process.env['REQUIRE_ORACLE']) throw new Error(`REQUIRE_ORACLE is set and ${why}`);
	if (!condition && !said.has(why)) console.warn(`${why}: what needs it is skipped`);
	said.add(why);
	return condition;
};

/** Whether another program is there to judge: see `requires`. */
export const has = (program: string): boolean =>
	requires(spawnSync('sh', ['-c', `command -v ${program}`]).status === 0, `${program} is not installed`);

/** Run a program to its end; what it printed. Throws if it fails. */
export const run = (program: string, ...args: string[]): string =>
	execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 });

/** A folder that goes when the test ends. */
export const temporaryFolder = (): string => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'vconv-test-'));
	onTestFinished(() => removeSync(folder));
	return folder;
};

/** The names of files in a folder for several tests, made when the first name is asked for. It goes after the last test of a file or `describe`. */
export const sharedFolder = (): ((...names: string[]) => string) => {
	let folder: string | undefined;
	afterAll(() => {
		if (folder !== undefined) removeSync(folder);
	});
	return (...names) => {
		folder ??= fs.mkdtempSync(path.join(os.tmpdir(), 'vconv-test-'));
		return path.join(folder, ...names);
	};
};
