import fs from 'node:fs';
import path from 'node:path';
import type { Category } from '../../src/validate/rule.ts';
import type { ValidationReport } from '../../src/validate/verdict.ts';
import { mbrSector } from '../guest/make-disk.ts';
import { vconv } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';

/** Write a file, and the folders that it is in. Gives its name. */
export const write = (folder: string, name: string, content: string | Uint8Array): string => {
	const file = path.join(folder, name);
	fs.mkdirSync(path.dirname(file), { recursive: true });
	fs.writeFileSync(file, content);
	return file;
};

/** A disk with a boot loader for BIOS, and one partition in which nothing is. */
export const emptyDisk = (folder: string, name: string, size = 8 << 20): string => {
	const boot = mbrSector([{ type: 0x83, start: 2048, count: size / 512 - 2048, active: true }]);
	boot.set(Buffer.from('\xeb\x63\x90GRUB \0', 'latin1'));
	const disk = write(folder, name, boot);
	fs.truncateSync(disk, size);
	return disk;
};

/** A description that nothing stands against, of one disk. @param more lines that it has too. */
export const vmx = (...more: string[]): string =>
	[
		'.encoding = "UTF-8"',
		'config.version = "8"',
		'virtualHW.version = "19"',
		'displayName = "web"',
		'guestOS = "debian12-64"',
		'uuid.bios = "56 4d 12 34 56 78 9a bc-de f0 12 34 56 78 9a bc"',
		'memsize = "512"',
		'ctkEnabled = "TRUE"',
		'scsi0.present = "TRUE"',
		'scsi0.virtualDev = "pvscsi"',
		'scsi0:0.present = "TRUE"',
		'scsi0:0.fileName = "web.raw"',
		...more,
		'',
	].join('\n');

/** A machine in a folder of its own, its disk empty. */
export const makeMachine = (...more: string[]): { readonly folder: string; readonly file: string } => {
	const folder = temporaryFolder();
	emptyDisk(folder, 'web.raw');
	return { folder, file: write(folder, 'web.vmx', vmx(...more)) };
};

/** What `vconv validate` says as JSON, and its exit code. @throws if it says nothing. */
export const validated = async (...argv: string[]): Promise<{ readonly code: number; readonly report: ValidationReport }> => {
	const { code, stdout, stderr } = await vconv('validate', '--json', ...argv);
	if (stdout === '') throw new Error(stderr);
	return { code, report: JSON.parse(stdout) as ValidationReport };
};

/** The rules of these categories that speak, for all machines. */
export const idsOf = ({ verdicts }: ValidationReport, ...categories: Category[]): readonly string[] =>
	verdicts.flatMap(({ concerns }) => concerns.filter(({ category }) => categories.includes(category)).map(({ id }) => id));
