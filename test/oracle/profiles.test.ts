import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { vconv } from '../helpers/cli.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

/** No whole MiB. */
const size = 30 * MiB + 512;

const made = async (target: string, output: string) => {
	const folder = temporaryFolder();
	const raw = rawFile(path.join(folder, 'in.raw'), size, [
		[0, MiB],
		[size - 512, 512],
	]);
	const image = path.join(folder, output);
	const { code, stderr, stdout } = await vconv('convert', '--for', target, '--json', raw, image);
	expect(code, stderr).toBe(0);
	return { raw, image, told: JSON.parse(stdout) as { 'virtual-size': number } };
};

type Info = { 'virtual-size': number; 'format-specific'?: { data: { 'create-type'?: string; compat?: string } } };

/** By the target: the output, qemu-img's name of its format, the virtual size, and what else qemu-img says of it. */
const EXPECTED = [
	['azure', 'disk.vhd', 'vpc', 31 * MiB, undefined],
	['aws', 'disk.vmdk', 'vmdk', size, 'streamOptimized'],
	['gcp', 'disk.raw', 'raw', GiB, undefined],
	['hyperv', 'disk.vhdx', 'vhdx', size, undefined],
	['hyperv', 'disk.vhd', 'vpc', size, undefined],
	['esxi', 'disk.vmdk', 'vmdk', size, 'vmfs'],
	['virtualbox', 'disk.vdi', 'vdi', size, undefined],
	['proxmox', 'disk.qcow2', 'qcow2', size, '1.1'],
	['libvirt', 'disk', 'qcow2', size, '1.1'],
] as const;

test.skipIf(!has('qemu-img')).each(EXPECTED)(
	'qemu-img finds the disk in what is for %s, as %s',
	async (target, output, format, bytes, kind) => {
		const { raw, image, told } = await made(target, output);
		const info = JSON.parse(run('qemu-img', 'info', '-f', format, '--output=json', image)) as Info;
		const { 'create-type': type, compat } = info['format-specific']?.data ?? {};
		expect({ bytes: info['virtual-size'], kind: type ?? compat }).toEqual({ bytes, kind });
		expect(told['virtual-size']).toBe(bytes);
		run('qemu-img', 'compare', '-f', 'raw', '-F', format, raw, image);
	},
);

test('Azure gets whole MiB and the footer of a fixed disk behind them', async () => {
	const { image } = await made('azure', 'disk.vhd');
	const bytes = fs.readFileSync(image);
	expect(bytes.length).toBe(31 * MiB + 512);
	const footer = bytes.subarray(-512);
	expect(footer.toString('latin1', 0, 8)).toBe('conectix');
	expect({ type: footer.readUInt32BE(60), size: footer.readBigUInt64BE(48), creator: footer.toString('latin1', 28, 32) }).toEqual({
		type: 2,
		size: BigInt(31 * MiB),
		creator: 'win ',
	});
});

test.skipIf(!has('tar'))('what Google Cloud gets goes into its archive and out of it again', async () => {
	const { image } = await made('gcp', 'disk.raw');
	const folder = path.dirname(image);
	run('tar', '--format=oldgnu', '-Sczf', path.join(folder, 'disk.tar.gz'), '-C', folder, 'disk.raw');
	expect(run('tar', 'tvzf', path.join(folder, 'disk.tar.gz'))).toMatch(new RegExp(`\\s${GiB}\\s.*\\sdisk\\.raw`));
});

test('ESXi gets a descriptor and a flat file beside it', async () => {
	const { image } = await made('esxi', 'disk.vmdk');
	expect(fs.readFileSync(image, 'latin1')).toContain('RW 61441 VMFS "disk-flat.vmdk"');
	expect(fs.statSync(path.join(path.dirname(image), 'disk-flat.vmdk')).size).toBe(size);
});

test('--for help lists them, and a contradiction leaves nothing behind', async () => {
	const { stdout } = await vconv('convert', '--for', 'help');
	for (const target of new Set(EXPECTED.map(([id]) => id))) expect(stdout).toContain(`  ${target} `);
	const folder = temporaryFolder();
	const raw = rawFile(path.join(folder, 'in.raw'), size, [[0, 512]]);
	const { code, stderr } = await vconv('--for', 'azure', raw, path.join(folder, 'out.qcow2'));
	expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('another extension, or -O vhd') });
	expect(fs.readdirSync(folder)).toEqual(['in.raw']);
});
