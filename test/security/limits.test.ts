import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseLimits } from '../../src/convert/limits.ts';
import { LIMITS, limitNames, limitsOf } from '../../src/core/limits.ts';
import type { GuestReport } from '../../src/guest/facts.ts';
import { build, data } from '../formats/qcow2/build.ts';
import { vconv } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { withBacking } from './scene.ts';

test('limits are given by name, the last of a name holds, and the others stay', () => {
	expect(parseLimits(['virtual-size=1T', 'chain-depth=3', 'chain-depth=4'])).toEqual({ 'virtual-size': 2 ** 40, 'chain-depth': 4 });
	expect(limitsOf({ limits: { 'chain-depth': 4 } })).toEqual({ ...limitsOf(), 'chain-depth': 4 });
});

test('without trust each is half, but those that are given', () => {
	const limits = limitsOf({ untrusted: true, limits: { 'chain-depth': 40 } });
	for (const name of limitNames) expect(limits[name]).toBe(name === 'chain-depth' ? 40 : LIMITS[name].value / 2);
});

test.for([
	'',
	'nonsense=1',
	'virtual-size',
	'virtual-size=',
	'virtual-size=0',
	'virtual-size=-1',
	'chain-depth=1k',
	'chain-depth=1.5',
	'toString=1',
])('--limit %s is a mistake, and what is possible is said', async (said) => {
	const { code, stderr } = await vconv('info', '--limit', said, path.join('samples', 'hello.vmdk'));
	expect(code).toBe(2);
	expect(stderr).toMatch(/try --limit (NAME=VALUE with virtual-size, chain-depth|[a-z-]+=\d)/);
});

const vmx = (disk: string): string =>
	`displayName = "web"\nscsi0.present = "TRUE"\nscsi0:0.present = "TRUE"\nscsi0:0.fileName = "${disk}"\n`;

describe('a command that meets one names it:', () => {
	const scene = () => {
		const folder = temporaryFolder();
		const at = (name: string): string => path.join(folder, name);
		fs.writeFileSync(at('disk.qcow2'), build({ entries: [data(0)], clusters: [1] }));
		return { folder, at };
	};

	test.for([
		['info', 'virtual-size=16383'],
		['map', 'virtual-size=1k'],
		['measure', 'virtual-size=1k'],
		['compare', 'virtual-size=1k'],
		['check', 'check-memory=20'],
	] as const)('%s with %s', async ([command, limit]) => {
		const { at } = scene();
		const operands = command === 'compare' ? [at('disk.qcow2'), at('disk.qcow2')] : [at('disk.qcow2')];
		const { code, stderr } = await vconv(command, '--limit', limit, ...operands);
		expect(code).not.toBe(0);
		expect(stderr).toContain(`--limit ${limit.split('=')[0]}=`);
		expect((await vconv(command, '--limit', limit.replace(/=.*/, '=16k'), ...operands)).code).toBe(0);
	});

	test('chain and a search for a parent, with folder-files', async () => {
		const { folder, at } = scene();
		fs.writeFileSync(at('other.qcow2'), withBacking('disk.qcow2', 'qcow2'));
		expect((await vconv('chain', '--limit', 'folder-files=1', folder)).stderr).toContain('--limit folder-files=MORE');
		expect((await vconv('chain', '--limit', 'folder-files=2', folder)).code).toBe(0);
	});

	test('inspect, in what it could not read', async () => {
		const { at } = scene();
		const { stdout } = await vconv('inspect', '--json', '--limit', 'inspect-bytes=1', at('disk.qcow2'));
		const { incomplete } = JSON.parse(stdout) as GuestReport;
		expect(incomplete.some(({ why }) => why.includes('the limit inspect-bytes'))).toBe(true);
	});

	test('validate, in what it could not open', async () => {
		const { at } = scene();
		const argv = ['validate', '--to', 'libvirt', '--limit', 'virtual-size=1k', at('disk.qcow2')];
		for (const form of ['human', 'html', 'sarif', 'junit']) {
			expect((await vconv(...argv, '--output', form)).stdout).toContain('(--limit virtual-size=MORE, if you trust it)');
		}
	});

	test('validate and migrate, in what they could not look into', async () => {
		const { at } = scene();
		fs.writeFileSync(at('web.vmx'), vmx('disk.qcow2'));
		for (const argv of [
			['validate', '--to', 'libvirt', at('disk.qcow2')],
			['migrate', '--to', 'libvirt', '--dry-run', at('web.vmx'), at('out')],
		]) {
			expect((await vconv(...argv, '--json')).stdout).not.toContain('inspect-bytes');
			expect((await vconv(...argv, '--json', '--limit', 'inspect-bytes=1')).stdout).toContain('the limit inspect-bytes');
		}
	});

	test('migrate, in which they hold for what validates the machine too', async () => {
		const { at } = scene();
		for (let i = 1; i < 34; i++) fs.writeFileSync(at(`${i}.qcow2`), withBacking(i === 33 ? 'disk.qcow2' : `${i + 1}.qcow2`, 'qcow2'));
		fs.writeFileSync(at('web.vmx'), vmx('1.qcow2'));
		const argv = ['migrate', '--to', 'libvirt', '--dry-run', at('web.vmx'), at('out')];
		expect((await vconv(...argv)).stderr).toContain('--limit chain-depth=');
		expect(await vconv(...argv, '--limit', 'chain-depth=40')).toMatchObject({ code: 0 });
	});

	test('a batch, whose jobs have limits of their own', async () => {
		const { at } = scene();
		const job = `{ kind: convert, from: ${at('disk.qcow2')}, to: ${at('out.raw')}, limits: [ virtual-size=1k ], mode: '0640' }`;
		fs.writeFileSync(at('plan.yaml'), `jobs:\n  - ${job}\n`);
		const { stdout, stderr } = await vconv('batch', '--dry-run', at('plan.yaml'));
		expect(stdout + stderr).toContain('over the limit of 1 KiB');
	});
});
