import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { CODES } from '../../src/machine/codes.ts';

const root = path.join(import.meta.dirname, '../..');

test('every code of the catalogue is used', () => {
	const sources = ['src/machine', 'src/machine/faithful', 'src/machine/migrate', 'formats/vmx', 'formats/libvirt']
		.flatMap((folder) => fs.readdirSync(path.join(root, folder)).map((name) => path.join(root, folder, name)))
		.filter((file) => file.endsWith('.ts') && !file.endsWith('codes.ts'))
		.map((file) => fs.readFileSync(file, 'utf8'))
		.join('\n');
	expect(Object.keys(CODES).filter((code) => !sources.includes(`'${code}'`))).toEqual([]);
});
