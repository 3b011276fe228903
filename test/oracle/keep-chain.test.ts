import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { vconv } from '../helpers/cli.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';

const MiB = 2 ** 20;

/** A chain of three that qemu-img has made, the base of it raw where `raw` says so, with what each image shows as a raw disk. */
const chain = (driver: 'qcow2' | 'vmdk', raw = false) => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	const image = (name: string) => (raw && name === 'base' ? at('base.raw') : at(`${name}.${driver}`));
	const write = (name: string, pattern: number, start: string, length: string) =>
		run('qemu-io', '-f', raw && name === 'base' ? 'raw' : driver, '-c', `write -P ${pattern} ${start} ${length}`, image(name));
	run('qemu-img', 'create', '-f', raw ? 'raw' : driver, image('base'), '16M');
	write('base', 1, '1M', '4M');
	for (const [name, parent] of [
		['middle', 'base'],
		['top', 'middle'],
	] as const) {
		const format = raw && parent === 'base' ? 'raw' : driver;
		run('qemu-img', 'create', '-f', driver, '-b', path.basename(image(parent)), '-F', format, image(name));
		write(name, name === 'middle' ? 2 : 3, '3M', name === 'middle' ? '512k' : '64k');
		write(name, 4, name === 'middle' ? '10M' : '12M', '512');
	}
	if (driver === 'qcow2') run('qemu-io', '-f', driver, '-c', 'write -z 1M 1M', image('top'));
	return { at, image };
};

describe.skipIf(!has('qemu-img') || !has('qemu-io'))('qemu-img reads the chains that are kept', () => {
	test.for([
		['qcow2', 'vmdk', false],
		['qcow2', 'vmdk', true],
		['vmdk', 'qcow2', false],
		['qcow2', 'qcow2', true],
	] as const)('of %s, as %s (over a raw base: %s)', async ([from, to, raw]) => {
		const { at, image } = chain(from, raw);
		fs.mkdirSync(at('kept'));
		expect(await vconv('--keep-chain', image('top'), at(`kept/top.${to}`))).toMatchObject({ code: 0, stderr: '' });
		for (const name of ['base', 'middle', 'top']) {
			expect(run('qemu-img', 'compare', image(name), at(`kept/${name}.${to}`))).toMatch(/identical/);
			const check = JSON.parse(run('qemu-img', 'check', '--output=json', at(`kept/${name}.${to}`)));
			expect(check).not.toHaveProperty('corruptions');
		}
		const infos = JSON.parse(run('qemu-img', 'info', '--output=json', '--backing-chain', at(`kept/top.${to}`)));
		expect(infos.map(({ filename }: { filename: string }) => path.basename(filename))).toEqual([`top.${to}`, `middle.${to}`, `base.${to}`]);
		expect(infos[0]['virtual-size']).toBe(16 * MiB);
		// And back.
		fs.mkdirSync(at('back'));
		expect(await vconv('--keep-chain', at(`kept/top.${to}`), at(`back/top.${from}`))).toMatchObject({ code: 0, stderr: '' });
		for (const name of ['base', 'middle', 'top']) {
			expect(run('qemu-img', 'compare', image(name), at(`back/${name}.${from}`))).toMatch(/identical/);
		}
	});
});
