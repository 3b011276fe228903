import fs from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { optionsHelp } from '../../src/cli/format-options.ts';
import { vconv } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const disk = (): { readonly input: string; readonly output: string } => {
	const folder = temporaryFolder();
	return { input: rawFile(path.join(folder, 'disk.raw'), 1 << 20, [[4096, 4096]]), output: path.join(folder, 'copy.raw') };
};

test("the version is the package's", async () => {
	const { version } = JSON.parse(fs.readFileSync('package.json', 'utf8'));
	expect(await vconv('--version')).toEqual({ code: 0, stdout: `vconv ${version}\n`, stderr: '' });
});

test('help names every command, and nothing at all is a mistake that is answered with it', async () => {
	const asked = await vconv('--help');
	expect(asked.code).toBe(0);
	for (const name of ['convert', 'info', 'map', 'chain', 'compare', 'check', 'measure']) expect(asked.stdout).toContain(`vconv ${name} `);
	expect(await vconv()).toEqual({ code: 2, stdout: '', stderr: asked.stdout });
});

test.for(['convert', 'info', 'map', 'chain', 'compare', 'check', 'measure'])('%s explains itself in three spellings', async (name) => {
	const { code, stdout } = await vconv(name, '--help');
	expect(code).toBe(0);
	expect(stdout).toMatch(new RegExp(`^vconv ${name} \\[options\\] [A-Z]`));
	expect(await vconv(name, '-h')).toEqual({ code, stdout, stderr: '' });
	expect(await vconv('help', name)).toEqual({ code, stdout, stderr: '' });
});

test('a name that is not UTF-8 is refused: Node would make another of it', async () => {
	const { input, output } = disk();
	const lost = output.replace('copy', 'c\ufffdpy');
	for (const argv of [
		[input, lost],
		['info', lost],
		[`-fr\ufffdw`, input, output],
	]) {
		expect(await vconv(...argv)).toMatchObject({
			code: 2,
			stdout: '',
			stderr: expect.stringMatching(/is not UTF-8.*\n {2}try mv to a name in UTF-8/s),
		});
	}
	expect(fs.readdirSync(path.dirname(output))).toEqual(['disk.raw']);
});

test('a switch takes true and false alone: no other word may turn it off', async () => {
	const { input, output } = disk();
	for (const option of ['--untrusted=yes', '--untrusted=', '--proof=1', '--W=on', '--no-source-lock=yes', '--help=yes']) {
		const [name] = option.split('=');
		expect(await vconv(input, output, option)).toMatchObject({
			code: 2,
			stdout: '',
			stderr: expect.stringContaining(`vconv: ${name} is a switch`),
		});
	}
	expect(fs.readdirSync(path.dirname(output))).toEqual(['disk.raw']);
	expect(await vconv(input, output, '--proof=false', '--untrusted=true')).toMatchObject({ code: 0, stderr: '' });
	expect(fs.readdirSync(path.dirname(output))).toEqual(['copy.raw', 'disk.raw']);
});

test('the word convert may be left out', async () => {
	const { input, output } = disk();
	expect(await vconv(input, output)).toEqual({ code: 0, stdout: '', stderr: '' });
	expect(fs.readFileSync(output).equals(fs.readFileSync(input))).toBe(true);
});

test('options may come before their command', async () => {
	const { input, output } = disk();
	const behind = await vconv('info', '--json', '-U', input);
	expect(behind.code).toBe(0);
	expect(await vconv('--json', 'info', '-U', input)).toEqual(behind);
	expect(await vconv('--output', 'json', '-f', 'raw', 'info', '-U', input)).toEqual(behind);
	expect(await vconv('--json', '-U', 'info', input)).toEqual(behind);
	expect(await vconv('-q', 'convert', input, output)).toMatchObject({ code: 0 });
	expect(await vconv('-q', 'compare', input, `${output}.gone`)).toMatchObject({ code: 2 });
	expect((await vconv('--bogus', 'info', input)).stderr).toContain('vconv info --help');
});

test('what is called like a command and is there may be the value of an option', async () => {
	const { input, output } = disk();
	const before = process.cwd();
	process.chdir(path.dirname(input));
	try {
		fs.copyFileSync(input, 'map');
		expect(await vconv('-F', 'raw', '-B', 'map', '-O', 'qcow2', input, output)).toMatchObject({ code: 0 });
		expect(await vconv('-O', 'raw', '-f', 'raw', 'map', 'copy.img')).toMatchObject({ code: 0 });
	} finally {
		process.chdir(before);
	}
});

test('letters may be joined, with each other and with their values', async () => {
	const { input, output } = disk();
	expect(await vconv('-qOraw', '-S=4k', '-fraw', input, output)).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('what follows -- is a file, whatever it looks like', async () => {
	const { input, output } = disk();
	expect((await vconv('--', input, output)).code).toBe(0);
	expect((await vconv('info', '--', '-x')).stderr).toContain('at -x');
});

test.for([
	[['convert', 'in.raw'], 'OUT is missing'],
	[['info'], 'IMAGE is missing'],
	[['compare', 'a.raw'], 'B is missing'],
	[['info', 'a.raw', 'b.raw'], "'b.raw' is one too many"],
	[['inof', 'a.raw'], "'inof' is neither a command nor a file here"],
	[['info', '--bogus', 'a.raw'], 'there is no option --bogus'],
	[['convert', '-n', 'a.raw', 'b.raw'], 'there is no option -n'],
	[['convert', 'a.raw', 'b.raw', '-O'], '-O needs a value'],
	[['info', '--output=xml', 'a.raw'], '--output xml is not possible'],
	[['convert', '-O', 'raw', '-O', 'qcow2', 'a', 'b'], '--output-format is given twice'],
	[['-O', 'qcow3', 'a.raw', 'b'], "there is no format 'qcow3'"],
	[['-m', 'many', 'a.raw', 'b.raw'], '-m many is not a number of threads'],
	[['-F', 'qcow2', 'a.raw', 'b.raw'], 'there is no -B'],
] as const)('%j is a mistake in the command line', async ([argv, message]) => {
	const { code, stdout, stderr } = await vconv(...argv);
	expect(stderr).toContain(message);
	expect(stderr.split('\n').length).toBeLessThanOrEqual(4);
	expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('a format that cannot be written is not offered to be', async () => {
	expect((await vconv('-O', 'qcow3', 'a.raw', 'b')).stderr).toContain('try one of qcow2, vdi, vhd, vhdx, vmdk, raw\n');
	const { input, output } = disk();
	expect((await vconv('-f', 'qcow3', input, output)).stderr).toContain('parallels');
});

test('mistakes are JSON where JSON was asked for', async () => {
	const { code, stdout, stderr } = await vconv('info', '--json', '--bogus', 'a.raw');
	expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
	expect(JSON.parse(stderr)).toEqual({
		error: { code: 'USAGE', message: 'there is no option --bogus', hint: 'vconv info --help', exitCode: 2 },
	});
});

test('-o help lists the options of a format, and needs no files', async () => {
	const { code, stdout } = await vconv('convert', '-O', 'raw', '-o', 'help');
	expect(code).toBe(0);
	expect(await vconv('convert', '-O', 'raw', '-o', 'align=1M,help')).toEqual({ code, stdout, stderr: '' });
	expect(stdout).toMatch(/^ {2}preallocation .*\(off, falloc, full\) \[off\]$/m);
});

test('-o help keeps names and texts apart, and within a terminal', async () => {
	for (const format of diskFormats.filter(({ writer }) => writer)) {
		const options = Object.entries(format.writer?.options ?? {});
		for (const columns of [undefined, 80, 120]) {
			const text = optionsHelp(format, false, columns);
			for (const [name, { help }] of options) expect(text).toMatch(new RegExp(`^ {2}${name} {2,}${help.split(' ', 1)}`, 'm'));
			const lines = text.trimEnd().split('\n');
			if (columns === undefined) expect(lines).toHaveLength(options.length + 1);
			else for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
		}
	}
});

test('what -o and --for can say is JSON with --json', async () => {
	for (const words of [
		['convert', '-O', 'vhd', '-o', 'help', '--json'],
		['measure', '-O', 'vpc', '-o', 'help', '--output=json'],
	]) {
		const { code, stdout } = await vconv(...words);
		expect(code).toBe(0);
		expect(JSON.parse(stdout)).toMatchObject({ format: 'vhd', options: { subformat: { values: ['dynamic', 'fixed'] } } });
	}
	const { stdout } = await vconv('convert', '--for', 'help', '--json');
	expect(JSON.parse(stdout).profiles.find(({ id }: { id: string }) => id === 'azure')).toMatchObject({
		takes: [{ format: 'vhd', options: { subformat: ['fixed'] } }],
		size: { 'multiple-of': 1048576 },
	});
});

test('--no- turns a switch off, and is no option of anything else', async () => {
	const { input, output } = disk();
	expect(await vconv('--no-keep-partial', '--no-source-lock', input, output)).toMatchObject({ code: 0, stderr: '' });
	for (const option of ['--no-backing', '--no-limit', '--no-nonsense']) {
		const { code, stderr } = await vconv(option, input, `${output}2`);
		expect([option, code]).toEqual([option, 2]);
		expect(stderr).toMatch(/there is no option --/);
	}
});

test('in a folder that was removed nothing can be done, and help is given all the same', async () => {
	const { input, output } = disk();
	const gone = vi.spyOn(process, 'cwd').mockImplementation(() => {
		throw new Error('ENOENT: no such file or directory, uv_cwd');
	});
	try {
		expect(await vconv(input, output)).toEqual({
			code: 5,
			stdout: '',
			stderr: 'vconv: the folder where you are is gone\n  try cd to another folder\n',
		});
		expect(await vconv('--help')).toMatchObject({ code: 0, stderr: '' });
	} finally {
		gone.mockRestore();
	}
});
