import fs from 'node:fs';
import { expect, test } from 'vitest';
import { errorText } from '../../src/cli/render.ts';
import { damaged } from '../../src/disk/read.ts';

test('the page on errors shows one as it is printed', () => {
	const cause = new Error('it yields more than 65536 bytes');
	const error = damaged('deflate', 'web.qcow2', 0x9f2c00, 0x1400000, cause);
	expect(fs.readFileSync('docs/errors.md', 'utf8')).toContain(`\n\`\`\`\n${errorText(error)}\`\`\`\n`);
});
