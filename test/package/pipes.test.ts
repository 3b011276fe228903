import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { dist } from '../helpers/dist.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const MiB = 2 ** 20;

/** Run a line of the shell in which `vconv` is the built one. */
const shell = (folder: string, line: string) => {
	const vconv = `vconv() { "${process.execPath}" "${path.join(dist, 'bin/vconv.js')}" "$@"; }`;
	const { status, stdout, stderr } = spawnSync('sh', ['-c', `${vconv}; ${line}`], { cwd: folder, encoding: 'utf8' });
	return { status, stdout, stderr };
};

test.skipIf(process.platform === 'win32')('vconv writes into vconv', () => {
	const folder = temporaryFolder();
	rawFile(path.join(folder, 'disk.raw'), 40 * MiB, [[5 * MiB, 3 * MiB]]);
	const line =
		'vconv -O vmdk -o subformat=streamOptimized disk.raw - | vconv --spool . -O vdi - - | vconv --spool . - out.qcow2 && vconv compare disk.raw out.qcow2';
	expect(shell(folder, line)).toEqual({ status: 0, stdout: 'Images are identical.\n', stderr: '' });
	expect(fs.readdirSync(folder).sort()).toEqual(['disk.raw', 'out.qcow2']);
});

test.skipIf(process.platform === 'win32').for(['', '--spool .'])(
	'whoever reads the pipe goes away: an error, and no stack (%s)',
	(spool) => {
		const folder = temporaryFolder();
		rawFile(path.join(folder, 'disk.raw'), 40 * MiB, [[5 * MiB, 3 * MiB]]);
		const { stdout, stderr } = shell(folder, `{ vconv ${spool} -O qcow2 disk.raw -; echo "exit $?" >&2; } | head -c 1000 | wc -c`);
		expect(stdout.trim()).toBe('1000');
		expect(stderr).toBe('vconv: it cannot be written: whoever read it has gone\n  at standard output\nexit 5\n');
		expect(fs.readdirSync(folder)).toEqual(['disk.raw']);
	},
);
