import fs from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { child, parseXml } from '../../src/bytes/xml.ts';
import { vconv } from '../helpers/cli.ts';
import { effort } from '../helpers/effort.ts';
import { kvmWith } from '../machine/kvm-sample.ts';
import { vmxWith } from '../machine/samples.ts';
import { scene } from './scene.ts';

beforeAll(async () => {
	await vconv('config', '--help');
	await vconv('convert', '--help');
});

const entities = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
const domain = (name: string): string => kvmWith().replace(/<name>.*<\/name>/, `<name>${name}</name>`);

describe('T43: XML is refused within two seconds that has', () => {
	test.for<[string, string | Buffer]>([
		['entities that grow', `<!DOCTYPE domain [<!ENTITY l0 "ha">${entities}]>${domain('&l9;')}`],
		['an external entity', `<!DOCTYPE domain [<!ENTITY x SYSTEM "file:///etc/passwd">]>${domain('&x;')}`],
		['a parameter entity', `<!DOCTYPE domain [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x.dtd"> %x;]>${domain('web')}`],
		['a DOCTYPE and nothing else', `<!DOCTYPE domain>${domain('web')}`],
		['an entity that nobody defines', domain('&lol;')],
		['200,000 elements within each other', domain('web').replace('<devices>', `<devices>${'<a>'.repeat(200_000)}`)],
		['an attribute of 10 MiB', domain('web').replace('<devices>', `<devices x="${'a'.repeat(10 << 20)}">`)],
		['an attribute of 100 KiB', domain('web').replace('<devices>', `<devices x="${'a'.repeat(100 << 10)}">`)],
		['200,000 elements', domain('web').replace('<devices>', `<devices>${'<a/>'.repeat(200_000)}`)],
		['UTF-16', Buffer.from(`\ufeff<?xml version="1.0" encoding="UTF-16"?>${domain('web')}`, 'utf16le')],
		['UTF-7, as it says', `<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE+AD4-${domain('web')}`],
		['bytes that are no UTF-8', Buffer.concat([Buffer.from(domain('web')), Buffer.from([0xc0, 0xaf])])],
	])('%s', async ([, text]) => {
		const { at, put } = scene();
		put('in.xml', text);
		const spent = effort();
		const ran = await vconv('config', at('vm', 'in.xml'), at('out.vmx'));
		expect(spent()).toBeLessThan(2000);
		expect([3, 4]).toContain(ran.code);
		expect(ran.stderr).not.toContain('root:');
		expect(fs.existsSync(at('out.vmx'))).toBe(false);
	});

	test('the same in a bundle of Parallels', async () => {
		const { put, refuses } = scene();
		put('DiskDescriptor.xml', `<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]><Parallels_disk_image>&x;</Parallels_disk_image>`);
		await refuses('DiskDescriptor.xml', '-f', 'parallels');
	});
});

/** What a shell, XML or a terminal would take for more than text. `|0A` and `|1B` are a line end and ESC in a VMX. */
const EVIL = [
	'$(id)',
	'`id`',
	"'; id; '",
	'"; id; "',
	'a && b | c > d',
	'</name><on_crash>x</on_crash><name>',
	']]>',
	'&amp;&lt;',
	'-rf',
	'a%0Ab',
];

describe('T44: text of a VMX is inert in the domain', () => {
	test.for(EVIL)('%s', async (evil) => {
		const { at, put } = scene();
		const escaped = evil.replaceAll('|', '|7C').replaceAll('"', '|22');
		const lines = [`displayName = "${escaped}"`, `annotation = "${escaped}"`, `guestinfo.x = "${escaped}"`, `unknown.key = "${escaped}"`];
		put('web.vmx', vmxWith(...lines).replace('displayName = "x"\n', ''));
		const ran = await vconv('config', at('vm', 'web.vmx'), at('web.xml'));
		expect(ran.code, ran.stderr).toBe(0);
		const root = parseXml(fs.readFileSync(at('web.xml')), 'web.xml');
		// A slash is no part of a domain's name, and becomes a dash.
		expect(child(root, 'name')?.text).toBe(evil.replaceAll('/', '-'));
		expect(root.children.filter(({ name }) => name === 'on_crash' || name === 'name')).toHaveLength(2);
		expect(root.children.some(({ name }) => name.includes('commandline'))).toBe(false);
	});

	test.for(['|1B[2J|1B]0;owned|07', 'a|0Ab', 'a|0D|0Ab', '|C2|9B31m', '|E2|80|AEcod'])(
		'%s, and nothing of it reaches a terminal',
		async (evil) => {
			const { at, put } = scene();
			put(
				'web.vmx',
				vmxWith(`displayName = "${evil}"`, `annotation = "${evil}"`, `unknown.key = "${evil}"`, `ethernet0.networkName = "${evil}"`),
			);
			for (const argv of [
				['config', at('vm', 'web.vmx'), at('web.xml')],
				['config', 'lint', at('vm', 'web.vmx')],
			]) {
				const { code, stdout, stderr } = await vconv(...argv);
				expect([0, 3, 7]).toContain(code);
				// biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that must not be there
				expect(stdout + stderr).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
			}
			// biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that must not be there
			if (fs.existsSync(at('web.xml'))) expect(fs.readFileSync(at('web.xml'), 'utf8')).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f]/);
		},
	);
});
