import { spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { convertFile } from '../../src/node/index.ts';
import { vconv } from '../helpers/cli.ts';
import { dist } from '../helpers/dist.ts';
import { temporaryFolder } from '../helpers/programs.ts';

const MiB = 1 << 20;
const SIZE = 16 * MiB;
const KILLS = process.env['VCONV_THOROUGH'] ? 40 : 4;

const makeMachine = async (folder: string): Promise<void> => {
	const names = ['a.vmdk', 'b.vmdk'];
	for (const name of names) {
		fs.writeFileSync(path.join(folder, 'raw'), randomBytes(SIZE));
		await convertFile(path.join(folder, 'raw'), path.join(folder, name), { inputFormat: 'raw' });
	}
	fs.rmSync(path.join(folder, 'raw'));
	const disks = names.map((name, unit) => `scsi0:${unit}.present = "TRUE"\nscsi0:${unit}.fileName = "${name}"\n`);
	fs.writeFileSync(path.join(folder, 'web.vmx'), `displayName = "web"\nmemsize = "512"\nscsi0.present = "TRUE"\n${disks.join('')}`);
};

/** One migration, killed after so many milliseconds; its exit code, null if it was killed. */
const run = (vm: string, out: string, killAfter: number): Promise<number | null> => {
	const argv = [path.join(dist, 'bin/vconv.js'), 'migrate', '--to', 'libvirt', '-q', vm, out];
	const child = spawn(process.execPath, argv, { stdio: 'ignore' });
	const killer = Number.isFinite(killAfter) ? setTimeout(() => child.kill('SIGKILL'), killAfter) : undefined;
	onTestFinished(() => void child.kill('SIGKILL'));
	return new Promise((resolve) =>
		child.on('close', (code) => {
			clearTimeout(killer);
			resolve(code);
		}),
	);
};

test('killed again and again, a migration has all of its names or not the one that counts, and is finished by the same command', {
	timeout: 300_000,
}, async () => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	fs.mkdirSync(at('vm'));
	await makeMachine(at('vm'));
	const started = performance.now();
	expect(await run(at('vm'), at('whole'), Number.POSITIVE_INFINITY)).toBe(0);
	const whole = performance.now() - started;
	const names = fs.readdirSync(at('whole')).sort();
	for (let kills = 0; ; kills++) {
		const code = await run(at('vm'), at('out'), kills < KILLS ? randomInt(Math.ceil(whole)) : Number.POSITIVE_INFINITY);
		const there = fs.existsSync(at('out')) ? fs.readdirSync(at('out')).sort() : [];
		// A machine is there when its description is.
		if (there.includes('web.xml')) expect(there.filter((name) => !name.startsWith('.'))).toEqual(names);
		else expect(code).toBe(null);
		// Killed when all was done but the cleaning up, there is nothing left to do.
		if (code === 0 || code === 5) break;
	}
	expect(fs.readdirSync(at('out')).sort()).toEqual(names);
	for (const name of ['web.xml', 'README.txt']) {
		expect(fs.readFileSync(at(`out/${name}`), 'utf8').replaceAll(at('out'), at('whole'))).toBe(
			fs.readFileSync(at(`whole/${name}`), 'utf8'),
		);
	}
	for (const [disk, source] of [
		['web-disk1.qcow2', 'a.vmdk'],
		['web-disk2.qcow2', 'b.vmdk'],
	] as const) {
		expect((await vconv('compare', at(`vm/${source}`), at(`out/${disk}`))).code).toBe(0);
	}
});
