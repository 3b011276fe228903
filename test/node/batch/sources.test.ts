import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Note } from '../../../src/core/note.ts';
import { surroundings } from '../../../src/node/batch/sources.ts';
import { vconv } from '../../helpers/cli.ts';
import { has, run, temporaryFolder } from '../../helpers/programs.ts';

const folderWith = (files: Readonly<Record<string, string>>): string => {
	const folder = temporaryFolder();
	for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
	return folder;
};

const VMX = 'config.version = "8"\nvirtualHW.version = "13"\ndisplayName = "web"\n';

const MACHINES = ['db.xml', 'kvm.vmx', 'old.xml', 'web.vmx'];

test('of a folder the machines are those that vconv knows by their bytes; the others are told of', async () => {
	const folder = folderWith({
		'web.vmx': VMX,
		'db.xml': '<domain type="kvm"><name>db</name></domain>',
		'kvm.vmx': '<domain type="kvm"><name>kvm</name></domain>',
		'old.xml': VMX,
		'pom.xml': '<project/>',
		'old.ova': 'x',
	});
	const notes: Note[] = [];
	const { files } = surroundings(
		'/',
		() => undefined,
		(note) => notes.push(note),
	).find(folder, 'machine', []);
	expect(files.map((file) => path.basename(file))).toEqual(MACHINES);
	expect(notes).toMatchObject([{ path: folder, what: 'passed over: old.ova, pom.xml' }]);
	const { stdout, stderr } = await vconv('batch', '--dry-run', '--json', '--kind', 'validate', '--target', 'libvirt', folder);
	expect(JSON.parse(stdout).jobs.map(({ name }: { name: string }) => name)).toEqual(MACHINES);
	expect(JSON.parse(stderr)).toMatchObject({ note: { what: 'passed over: old.ova, pom.xml' } });
});

test('a folder in which nothing is passed over gives no note', () => {
	const folder = folderWith({ 'web.vmx': VMX, 'web.log': 'x', 'web.vmdk': 'x' });
	const note = (): void => expect.unreachable();
	expect(surroundings('/', () => undefined, note).find(folder, 'machine', []).files).toHaveLength(1);
	expect(surroundings('/', () => undefined, note).find(folder, 'disk', []).files).toEqual([path.join(folder, 'web.vmdk')]);
});

test.skipIf(!has('qemu-img'))(
	'of a folder the extents that a descriptor beside them names are passed over, and no image that is called like one',
	async () => {
		// As ESXi writes a snapshot, of which the descriptor is text and the delta has marks of its own.
		const snapshot = (extent: string): string => `# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=12345678\n${extent}\n`;
		const folder = folderWith({
			'esx-000001.vmdk': snapshot('RW 2048 VMFSSPARSE "esx-000001-delta.vmdk"'),
			'esx-000001-delta.vmdk': 'COWD',
			'esx-000002.vmdk': snapshot('RW 2048 SESPARSE "esx-000002-sesparse.vmdk"'),
			'esx-000002-sesparse.vmdk': '\xbe\xba\xfe\xca',
			'lost-s001.vmdk': 'KDMV',
		});
		const at = (name: string): string => path.join(folder, name);
		run('qemu-img', 'create', '-q', '-f', 'vmdk', '-o', 'subformat=twoGbMaxExtentSparse', at('web.vmdk'), '1M');
		run('qemu-img', 'create', '-q', '-f', 'vmdk', '-b', 'web.vmdk', '-F', 'vmdk', at('web-delta.vmdk'));
		expect(fs.existsSync(at('web-s001.vmdk'))).toBe(true);
		const { find } = surroundings(
			'/',
			() => undefined,
			() => {},
		);
		const images = ['esx-000001.vmdk', 'esx-000002.vmdk', 'lost-s001.vmdk', 'web-delta.vmdk', 'web.vmdk'];
		for (const name of [folder, at('*.vmdk')]) expect(find(name, 'disk', []).files.map((file) => path.basename(file))).toEqual(images);
		// The parent of an image is none of its own to a validation.
		const { stdout } = await vconv('validate', '--json', '--to', 'libvirt', folder);
		expect(JSON.parse(stdout).verdicts.map(({ subject }: { subject: string }) => path.basename(subject))).toEqual(images.slice(0, -1));
	},
);

test('a link out of the folder that is searched is refused unless that is allowed, whatever is searched for', () => {
	const outside = folderWith({ 'web.vmx': VMX, 'web.raw': 'x' });
	const folder = folderWith({ 'inner.raw': 'x' });
	for (const name of ['web.vmx', 'web.raw']) fs.symlinkSync(path.join(outside, name), path.join(folder, name));
	fs.symlinkSync('inner.raw', path.join(folder, 'alias.raw'));
	const { find } = surroundings(
		'/',
		() => undefined,
		() => {},
	);
	for (const [name, source] of [
		[folder, 'machine'],
		[folder, 'disk'],
		[`${folder}/*.raw`, 'disk'],
	] as const) {
		expect(find(name, source, []).failure?.message).toContain(`symbolic link, to ${fs.realpathSync(outside)}`);
		expect(find(name, source, ['--allow-external', outside])).not.toHaveProperty('failure');
		expect(find(name, source, ['--allow-external', outside, '--untrusted']).failure?.message).toContain('--untrusted follows none');
	}
	expect(find(`${folder}/a*.raw`, 'disk', []).files).toEqual([`${folder}/alias.raw`]);
});
