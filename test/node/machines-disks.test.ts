import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Job } from '../../src/batch/expand.ts';
import { survey } from '../../src/node/batch/survey.ts';
import { vconv } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const MiB = 1 << 20;

/** A VMX whose disk is a flat VMDK, called by a name of another host's. */
const machine = async (): Promise<string> => {
	const folder = temporaryFolder();
	const raw = rawFile(path.join(folder, 'raw'), 4 * MiB, [[MiB, MiB]]);
	expect(await vconv('-f', 'raw', '-o', 'subformat=monolithicFlat', raw, path.join(folder, 'web.vmdk'))).toMatchObject({ code: 0 });
	fs.rmSync(raw);
	const lines = ['displayName = "web"', 'guestOS = "debian12-64"', 'scsi0.present = "TRUE"', 'scsi0:0.present = "TRUE"'];
	const vmx = path.join(folder, 'web.vmx');
	fs.writeFileSync(vmx, [...lines, 'scsi0:0.fileName = "/vmfs/volumes/gone/web.vmdk"', ''].join('\n'));
	return vmx;
};

const job = (kind: string, from: string): Job => {
	const to = kind === 'migrate' ? path.join(path.dirname(from), 'out') : undefined;
	const argv = [kind, '--to', 'libvirt', from, ...(to ? [to] : [])];
	return { line: 1, column: 1, field: 'jobs[1]', id: 'x', kind, name: 'web', from, to, argv, values: new Map() };
};

test.each(['migrate', 'validate'])(
	'a batch knows all files that a job to %s a machine reads, and so a disk that has changed',
	async (kind) => {
		const vmx = await machine();
		const looked = await survey(job(kind, vmx));
		expect(looked.failure).toBeUndefined();
		expect(looked.files.map((file) => path.basename(file.path)).sort()).toEqual(['web-flat.vmdk', 'web.vmdk', 'web.vmx']);
		expect(looked.virtual).toBe(4 * MiB);
		expect(looked.needed > MiB).toBe(kind === 'migrate');
		fs.appendFileSync(path.join(path.dirname(vmx), 'web-flat.vmdk'), 'x');
		expect((await survey(job(kind, vmx))).files).not.toEqual(looked.files);
	},
);

test('a batch says before it begins that a disk of a machine is not there', async () => {
	const vmx = await machine();
	fs.rmSync(path.join(path.dirname(vmx), 'web.vmdk'));
	const { failure, files } = await survey(job('migrate', vmx));
	expect(failure?.message).toContain('is not there');
	expect(files.map((file) => path.basename(file.path))).toEqual(['web.vmx']);
});

test('inspect and validate find a disk beside its description, as migrate does', async () => {
	const vmx = await machine();
	const inspected = await vconv('inspect', '--json', vmx);
	expect(JSON.parse(inspected.stdout)).toMatchObject({ disks: [{ size: 4 * MiB }] });
	expect(inspected.stderr).toContain('and it has that name');
	const validated = await vconv('validate', vmx, '--to', 'libvirt');
	expect(validated.stdout).not.toContain('vmware.datastore.missing');
	expect(validated.stderr).toContain('and it has that name');
	// Nothing that a description names is opened where nothing is to be trusted.
	expect((await vconv('validate', vmx, '--to', 'libvirt', '--untrusted')).stdout).toContain('vconv.image.reference.refused');
});
