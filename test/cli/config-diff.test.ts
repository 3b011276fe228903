import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { vconv } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { kvmWith } from '../machine/kvm-sample.ts';
import { richVmx, vmxWith } from '../machine/samples.ts';

const written = (name: string, text: string): string => {
	const file = path.join(temporaryFolder(), name);
	fs.writeFileSync(file, text);
	return file;
};

test('config diff exits with 0 for the same machine, and with 1 and a line each for differences', async () => {
	const [a, same, other] = [richVmx, richVmx.toUpperCase().replaceAll('|0A', '|0a'), richVmx.replace('"2048"', '"4096"')].map(
		(text, index) => written(`${index}.vmx`, text),
	) as [string, string, string];
	expect(await vconv('config', 'diff', a, a)).toMatchObject({ code: 0, stdout: '' });
	expect((await vconv('config', 'diff', a, same)).code).toBe(1);
	expect(await vconv('config', 'diff', a, other)).toMatchObject({ code: 1, stdout: 'different memory/size: 2147483648 -> 4294967296\n' });
	const { code, stdout } = await vconv('config', 'diff', '--json', a, other);
	expect(code).toBe(1);
	expect(JSON.parse(stdout)).toMatchObject({ same: false, differences: [{ path: 'memory/size', kind: 'different' }] });
});

test('config lint prints what is odd, and --strict makes it an exit code', async () => {
	const odd = written('odd.vmx', vmxWith('some.new.key = "1"', 'what is this'));
	const { code, stdout } = await vconv('config', 'lint', odd);
	expect(code).toBe(0);
	expect(stdout).toMatch(/VMX_LINE_IGNORED[\s\S]*VMX_UNKNOWN_KEYS/);
	const disk = "<disk type='file' device='disk'><source file='/one'/><target dev='vda' bus='virtio'/></disk>";
	const twice = written('twice.xml', kvmWith(disk + disk.replace("'vda'", "'vdb'")));
	expect((await vconv('config', 'lint', '--strict', twice)).code).toBe(7);
	const told = await vconv('config', 'lint', '--json', twice);
	expect(JSON.parse(told.stdout)).toMatchObject({ format: 'libvirt', counts: { error: 1 }, report: [{ code: 'DISK_SHARED' }] });
});

test('a VMX is for the product that is asked for', async () => {
	const input = written('a.xml', kvmWith());
	const output = path.join(path.dirname(input), 'a.vmx');
	expect((await vconv('config', '--target-version', 'esxi=6.7', input, output)).code).toBe(0);
	expect(fs.readFileSync(output, 'utf8')).toContain('virtualHW.version = "14"\n');
	expect((await vconv('config', '--force', '--hw-version', '13', input, output)).code).toBe(0);
	expect(fs.readFileSync(output, 'utf8')).toContain('virtualHW.version = "13"\n');
	expect((await vconv('config', '--force', '--target-version', 'xen=4', input, output)).code).toBe(2);
});

test('what is no description is refused', async () => {
	const nothing = written('a.txt', 'hello');
	expect((await vconv('config', 'lint', nothing)).code).toBe(3);
	expect((await vconv('config', 'diff', nothing, nothing)).code).toBe(3);
});
