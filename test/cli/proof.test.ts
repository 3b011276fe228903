import { execSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { vconv, vconvIn } from '../helpers/cli.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';
import { slowRoot } from '../helpers/tree.ts';

const MiB = 1 << 20;

const folderWith = (size = 5 * MiB + 512) => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	rawFile(at('in.raw'), size, [
		[70_000, 4096],
		[3 * MiB - 512, 2 * MiB],
	]);
	return { folder, at };
};

test('hash prints the root, the size, and with --flat what sha256sum prints, the same of all formats', async () => {
	const { at } = folderWith();
	const raw = fs.readFileSync(at('in.raw'));
	const flat = createHash('sha256').update(raw).digest('hex');
	const lines = `vconv-tree-sha256-1m  ${slowRoot(raw)}\nsha256                ${flat}\nvirtual size          ${raw.length}\n`;
	expect(await vconv('hash', '--flat', at('in.raw'))).toEqual({ code: 0, stdout: lines, stderr: '' });
	await vconv('-c', at('in.raw'), at('out.qcow2'));
	expect(await vconv('hash', '--flat', at('out.qcow2'))).toMatchObject({ code: 0, stdout: lines });
	const { stdout } = await vconv('hash', '--json', at('out.qcow2'));
	expect(JSON.parse(stdout)).toEqual({
		filename: at('out.qcow2'),
		'virtual-size': raw.length,
		tree: { algorithm: 'vconv-tree-sha256-1m', 'block-size': MiB, root: slowRoot(raw) },
	});
});

test('verify exits 0 for what was proved, and 6 with the first range that differs for anything else', async () => {
	const { at } = folderWith();
	expect(await vconv('--proof', '--verify=full', at('in.raw'), at('out.vhdx'))).toMatchObject({ code: 0 });
	const proof = at('out.vhdx.vconv.json');
	expect(await vconv('verify', at('out.vhdx'), proof)).toMatchObject({ code: 0, stdout: expect.stringContaining('is what') });
	expect(await vconv('verify', '-q', at('in.raw'), proof)).toEqual({ code: 0, stdout: '', stderr: '' });
	const fd = fs.openSync(at('in.raw'), 'r+');
	for (const byte of [2 * MiB, 3 * MiB + 5, 5 * MiB]) fs.writeSync(fd, 'x', byte);
	fs.closeSync(fd);
	const told = await vconv('verify', at('in.raw'), proof);
	expect(told).toMatchObject({ code: 6, stdout: '' });
	expect(told.stderr).toContain('2097152 bytes from guest offset 0x200000');
	const json = await vconv('verify', '--json', at('in.raw'), proof);
	expect(json.code).toBe(6);
	expect(JSON.parse(json.stdout)).toMatchObject({
		verified: false,
		mismatch: { kind: 'content', 'guest-offset': 2 * MiB, length: 2 * MiB },
	});
	fs.truncateSync(at('in.raw'), 5 * MiB);
	expect(await vconv('verify', at('in.raw'), proof)).toMatchObject({ code: 6, stderr: expect.stringContaining('5243392') });
	expect(await vconv('verify', at('in.raw'), at('in.raw'))).toMatchObject({ code: 4, stderr: expect.stringContaining('it is no proof') });
	expect(await vconv('verify', at('in.raw'))).toMatchObject({ code: 2 });
});

test('--force takes the proof of what is replaced away, and nothing else of that name', async () => {
	const { at } = folderWith();
	const proof = at('out.raw.vconv.json');
	await vconv('--proof', at('in.raw'), at('out.raw'));
	expect(await vconv(at('in.raw'), at('out.raw'))).toMatchObject({ code: 5 });
	expect(fs.existsSync(proof)).toBe(true);
	expect(await vconv('--force', at('in.raw'), at('out.raw'))).toMatchObject({ code: 0 });
	expect(fs.existsSync(proof)).toBe(false);
	expect(await vconv('--force', '--proof', at('in.raw'), at('out.raw'))).toMatchObject({ code: 0 });
	expect(await vconv('verify', at('out.raw'), proof)).toMatchObject({ code: 0 });
	fs.writeFileSync(proof, '{ "v": 1, "tool": "mine" }');
	expect(await vconv('--force', at('in.raw'), at('out.raw'))).toMatchObject({ code: 0 });
	expect(fs.readFileSync(proof, 'utf8')).toBe('{ "v": 1, "tool": "mine" }');
});

test('a proof is written over nothing that is read', async () => {
	const { at } = folderWith();
	const source = at('out.qcow2.vconv.json');
	fs.renameSync(at('in.raw'), source);
	const before = fs.readFileSync(source);
	const ran = await vconv('--force', '--proof', '-f', 'raw', source, at('out.qcow2'));
	expect(ran).toMatchObject({ code: 5, stderr: expect.stringContaining('it is a file that the conversion reads') });
	expect(fs.readFileSync(source).equals(before)).toBe(true);
	expect(fs.existsSync(at('out.qcow2'))).toBe(false);
});

test('what goes through a pipe is not proved', async () => {
	const { at } = folderWith();
	for (const words of [['--proof'], ['--verify', 'full'], ['--verify-with', 'qemu-img']]) {
		expect(await vconv('-O', 'raw', ...words, at('in.raw'), '-')).toMatchObject({ code: 2 });
		const piped = await vconvIn({ stdin: Buffer.alloc(512, 'x') }, '-f', 'raw', ...words, '-', at('out.raw'));
		expect(piped).toMatchObject({ code: 2 });
	}
	expect(await vconv('--keep-chain', '--proof', at('in.raw'), at('out.qcow2'))).toMatchObject({ code: 2 });
	const known = ['-f', 'raw', '--size', '512', '--verify', 'full', '--proof', '-', at('out.raw')];
	expect(await vconvIn({ stdin: Buffer.alloc(512, 'x') }, ...known)).toMatchObject({ code: 0 });
	expect(await vconv('verify', at('out.raw'), at('out.raw.vconv.json'))).toMatchObject({ code: 0 });
});

test.skipIf(!has('qemu-img'))('qemu-img judges what is written, where it can', async () => {
	const { folder, at } = folderWith();
	for (const out of ['out.qcow2', 'out.vhd', 'out.vmdk']) {
		expect(await vconv('--verify-with', 'qemu-img', at('in.raw'), at(out))).toMatchObject({ code: 0, stderr: '' });
	}
	expect(run('qemu-img', 'compare', at('in.raw'), at('out.qcow2'))).toContain('identical');
	expect(await vconv('--verify-with=qemu-img', '-o', 'subformat=monolithicFlat', at('in.raw'), at('flat.vmdk'))).toMatchObject({ code: 3 });
	expect(await vconv('--verify-with=qemu-img', '--untrusted', at('in.raw'), at('no.qcow2'))).toMatchObject({ code: 2 });
	expect(fs.readdirSync(folder).sort()).toEqual(['in.raw', 'out.qcow2', 'out.vhd', 'out.vmdk']);
});

test.skipIf(!has('qemu-img'))('qemu-img finds the data file of a QCOW2 beside it too', async () => {
	const { folder, at } = folderWith();
	const create = 'qemu-img create -q -f qcow2 -o data_file=split.data split.qcow2 8M';
	execSync(`${create} && qemu-io -c "write -P 7 64k 128k" split.qcow2`, { cwd: folder, stdio: 'ignore' });
	expect(await vconv('--verify-with', 'qemu-img', at('split.qcow2'), at('out.raw'))).toMatchObject({ code: 0, stderr: '' });
	expect(fs.readFileSync(at('out.raw')).subarray(65536, 196608).equals(Buffer.alloc(131072, 7))).toBe(true);
});
