import { expect, test, vi } from 'vitest';
import { dataRuns } from '../../src/node/holes.ts';

const SEEK_DATA = 3;

/** lseek(2) of a file that is cut off after each data was found. */
const seek = (_fd: number, offset: number, whence: number): number => (whence === SEEK_DATA ? offset : -1);

vi.mock('../../src/node/native.ts', () => ({ native: () => ({ load: () => ({ func: () => seek }) }) }));

test('a file that is cut off between two seeks is data to the end that it had', async () => {
	const runs = [];
	for await (const run of dataRuns(0, 4096, 8192)) runs.push(run);
	expect(runs).toEqual([{ offset: 4096, length: 8192 }]);
});
