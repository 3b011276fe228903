import { expect, test } from 'vitest';
import { openHive } from '../../../src/guest/registry/hive.ts';
import type { Key } from '../../../src/guest/registry/keys.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { survivesDamage } from '../damage.ts';
import { makeHive, makeLog } from './make.ts';

const content = (Start: number) => ({
	ControlSet001: {
		Services: Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`service ${index}`, { Start, ImagePath: `driver ${index}` }])),
		texts: ['one', 'two'],
		big: new Uint8Array(40_000),
	},
});

/** Keys and values, as far as a thousand of them. */
const walk = async (root: Key): Promise<void> => {
	let left = 1000;
	const visit = async (key: Key): Promise<void> => {
		for (const value of await key.values()) if (left-- > 0) await value.data();
		for (const child of await key.keys()) if (left-- > 0) await visit(child);
		await key.key('Services\\service 3');
	};
	await visit(root);
};

test.for(['lf', 'lh', 'li', 'ri'] as const)('a damaged hive with lists of kind %s is read or refused, and soon', async (list) => {
	const hive = makeHive(content(1), { list });
	await survivesDamage(hive, async (bytes) => walk((await openHive(memorySource(bytes, 'SYSTEM'))).root), { runs: 100 });
});

test('a damaged log is applied or left alone, and soon', async () => {
	const [before, after] = [makeHive(content(1), { dirty: true }), makeHive(content(2), { dirty: true })];
	await survivesDamage(
		makeLog([before, after], 7),
		async (bytes) => {
			const hive = await openHive(memorySource(before, 'SYSTEM'), [memorySource(bytes, 'LOG1')]);
			const service = await hive.root.key('ControlSet001\\Services\\service 7');
			expect(await service?.number('Start')).toBe(hive.state === 'replayed' ? 2 : 1);
		},
		{ runs: 100 },
	);
});
