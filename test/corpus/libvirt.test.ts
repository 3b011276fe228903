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

const hardwareOf = (expected: string): number => Number(/^virtualHW\.version = "(\d+)"/m.exec(expected)?.[1]);

/** Where libvirt's own tests say that the machine is, which no VMX says. */
const datacenterOf = (expected: string): string | undefined => /<vmware:datacenterpath>(.*?)</.exec(expected)?.[1];

const toXml = corpusFolder('config/libvirt-vmx2xml');
describe.skipIf(!toXml)(`VMX to domains as libvirt 11.3 does it${toXml ? '' : ' (no corpus: VCONV_CORPUS)'}`, () => {
	test.for(corpusNames(toXml, '.vmx'))('%s', (name) => {
		const file = path.join(toXml, `${name}.vmx`);
		const expected = path.join(toXml, `${name}.xml`);
		if (!fs.existsSync(expected)) {
			expect(() => translate(file, 'libvirt', reading)).toThrow(UnsupportedError);
			return;
		}
		const said = fs.readFileSync(expected, 'utf8');
		const options = { ...reading, datacenter: datacenterOf(said) };
		expect(saidByDomain(translate(file, 'libvirt', options))).toEqual(saidByDomain(said));
	});
});

const toVmx = corpusFolder('config/libvirt-xml2vmx');
describe.skipIf(!toVmx)(`domains to VMX as libvirt 11.3 does it${toVmx ? '' : ' (no corpus: VCONV_CORPUS)'}`, () => {
	test.for(corpusNames(toVmx, '.xml'))('%s', (name) => {
		const expected = fs.readFileSync(path.join(toVmx, `${name}.vmx`), 'utf8');
		const options = { profile: 'libvirt-11.3', hardwareVersion: hardwareOf(expected) };
		expect(translate(path.join(toVmx, `${name}.xml`), 'vmx', options)).toBe(expected);
	});
});

const live = corpusFolder('config/oracle-libvirt-12.8');
const sources: readonly (readonly [string, string])[] = [
	['', 'config/libvirt-vmx2xml'],
	['v2v--', 'config/virt-v2v'],
	['virtman--', 'config/virt-manager'],
];

/** The VMX that a live libvirt was asked about. */
const askedAbout = (name: string): string => {
	const [prefix, folder] = sources.findLast(([start]) => name.startsWith(start)) ?? ['', ''];
	return path.join(corpus, folder, `${name.slice(prefix.length)}.vmx`);
};

/** The driver that was asked puts SCSI disks on narrow buses: other names, and two disks of one name, from the eighth unit on. */
const fitsNarrowBus = (vmx: string): boolean => !/^scsi([1-3]:\d+|0:([89]|1\d))\.present/im.test(vmx);

const asked = corpusNames(live, '.xml').filter(
	(name) => !fs.existsSync(askedAbout(name)) || fitsNarrowBus(fs.readFileSync(askedAbout(name), 'latin1')),
);

describe.skipIf(!live)(`VMX to domains as a live libvirt 12.8 does it${live ? '' : ' (no corpus: VCONV_CORPUS)'}`, () => {
	test.for(asked)('%s', (name, { skip }) => {
		const file = askedAbout(name);
		if (!fs.existsSync(file)) skip('its VMX is not there, or has another name');
		const said = fs.readFileSync(path.join(live, `${name}.xml`), 'utf8').replace(/\s*<boot dev='hd'\/>/, '');
		const ours = translate(file, 'libvirt', { profile: 'libvirt-12.5' });
		// A live libvirt shows no passwords.
		expect(saidByDomain(ours.replace(/ passwd='[^']*'/, ''))).toEqual(saidByDomain(said));
	});
});
