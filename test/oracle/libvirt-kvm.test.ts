import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { corpus } from '../corpus/corpus.ts';
import { forSession, hasQemuDriver, openFolder, virsh } from '../helpers/embedded-libvirt.ts';
import { has, temporaryFolder } from '../helpers/programs.ts';
import { migrate } from '../machine/account.ts';
import { kinds } from '../machine/kinds.ts';

const valid = (file: string): string => {
	const ran = spawnSync('virt-xml-validate', [file, 'domain'], { encoding: 'utf8' });
	return ran.status === 0 ? '' : ran.stderr + ran.stdout;
};

describe.skipIf(!has('virt-xml-validate'))('every domain that is written is one by its schema', () => {
	test.for(kinds)('%s', ([name, text, options]) => {
		const file = path.join(temporaryFolder(), `${name}.xml`);
		fs.writeFileSync(file, migrate(text, options).xml);
		expect(valid(file)).toBe('');
	});

	const folders = process.env['VCONV_THOROUGH']
		? ['config/libvirt-vmx2xml', 'config/virt-v2v', 'config/virt-manager']
		: ['config/virt-v2v'];
	test.skipIf(!fs.existsSync(path.join(corpus, 'config')))('and so are those of the corpus', { timeout: 120_000 }, () => {
		for (const folder of folders) {
			for (const name of fs.readdirSync(path.join(corpus, folder)).filter((file) => file.endsWith('.vmx'))) {
				const file = path.join(temporaryFolder(), `${name}.xml`);
				fs.writeFileSync(file, migrate(fs.readFileSync(path.join(corpus, folder, name)), { discardSuspend: true, keepSource: true }).xml);
				expect(valid(file), name).toBe('');
			}
		}
	});
});

describe.skipIf(!hasQemuDriver())("libvirt's driver of QEMU takes every domain", () => {
	test('and defines it', { timeout: 60_000 }, () => {
		const root = openFolder();
		for (const [name, text, options] of kinds) {
			const xml = forSession(migrate(text, options).xml).replace(/<name>.*?<\/name>/, `<name>${name}</name>`);
			fs.writeFileSync(path.join(root, `${name}.xml`), xml.replace(/<uuid>.*?<\/uuid>/, ''));
		}
		const commands = kinds.map(([name]) => `define --validate ${name}.xml`);
		const ran = virsh(root, [], ['list --all --name', ...commands, 'list --all --name'].join('\n'));
		expect(ran.stderr).toBe('');
		for (const [name] of kinds) expect(ran.stdout.split('\n')).toContain(name);
	});
});
