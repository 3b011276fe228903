import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { machineFormats } from '../../formats/machines.ts';
import { UnsupportedError } from '../../src/errors.ts';
import { diffMachines } from '../../src/machine/diff.ts';
import { type MachinePlan, parseMachine, planMachine, printMachine } from '../../src/machine/plan.ts';
import { unaccountedParts } from '../machine/account.ts';
import { NOT_HARDWARE, thereAndBack } from '../machine/there-and-back.ts';
import { SPELLING } from '../machine/to-vmx-spelling.ts';
import { configFiles, corpusDomains } from './domains.ts';

const plan = (domain: string): MachinePlan =>
	planMachine(parseMachine(new TextEncoder().encode(domain), 'a.xml', machineFormats), { intent: 'migrate', to: 'vmx' });

const thorough = Boolean(process.env['VCONV_THOROUGH']);
const DOMAINS = corpusDomains(...(thorough ? ['oracle-libvirt-12.8'] : []))
	// What differs in the installation alone has the same devices.
	.filter(([name]) => thorough || !/\.xml 2$/.test(name));

describe.skipIf(DOMAINS.length === 0)('every part of a domain is in the VMX that it becomes, or in the report', () => {
	test.for(DOMAINS)('%s', ([, domain]) => {
		let planned: MachinePlan;
		try {
			planned = plan(domain);
		} catch (error) {
			// Another architecture, or no hardware at all.
			expect(error).toBeInstanceOf(UnsupportedError);
			return;
		}
		const { spec } = parseMachine(new TextEncoder().encode(printMachine(planned, machineFormats)), 'a.vmx', machineFormats);
		const source = parseMachine(new TextEncoder().encode(domain), 'a.xml', machineFormats).spec;
		const hardDisks = ({ disks }: typeof spec) => disks.filter(({ kind }) => kind === 'disk' || kind === 'lun').length;
		expect(hardDisks(spec)).toBe(hardDisks(source));
		const addresses = source.nics.map(({ mac }) => mac.address).filter((address) => !/^(00:00:00:00:00:00)?$/.test(address ?? ''));
		expect(spec.nics.map(({ mac }) => mac.address).filter(Boolean)).toEqual(addresses);
		expect(unaccountedParts(domain, plan).filter((part) => !SPELLING.test(part))).toEqual([]);
	});
});

const MACHINES = configFiles(['libvirt-vmx2xml', 'virt-v2v', 'virt-manager'], /\.vmx$/).map((file) => [path.basename(file), file] as const);

describe.skipIf(MACHINES.length === 0)('a VMX that goes to KVM and back has its hardware again', () => {
	test.for(MACHINES)('%s', ([, file]) => {
		const bytes = fs.readFileSync(file);
		const before = parseMachine(bytes, 'machine.vmx', machineFormats);
		const differences = diffMachines(before, thereAndBack(bytes)).filter(({ path: about }) => !NOT_HARDWARE.test(about));
		// What is written although it is what VMware takes anyway is no other hardware.
		expect(differences.filter(({ kind }) => kind !== 'extra')).toEqual([]);
	});
});
