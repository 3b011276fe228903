import fs from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { machineFormats } from '../../formats/machines.ts';
import { inspectedOnce } from '../../src/machine/migrate/guest-facts.ts';
import { gate } from '../../src/node/gate.ts';
import { inspectFiles } from '../../src/node/inspect.ts';
import { gatherFacts } from '../../src/node/validate/gather.ts';
import { validateFiles } from '../../src/node/validate/report.ts';
import { targetNamed } from '../../src/validate/validate.ts';
import { gptPieces } from '../guest/make-disk.ts';
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

// https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms, blockio
test('a disk has the sectors that its domain shows, by which its partition table is read', async () => {
	const folder = temporaryFolder();
	const image = path.join(folder, 'a.raw');
	const partition = { type: '0fc63daf-8483-4772-8e79-3d69d8477de4', guid: '11111111-1111-1111-1111-111111111111', first: 256, last: 511 };
	const bytes = Buffer.alloc(16 << 20);
	for (const [at, piece] of gptPieces(bytes.length, [partition], 4096)) bytes.set(Buffer.from(piece), at);
	fs.writeFileSync(image, bytes);
	const domain = (blockio: string): string => {
		const disk = `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${image}'/>${blockio}<target dev='vda' bus='virtio'/></disk>`;
		const file = path.join(folder, 'a.xml');
		fs.writeFileSync(
			file,
			`<domain type='kvm'><name>a</name><memory>65536</memory><os><type>hvm</type></os><devices>${disk}</devices></domain>`,
		);
		return file;
	};
	const options = { opening: { formats: diskFormats, gate: gate() }, machineFormats };
	const said = domain("<blockio logical_block_size='4096' physical_block_size='4096'/>");
	for (const guest of [(await gatherFacts([said], options)).guest, await inspectFiles([said], options)])
		expect(guest?.disks).toMatchObject([{ sectorSize: 4096, flags: [], partitions: [{ start: 1 << 20 }] }]);
	for (const file of [domain(''), domain("<blockio logical_block_size='512'/>")])
		expect((await inspectFiles([file], options)).disks).toMatchObject([{ sectorSize: 512, flags: ['gpt-sector-size-mismatch'] }]);
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
