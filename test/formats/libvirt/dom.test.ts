import { expect, test } from 'vitest';
import { dom } from '../../../formats/libvirt/dom.ts';
import { libvirt } from '../../../formats/libvirt/index.ts';
import { parseXml } from '../../../src/bytes/xml.ts';
import { CorruptError, UnsupportedError } from '../../../src/errors.ts';
import { domainWith, richDomain } from '../../machine/samples.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (text: string) => libvirt.parse(encode(text), 'a.xml');

test('what was not read is known by its path', () => {
	const root = dom(parseXml(encode("<a x='1' y='2'>t<b/><b z='3'>u</b><c><d/></c></a>"), 'a.xml'));
	root.attribute('x');
	root.child('b');
	expect(root.rest()).toEqual([
		{ path: '@y', value: '2' },
		{ path: '', value: 't' },
		{ path: 'b[2]/@z', value: '3' },
		{ path: 'b[2]', value: 'u' },
		{ path: 'c/d', value: '' },
	]);
	root.text();
	for (const b of root.children('b')) b.text();
	root.child('c')?.child('d');
	expect(root.rest().map(({ path }) => path)).toEqual(['@y', 'b[2]/@z']);
});

test('a domain is known by its root, whatever is before it', () => {
	const probe = (text: string) => libvirt.probe(encode(text));
	expect(probe(richDomain)).toBe(true);
	expect(probe('\ufeff<?xml version="1.0"?>\n<!-- a - b -->\n<domain/>')).toBe(true);
	expect(probe('<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<domain type="kvm">')).toBe(true);
	for (const other of ['<domainsnapshot/>', '<network/>', 'config.version = "8"', '', 'x<domain/>', `<!DOCTYPE${' '.repeat(60_000)}`]) {
		expect(probe(other), other.slice(0, 20)).toBe(false);
	}
});

test('parts that the model has no place for are kept with what they mean', () => {
	const { extras } = read(richDomain).spec;
	const code = (key: string) => extras.find((extra) => extra.key === key)?.code;
	expect(code('title')).toBe('TITLE_DROPPED');
	expect(code('os/boot/@dev')).toBe('BOOT_OPTION_LOST');
	expect(code('features/acpi')).toBe('FEATURE_PARTIAL');
	expect(code('devices/disk[2]/serial')).toBe('DISK_SERIAL_LOST');
	expect(code('devices/interface[1]/link/@state')).toBe('NIC_OPTION_LOST');
	expect(code('devices/sound/@model')).toBe('DEVICE_DROPPED');
	expect(code('devices/novelty/@kind')).toBe('XML_UNKNOWN_PARTS');
	expect(code('devices/novelty/part')).toBe('XML_UNKNOWN_PARTS');
	expect(extras.some(({ key }) => key.startsWith('devices/console'))).toBe(false);
});

test('a console that is no copy of the first serial port is kept', () => {
	const { extras } = read(domainWith("<serial type='pty'/><console type='file'><source path='/x'/></console>")).spec;
	expect(extras.map(({ key }) => key)).toContain('devices/console/source/@path');
});

test.for([
	['1 KB', '<memory unit="KB">1</memory>', 1000],
	['2 KiB', '<memory>2</memory>', 2048],
	['3 MiB', '<memory unit="m">3</memory>', 3 << 20],
	['4 GiB', '<memory unit="GiB">4</memory>', 4 * 2 ** 30],
	['5 bytes', '<memory unit="bytes">5</memory>', 5],
	['NUMA cells alone', '<cpu><numa><cell memory="2" unit="GiB"/><cell memory="1048576"/></numa></cpu>', 3 * 2 ** 30],
	['NUMA cells, and said', '<memory unit="GiB">4</memory><cpu><numa><cell memory="2" unit="GiB"/></numa></cpu>', 4 * 2 ** 30],
] as const)('memory of %s', ([, element, size]) => {
	expect(read(domainWith().replace('<memory>4096</memory>', element)).spec.memory.size).toBe(size);
});

test('lists of host CPUs have ranges and exceptions', () => {
	const text = domainWith('', "<vcpu cpuset='0-4,^2,8'>1</vcpu>");
	expect(read(text).spec.cpu.affinity).toEqual([0, 1, 3, 4, 8]);
});

test.for([
	['<memory>-1</memory>', CorruptError],
	['<memory unit="furlong">1</memory>', CorruptError],
	['<memory>99999999999999999</memory>', CorruptError],
	['<memory>0</memory>', CorruptError],
	['<vcpu>1</vcpu>', CorruptError],
	['<cpu><numa><cell memory="x"/></numa></cpu>', CorruptError],
	['<vcpu>0</vcpu><memory>4096</memory>', CorruptError],
	['<vcpu cpuset="0-99999">1</vcpu><memory>4096</memory>', CorruptError],
	['<uuid>none</uuid><memory>4096</memory>', CorruptError],
	['<os><type>exe</type></os><memory>4096</memory>', UnsupportedError],
] as const)('%s is refused', ([part, error]) => {
	expect(() => read(`<domain type='kvm'><name>x</name>${part}</domain>`)).toThrow(error);
});

test('a domain with more in it than any machine has is refused before it is read, and what others keep in its metadata is no matter', () => {
	const many = '<a/>'.repeat(20_000);
	expect(() => read(domainWith(many))).toThrow(/elements without its metadata, over 20000/);
	expect(read(domainWith('', `<metadata>${many}</metadata>`)).spec.memory.size).toBeDefined();
});
