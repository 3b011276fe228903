import fs from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { machineFormats } from '../../formats/machines.ts';
import { inspectedOnce } from '../../src/machine/migrate/guest-facts.ts';
import { gate } from '../../src/node/gate.ts';
import { gatherFacts } from '../../src/node/validate/gather.ts';
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

test('an image that a machine names many times is looked at once, and each of its disks is judged', async () => {
	const folder = temporaryFolder();
	fs.writeFileSync(path.join(folder, 'a.raw'), Buffer.alloc(1 << 20, 1));
	fs.writeFileSync(path.join(folder, 'b.raw'), Buffer.alloc(1 << 20, 2));
	const disks = ['a.raw', 'a.raw', 'b.raw'].flatMap((name, unit) => [
		`scsi0:${unit}.present = "TRUE"`,
		`scsi0:${unit}.fileName = "${name}"`,
	]);
	fs.writeFileSync(path.join(folder, 'web.vmx'), ['displayName = "web"', 'scsi0.present = "TRUE"', ...disks].join('\n'));
	const opening = { formats: diskFormats, gate: gate() };
	const facts = await gatherFacts([path.join(folder, 'web.vmx')], { opening, machineFormats });
	expect(facts.disks.map(({ name, device, image }) => [name, device?.id, image?.size])).toEqual(
		['scsi0:0', 'scsi0:1', 'scsi0:2'].map((id) => [id, id, 1 << 20]),
	);
	expect(facts.guest?.disks.map(({ image }) => path.basename(image))).toEqual(['a.raw', 'b.raw']);
	// What an inspection says by a disk's number goes by the same order.
	expect(inspectedOnce(facts.disks, (disk) => disk.path).map(({ name }) => name)).toEqual(['scsi0:0', 'scsi0:2']);
});
