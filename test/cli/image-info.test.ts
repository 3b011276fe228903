import { expect, test } from 'vitest';
import { imageInfo, infoText } from '../../src/cli/image-info.ts';
import type { Layer } from '../../src/convert/open.ts';

test('people are shown the first of very many bitmaps, and how many there are besides', () => {
	const bitmaps = Array.from({ length: 50_000 }, (_, index) => ({ flags: ['auto'], name: `${index}`, granularity: 65_536 }));
	const info = { format: 'qcow2', specific: { type: 'qcow2', data: { bitmaps } } };
	const told = imageInfo({ source: { name: 'disk.qcow2' }, disk: { size: 1, info } } as unknown as Layer, 1);
	const text = infoText(told);
	expect(text).toContain('        [99]:\n');
	expect(text).not.toContain('[100]');
	expect(text).toContain('… and 49900 more: --output=json has all\n');
	expect(told['format-specific']).toBe(info.specific);
});
