import { expect, test } from 'vitest';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { fileTree } from '../../src/guest/tree.ts';
import { fileSystemOf } from './make-tree.ts';

const root = fileSystemOf({
	etc: { hostname: 'web\n', 'os-release': '-> ../usr/lib/os-release', up: '-> ../../../etc/hostname' },
	usr: { lib: { 'os-release': 'ID=debian\n' }, bin: {} },
	bin: '-> /usr/bin',
	boot: { hidden: 'under the mount' },
	loop: { a: '-> b', b: '-> /loop/a' },
	grows: '-> grows/x/grows/x',
	Big: 'x'.repeat(100),
});
const boot = fileSystemOf({ 'vmlinuz-6': 'kernel', efi: {}, back: '-> ../etc/hostname' });
const esp = fileSystemOf({ EFI: { BOOT: { 'BOOTX64.EFI': 'loader' } } }, { caseInsensitive: true });
const tree = fileTree(
	root,
	new Map([
		['/boot', boot],
		['/boot/efi', esp],
	]),
);

test.each([
	['/etc/hostname', 'web\n'],
	['etc//./hostname', 'web\n'],
	['/etc/os-release', 'ID=debian\n'],
	['/etc/up', 'web\n'],
	['/../../etc/hostname', 'web\n'],
	['/boot/vmlinuz-6', 'kernel'],
	['/boot/back', 'web\n'],
	['/boot/../etc/hostname', 'web\n'],
	['/boot/efi/efi/boot/bootx64.efi', 'loader'],
])('%s is found within the guest', async (path, text) => {
	expect(await tree.readText(path)).toBe(text);
	expect(await tree.isFile(path)).toBe(true);
});

test.each(['/boot/hidden', '/etc/nothing', '/etc/hostname/x', '/ETC/hostname', '/usr'])('%s is no file', async (path) => {
	expect(await tree.readFile(path)).toBeUndefined();
});

test('folders are listed, links to them too, and nothing else', async () => {
	expect(await tree.readdir('/boot')).toEqual(['vmlinuz-6', 'efi', 'back']);
	expect(await tree.readdir('/bin')).toEqual([]);
	expect(await tree.isDirectory('/bin')).toBe(true);
	expect(await tree.readdir('/etc/hostname')).toEqual([]);
});

test('a link at the end is followed unless it is asked for itself', async () => {
	expect(await tree.readlink('/bin')).toBe('/usr/bin');
	expect((await tree.stat('/bin', { follow: false }))?.node.kind).toBe('symlink');
	expect((await tree.stat('/bin/', { follow: true }))?.path).toBe('/usr/bin');
	expect(await tree.readlink('/etc/hostname')).toBeUndefined();
});

test('links that lead in a circle or grow without end are refused', async () => {
	await expect(tree.stat('/loop/a')).rejects.toThrow(CorruptError);
	await expect(tree.stat('/grows')).rejects.toThrow(/links lead|names/);
	await expect(tree.stat('x/'.repeat(1000))).rejects.toThrow(UnsupportedError);
});

test('no more of a file is read than is wanted', async () => {
	await expect(tree.readFile('/Big', 99)).rejects.toThrow(/has 100 bytes, and 99 are read/);
	expect(await tree.readFile('/Big', 100)).toHaveLength(100);
});
