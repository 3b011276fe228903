import fs from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { machineFormats } from '../../formats/machines.ts';
import { gate } from '../../src/node/gate.ts';
import { validateFiles } from '../../src/node/validate/report.ts';
import { targetNamed } from '../../src/validate/validate.ts';
import { temporaryFolder } from '../helpers/programs.ts';

test('machines that fit one by one, and not together, are told so', async () => {
	const folder = temporaryFolder();
	for (const name of ['a.raw', 'b.raw']) fs.writeFileSync(path.join(folder, name), Buffer.alloc(4 << 20, 1));
	const space = fs.statfsSync(folder);
	vi.spyOn(fs, 'statfsSync').mockReturnValue({ ...space, bsize: 4096, bavail: (6 << 20) / 4096 });
	const judged = async (name: string) => {
		const options = { opening: { formats: diskFormats, gate: gate() }, machineFormats, folder };
		const { verdicts } = await validateFiles([name], [targetNamed('libvirt')], options);
		return verdicts.map(({ concerns }) => concerns.some(({ id }) => id === 'vconv.host.space'));
	};
	expect(await judged(path.join(folder, 'a.raw'))).toEqual([false]);
	expect(await judged(folder)).toEqual([true, true]);
	vi.restoreAllMocks();
});
