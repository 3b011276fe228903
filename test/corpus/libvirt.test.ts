import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { machineFormats } from '../../formats/machines.ts';
import { UnsupportedError } from '../../src/errors.ts';
import type { FaithfulOptions } from '../../src/machine/faithful/context.ts';
import { parseMachine, planMachine, printMachine } from '../../src/machine/plan.ts';
import { saidByDomain } from '../machine/compare.ts';
import { corpus } from './corpus.ts';

/** A folder of the corpus; empty where it is not there, and its tests are skipped. */
const corpusFolder = (name: string): string => {
	const folder = path.join(corpus, name);
	return fs.existsSync(folder) ? folder : '';
};

/** The names of files with this ending in a folder, without it; one that stands for the skipped test where there is no folder. */
const corpusNames = (folder: string, ending: string): string[] => {
	if (folder === '') return ['none'];
	const names = fs.readdirSync(folder).filter((name) => name.endsWith(ending));
	return names.map((name) => name.slice(0, -ending.length)).sort();
};

const translate = (file: string, to: string, options: FaithfulOptions): string => {
	const machine = parseMachine(fs.readFileSync(file), file, machineFormats);
	return printMachine(planMachine(machine, { intent: 'faithful', to, ...options }), machineFormats);
};

/** What libvirt's own tests assume: hardware specification, section 14.2. */
const reading: FaithfulOptions = {
	profile: 'libvirt-11.3',
	vmxPath: '[datastore] directory/machine.vmx',
	exists: (file) => !/^\[missing\]|\] (directory\/)?missing/.test(file),
};

const hardwareOf = (name: string): number => {
	if (name.startsWith('serial-network-')) return 7;
	if (name === 'esx-in-the-wild-9') return 10;
	if (name.startsWith('ws-in-the-wild-')) return 8;
	return name === 'fusion-in-the-wild-1' ? 9 : 4;
};

const toXml = corpusFolder('config/libvirt-vmx2xml');
describe.skipIf(!toXml)(`VMX to domains as libvirt 11.3 does it${toXml ? '' : ' (no corpus: VCONV_CORPUS)'}`, () => {
	test.for(corpusNames(toXml, '.vmx'))('%s', (name) => {
		const file = path.join(toXml, `${name}.vmx`);
		const expected = path.join(toXml, `${name}.xml`);
		const options = { ...reading, ...(name === 'datacenterpath' && { datacenter: 'folder1/folder2/datacenter1' }) };
		if (!fs.existsSync(expected)) {
			expect(() => translate(file, 'libvirt', options)).toThrow(UnsupportedError);
			return;
		}
		expect(saidByDomain(translate(file, 'libvirt', options))).toEqual(saidByDomain(fs.readFileSync(expected)));
	});
});

const toVmx = corpusFolder('config/libvirt-xml2vmx');
describe.skipIf(!toVmx)(`domains to VMX as libvirt 11.3 does it${toVmx ? '' : ' (no corpus: VCONV_CORPUS)'}`, () => {
	test.for(corpusNames(toVmx, '.xml'))('%s', (name) => {
		const options = { profile: 'libvirt-11.3', hardwareVersion: hardwareOf(name.replace(/^xml2vmx-/, '')) };
		const expected = fs.readFileSync(path.join(toVmx, `${name}.vmx`), 'utf8');
		expect(translate(path.join(toVmx, `${name}.xml`), 'vmx', options)).toBe(expected);
	});
});

const live = corpusFolder('config/oracle-libvirt-12.8');
const sources: readonly (readonly [string, string])[] = [
	['', 'config/libvirt-vmx2xml'],
	['v2v--', 'config/virt-v2v'],
	['virtman--vmx_input__', 'config/virt-manager'],
];

/** The driver that was asked puts SCSI disks on narrow buses: other names, and two disks of one name. */
const NARROW = ['esx-in-the-wild-2', 'v2v--test-i-vmx-1'];

describe.skipIf(!live)(`VMX to domains as a live libvirt 12.8 does it${live ? '' : ' (no corpus: VCONV_CORPUS)'}`, () => {
	test.for(corpusNames(live, '.xml').filter((name) => !NARROW.includes(name)))('%s', (name) => {
		const [prefix, folder] = sources.findLast(([start]) => name.startsWith(start)) ?? ['', ''];
		const vmx = name.slice(prefix.length).replace(/^test(?=1|-nodisks)/, prefix.startsWith('virtman') ? 'vmx_input__test' : 'test');
		const file = path.join(corpusFolder(folder), `${vmx}.vmx`);
		const said = fs.readFileSync(path.join(live, `${name}.xml`), 'utf8').replace(/\s*<boot dev='hd'\/>/, '');
		const ours = translate(file, 'libvirt', { profile: 'libvirt-12.5' });
		// A live libvirt shows no passwords.
		expect(saidByDomain(ours.replace(/ passwd='[^']*'/, ''))).toEqual(saidByDomain(said));
	});
});
