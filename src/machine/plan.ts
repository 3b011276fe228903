import { UnrecognizedError, UsageError } from '../errors.ts';
import type { FaithfulOptions } from './faithful/context.ts';
import { planForLibvirt } from './faithful/to-libvirt.ts';
import { planForVmx } from './faithful/to-vmx.ts';
import type { Machine, MachineFormat } from './format.ts';
import type { MigrateOptions } from './migrate/options.ts';
import { planForKvm } from './migrate/to-libvirt.ts';
import { planMigrationToVmx } from './migrate/to-vmx.ts';
import type { ToVmxOptions } from './migrate/to-vmx-context.ts';
import { refuseUnknownWords } from './migrate/words.ts';
import type { ReportEntry } from './report.ts';
import type { VmSpec } from './spec.ts';

/**
 * `faithful`: the same machine in the other form, as libvirt's VMware driver translates it. `migrate`: one that boots on the other
 * hypervisor, with other devices where it has to be.
 */
export type PlanRequest =
	| ({ readonly intent: 'faithful'; readonly to: string } & FaithfulOptions)
	| ({ readonly intent: 'migrate'; readonly to: 'libvirt' } & MigrateOptions)
	| ({ readonly intent: 'migrate'; readonly to: 'vmx' } & ToVmxOptions);

/** A machine as it will be written. */
export type MachinePlan = {
	/** The id of its format. */
	readonly format: string;
	readonly spec: VmSpec;
	/** Everything of the source that is not in it, or in it in another way. */
	readonly report: readonly ReportEntry[];
};

/**
 * What a description says, in whichever of these formats it is.
 * @param path what to call it in a message.
 * @throws UnrecognizedError if no format claims it, CorruptError, UnsupportedError.
 */
export const parseMachine = (bytes: Uint8Array, path: string, formats: readonly MachineFormat[]): Machine => {
	const format = formats.find((candidate) => candidate.probe(bytes));
	if (!format) {
		const names = formats.map(({ name }) => name).join(' or ');
		// With a zero among its first bytes, its characters have two each, if it is text.
		const recoding = bytes.subarray(0, 4).includes(0) ? ', which iconv -f UTF-16 -t UTF-8 may make of it' : '';
		throw new UnrecognizedError('it describes no machine that vconv knows', { path, hint: `a ${names}${recoding}` });
	}
	const machine = format.parse(bytes, path);
	const { origin } = machine.spec;
	const kept = origin && formats.find(({ id }) => id === origin.format)?.parseEntries?.(origin.entries, path);
	return kept ? { ...machine, origin: kept } : machine;
};

/**
 * Decide what becomes of a machine in another format.
 * @throws UsageError for what cannot be asked, UnsupportedError for what libvirt refuses, and for a machine that cannot move as it is.
 */
export const planMachine = (machine: Machine, request: PlanRequest): MachinePlan => {
	refuseUnknownWords(request);
	const { to } = request;
	if (request.intent === 'migrate') {
		if (machine.format === 'vmx' && request.to === 'libvirt') return { format: to, ...planForKvm(machine, request) };
		if (machine.format === 'libvirt' && request.to === 'vmx') return { format: to, ...planMigrationToVmx(machine, request) };
	} else {
		if (machine.format === 'vmx' && to === 'libvirt') return { format: to, ...planForLibvirt(machine, request) };
		if (machine.format === 'libvirt' && to === 'vmx') return { format: to, ...planForVmx(machine, request) };
	}
	throw new UsageError(`there is no translation of ${machine.format} to ${to}`, { hint: 'a VMX and a libvirt domain' });
};

/** The text of a planned machine. @throws UsageError for a plan of a format that is not among these. */
export const printMachine = ({ format: id, spec }: MachinePlan, formats: readonly MachineFormat[]): string => {
	const format = formats.find((candidate) => candidate.id === id);
	if (!format) throw new UsageError(`there is no format '${id}'`, { hint: `one of ${formats.map((known) => known.id).join(', ')}` });
	return format.print(spec);
};
