import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { removeSync } from 'fs-extra/esm';
import { onTestFinished } from 'vitest';

/** Whether another program is there to judge. CI sets REQUIRE_ORACLE, and then it must be. */
export const has = (program: string): boolean => {
	const found = spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
	if (!found && process.env['REQUIRE_ORACLE']) throw new Error(`REQUIRE_ORACLE is set and ${program} is not installed`);
	return found;
};

/** Run a program to its end; what it printed. Throws if it fails. */
export const run = (program: string, ...args: string[]): string =>
	execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 });

/** A folder that goes when the test ends. */
export const temporaryFolder = (): string => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'vconv-test-'));
	onTestFinished(() => removeSync(folder));
	return folder;
};
