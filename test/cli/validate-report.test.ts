import { describe, expect, test } from 'vitest';
import { parseXml } from '../../src/bytes/xml.ts';
import { rules } from '../../src/validate/rules/index.ts';
import { vconv } from '../helpers/cli.ts';
import { sarifErrors } from '../helpers/sarif.ts';
import { makeMachine, write } from './validate-machine.ts';

test('several targets are compared in a table, and each concern is told once', async () => {
	const { file } = makeMachine('ethernet0.present = "TRUE"', 'ethernet0.virtualDev = "vmxnet3"');
	const { stdout } = await vconv('validate', '--to', 'libvirt,kubevirt', '--to', 'azure', file);
	expect(stdout).toMatch(/^ +libvirt {2}kubevirt {2}azure$/m);
	expect(stdout).toMatch(/^Network card of another model +- +W +W$/m);
	expect(stdout.match(/\[vconv\.nic\.mac\.missing\]/g)).toHaveLength(1);
	expect(stdout).toMatch(/-> See whether something/);
	expect(stdout).toMatch(/^.*web\.vmx to azure: nothing blocks it: 0 critical, \d warnings, \d+ for information$/m);
});

describe('for programs', () => {
	test('SARIF has a rule for every result, and places that are references', async () => {
		const { file } = makeMachine('ethernet0.present = "TRUE"');
		const { stdout } = await vconv('validate', '--to', 'libvirt', '--output=sarif', '--accept', 'vconv.nic.mac.missing', file);
		expect(sarifErrors(stdout)).toEqual([]);
		const { runs } = JSON.parse(stdout);
		const [{ tool, results }] = runs;
		expect(results.length).toBeGreaterThan(1);
		for (const { ruleId, ruleIndex, level, message, locations } of results) {
			expect(tool.driver.rules[ruleIndex]).toMatchObject({ id: ruleId, shortDescription: { text: expect.any(String) } });
			expect(['error', 'warning', 'note']).toContain(level);
			expect(message.text).not.toBe('');
			expect(new URL(locations[0].physicalLocation.artifactLocation.uri, 'file:///').pathname).toContain('web.vmx');
		}
		expect(results.filter((result: { suppressions?: unknown }) => result.suppressions)).toMatchObject([
			{ ruleId: 'vconv.nic.mac.missing' },
		]);
	});

	test('SARIF has a result for what could not be looked at', async () => {
		const { folder } = makeMachine();
		write(folder, 'broken.xml', '<domain>');
		const { code, stdout } = await vconv('validate', '--to', 'libvirt', '--output=sarif', folder);
		expect({ code, errors: sarifErrors(stdout) }).toEqual({ code: 7, errors: [] });
		const { runs } = JSON.parse(stdout);
		const unread = runs[0].results.filter(({ ruleId }: { ruleId: string }) => ruleId === 'vconv.unread');
		expect(unread).toMatchObject([{ level: 'error', message: { text: expect.stringContaining('could not be looked at') } }]);
		expect(JSON.stringify(unread)).toContain('broken.xml');
	});

	test.each(['human', 'json', 'sarif', 'junit', 'html'])(
		'%s names everything that could not be looked at where nothing could',
		async (form) => {
			const { folder } = makeMachine();
			const broken = ['one.xml', 'two.xml'].map((name) => write(folder, name, '<domain>'));
			const { code, stdout, stderr } = await vconv('validate', '--to', 'libvirt', `--output=${form}`, ...broken);
			expect({ code, stderr }).toEqual({ code: 4, stderr: expect.stringContaining('one.xml') });
			expect(stdout).toContain('one.xml');
			expect(stdout).toContain('two.xml');
		},
	);

	test('JUnit is XML with a case for each concern', async () => {
		const { file } = makeMachine('scsi0:1.present = "TRUE"', 'scsi0:1.fileName = "gone.vmdk"');
		const { code, stdout } = await vconv('validate', '--to', 'libvirt', '--output=junit', file);
		expect(code).toBe(7);
		const root = parseXml(new TextEncoder().encode(stdout), 'report.xml');
		expect(Object.fromEntries(root.attributes)).toMatchObject({ failures: '2', errors: '0', skipped: '0' });
		expect(root.children[0]?.children.map((test) => test.attributes.get('name'))).toContain('vmware.datastore.missing');
	});

	test('a move that is blocked is an error in JSON too', async () => {
		const { file } = makeMachine('scsi0:1.present = "TRUE"', 'scsi0:1.fileName = "gone.vmdk"');
		const { stderr } = await vconv('validate', '--to', 'libvirt', '--json', file);
		expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'BLOCKED', message: 'Disk image not found', exitCode: 7 } });
	});
});

test('all rules are listed, and no two have one id', async () => {
	const { code, stdout } = await vconv('validate', '--list');
	expect(code).toBe(0);
	expect(
		new Set(
			stdout
				.trimEnd()
				.split('\n')
				.map((line) => line.split(' ')[0]),
		).size,
	).toBe(rules.length);
});

test('rules are listed for targets, as text or JSON', async () => {
	const listed = async (...argv: string[]) =>
		JSON.parse((await vconv('validate', '--list', '--json', ...argv)).stdout).map(({ id }: { id: string }) => id);
	expect(await listed('--to', 'libvirt')).toContain('vconv.host.tpm');
	const azure = await listed('--to', 'azure');
	expect(azure).not.toContain('vconv.host.tpm');
	expect(azure).toContain('vconv.host.space');
	expect((await vconv('validate', '--list', '--output=sarif')).code).toBe(2);
});
