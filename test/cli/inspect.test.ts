import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { guestText } from '../../src/cli/guest-text.ts';
import type { GuestReport } from '../../src/guest/facts.ts';
import { gptPieces, mbrSector, type Piece, record } from '../guest/make-disk.ts';
import { vconv } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { guest } from '../validate/healthy.ts';

const MIB = 1 << 20;

const write = (folder: string, name: string, content: string | readonly Piece[], size = 8 * MIB): string => {
	const file = path.join(folder, name);
	if (typeof content === 'string') fs.writeFileSync(file, content);
	else {
		const open = fs.openSync(file, 'w');
		fs.ftruncateSync(open, size);
		for (const [at, bytes] of content) fs.writeSync(open, Buffer.from(bytes as string, 'latin1'), 0, bytes.length, at);
		fs.closeSync(open);
	}
	return file;
};

const ext4 = (at: number, label: string): readonly Piece[] => [
	[
		at + 1024,
		record(1024, [
			[4, 4, 100],
			[24, 4, 2],
			[56, 2, 0xef53],
			[58, 2, 3],
			[96, 4, 0x42],
		]),
	],
	[at + 1024 + 120, label],
];
const disk = (label: string): readonly Piece[] => [[0, mbrSector([{ type: 0x83, start: 2048, count: 2048 }])], ...ext4(MIB, label)];

test('people are told disk by disk, and what is no text is not printed as it is', async () => {
	const file = write(temporaryFolder(), 'disk.img', disk('\x1b[2Jroot'));
	const { code, stdout } = await vconv('inspect', file);
	expect(code).toBe(0);
	expect(stdout).toContain(`disk0: ${file}: 8 MiB, mbr, 1234abcd`);
	expect(stdout).toMatch(/ {2}p1 {2}1 MiB +linux: ext4, "\?\[2Jroot".*, not clean, errors/);
	expect(stdout).toMatch(/^not read: file system of disk0p1: /m);
	expect(stdout).toMatch(/\d+ ms, \d+ reads, /);
});

test('programs are told the same as JSON, with what it cost', async () => {
	const pieces = gptPieces(8 * MIB, [
		{ type: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b', guid: '11111111-2222-3333-4444-555555555555', first: 2048, last: 4095 },
	]);
	const { code, stdout } = await vconv('inspect', '--output=json', write(temporaryFolder(), 'disk.img', pieces));
	const report = JSON.parse(stdout) as GuestReport;
	expect(code).toBe(0);
	expect(report).toMatchObject({ schema: 'vconv.guest/1', firmware: { type: 'uefi' }, os: null, disks: [{ scheme: 'gpt' }] });
	expect(report.cost.bytes).toBeGreaterThan(0);
});

const vmx = (first: string): string => `.encoding = "UTF-8"
config.version = "8"
virtualHW.version = "13"
displayName = "web"
guestOS = "debian10-64"
memSize = "512"
scsi0.present = "TRUE"
scsi0.virtualDev = "pvscsi"
scsi0:0.present = "TRUE"
scsi0:0.fileName = "${first}"
scsi0:1.present = "TRUE"
scsi0:1.fileName = "second.vmdk"
ide1:0.present = "TRUE"
ide1:0.deviceType = "cdrom-image"
ide1:0.fileName = "tools.iso"
`;

test('a VMX is all its disks, and one that is missing is said to be', async () => {
	const folder = temporaryFolder();
	write(folder, 'first.raw', disk('first'));
	const converted = await vconv('convert', '-O', 'vmdk', path.join(folder, 'first.raw'), path.join(folder, 'second.vmdk'));
	expect(converted.code).toBe(0);
	const machine = write(folder, 'web.vmx', vmx('gone.vmdk'));
	const { code, stdout } = await vconv('inspect', '--json', machine);
	const report = JSON.parse(stdout) as GuestReport;
	expect(code).toBe(0);
	expect(report.disks.map(({ image }) => path.basename(image))).toEqual(['second.vmdk']);
	expect(report.volumes).toMatchObject([{ id: 'disk0p1', label: 'first' }]);
	expect(report.incomplete[0]).toMatchObject({ where: 'scsi0:0', what: 'disk', why: expect.stringContaining('gone.vmdk') });
});

test('disks of a description outside of its folder are not opened unless that is allowed', async () => {
	const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
	const image = write(elsewhere, 'disk.raw', disk('far'));
	const xml = `<domain type='kvm'><name>web</name><memory>524288</memory><os><type arch='x86_64'>hvm</type></os><devices>
		<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${image}'/><target dev='vda' bus='virtio'/></disk>
		<disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk></devices></domain>`;
	const machine = write(folder, 'web.xml', xml);
	const refused = JSON.parse((await vconv('inspect', '--json', machine)).stdout) as GuestReport;
	expect(refused).toMatchObject({ disks: [], incomplete: [{ what: 'disk', why: expect.stringContaining('outside its own folder') }] });
	const allowed = JSON.parse((await vconv('inspect', '--json', '--allow-external', elsewhere, machine)).stdout) as GuestReport;
	expect(allowed.volumes).toMatchObject([{ label: 'far' }]);
});

test.each([
	[2, []],
	[5, ['nowhere.qcow2']],
])('exit %d for %j', async (code, names) => {
	expect((await vconv('inspect', ...names)).code).toBe(code);
});

test('tools of which there are none have no line', () => {
	const text = guestText(guest({ software: { antivirus: [], qemuAgent: '7.2' } }));
	expect(text).toContain('qemuAgent: 7.2');
	expect(text).not.toContain('antivirus');
});
