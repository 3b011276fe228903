import path from 'node:path';
import type { Options } from 'yargs';
import { machineFormats } from '../../../formats/machines.ts';
import { BLOCKED, UsageError } from '../../errors.ts';
import { profileNamed, profileNames } from '../../machine/faithful/profiles.ts';
import type { Machine, MachineFormat } from '../../machine/format.ts';
import { checkedVersion } from '../../machine/migrate/hardware-version.ts';
import { type PlanRequest, parseMachine, planMachine, printMachine } from '../../machine/plan.ts';
import { readDescriptionFile } from '../../node/description.ts';
import { refuseOverwriting } from '../../node/overwriting.ts';
import { refuseRunning, surroundings } from '../../node/vm-folder.ts';
import { writeWhole } from '../../node/write-whole.ts';
import { type Arguments, type Command, command, operands } from '../command.ts';
import { meaninglessOptions, migrateOptions, netMapFiles, OTHER_FORM, toLibvirtOptions, toVmxOptions } from '../machine-options.ts';
import { printReport, REPORT_FORMS } from '../machine-report.ts';
import { configDiff } from './config-diff.ts';
import { configLint } from './config-lint.ts';

const options = {
	intent: {
		choices: ['migrate', 'faithful'],
		default: 'migrate',
		describe: "a machine that boots on the other hypervisor, or the same one as libvirt's VMware driver translates it",
	},
	...migrateOptions,
	profile: { type: 'string', default: 'libvirt-11.3', describe: `which libvirt: ${profileNames.join(', ')}` },
	'vmx-path': { type: 'string', describe: "where the VMX lies, '[DATASTORE] DIR/NAME.vmx': file names become datastore paths" },
	datacenter: { type: 'string', describe: 'path of the datacenter that holds the machine' },
	'hw-version': { type: 'string', describe: 'virtual hardware version of a VMX that is written' },
	'allow-running': { type: 'boolean', describe: 'go on though a lock says that the machine is running' },
	report: { choices: REPORT_FORMS, default: 'text', describe: 'form of the report: everything that is lost or changed' },
	'report-file': { type: 'string', describe: 'write the report there, and not to standard output' },
	json: { type: 'boolean', describe: 'the same as --report=json; errors as JSON lines' },
	strict: { type: 'boolean', describe: 'exit with 7 if the report has an error; OUT is written all the same' },
	force: { type: 'boolean', describe: 'replace OUT if it exists' },
	quiet: { alias: 'q', type: 'boolean', describe: 'no report of what is merely worth knowing' },
} as const satisfies Record<string, Options>;

/** `vconv config`, `vconv config lint` and `vconv config diff`. */
export const config: Command = (argv, io) => {
	const [first, ...rest] = argv;
	if (first === 'lint') return configLint(rest, io);
	return first === 'diff' ? configDiff(rest, io) : translate(argv, io);
};

/** The description of a machine in another form, without its disks. */
const translate = command({
	command: 'vconv config',
	operands: 'IN OUT',
	about: `Write the description of a machine in the other form: a VMX as a libvirt domain, a libvirt domain as a VMX. What IN is shows in
its bytes. The disks stay where they are. What is lost or changed is printed.
vconv config lint IN and vconv config diff A B look, and write nothing.`,
	options,
	examples: [
		["vconv config --net-map 'name:VM Network=bridge=br0' web.vmx web.xml", 'a domain of KVM that boots'],
		['vconv config --product esxi web.xml web.vmx', 'a VMX that ESXi runs'],
		['vconv config --report sarif --report-file web.sarif web.vmx web.xml', 'for a code host'],
		["vconv config --intent faithful --vmx-path '[store] web/web.vmx' web.vmx web.xml", 'as virsh domxml-from-native'],
	],
	async run(args, io) {
		const [input, output] = operands(args, 'IN', 'OUT');
		// A mistyped one is told of, though only a faithful translation asks for it.
		profileNamed(args.profile);
		if (output === '-') throw new UsageError('a description is written to a file, and - is a pipe', { hint: 'a name for OUT' });
		const bytes = await readDescriptionFile(input);
		const reportFile = args['report-file'];
		refuseOverwriting(
			[{ name: output, role: 'OUT' }, ...(reportFile === undefined ? [] : [{ name: reportFile, role: '--report-file' }])],
			[{ name: input, role: 'IN' }, ...netMapFiles(args).map((name) => ({ name, role: '--net-map' }))],
		);
		const machine = parseMachine(bytes, input, machineFormats);
		const to = targetFormat(machine.format, output);
		const plan = planMachine(machine, await requestFor(args, machine, to.id));
		await writeWhole(output, printMachine(plan, machineFormats), { force: args.force });
		const about = {
			input,
			output,
			format: plan.format,
			intent: args.intent,
			profile: args.intent === 'faithful' ? args.profile : undefined,
		};
		const report = printReport(args.json ? 'json' : args.report, plan.report, about, args.quiet ?? false);
		if (reportFile === undefined) io.stdout.write(report);
		else await writeWhole(reportFile, report, { force: args.force });
		return args.strict && plan.report.some(({ severity }) => severity === 'error') ? BLOCKED : 0;
	},
});

const requestFor = async (args: Arguments<typeof options>, machine: Machine, to: string): Promise<PlanRequest> => {
	const version = hardwareVersion(args['hw-version']);
	if (args.intent === 'faithful') {
		const { profile, datacenter } = args;
		return { intent: 'faithful', to, profile, vmxPath: args['vmx-path'], datacenter, hardwareVersion: version };
	}
	const form = to === 'vmx' ? 'vmx' : 'libvirt';
	const [meaningless] = meaninglessOptions(args, form);
	if (meaningless !== undefined) {
		const written = form === 'vmx' ? 'the VMX' : 'the domain';
		const message = `${meaningless} is for ${OTHER_FORM[form]}, and ${written} that is written is none`;
		throw new UsageError(message, { hint: `the same without ${meaningless}` });
	}
	if (form === 'vmx')
		return { intent: 'migrate', to: form, ...toVmxOptions(args), ...(version !== undefined && { hardwareVersion: version }) };
	const { snapshotList, locks } = surroundings(machine.path);
	if (!args['allow-running']) refuseRunning(locks);
	const list = machineFormats.find(({ id }) => id === machine.format)?.listSnapshots;
	const listed = snapshotList === undefined ? [] : (list?.(await readDescriptionFile(snapshotList), snapshotList) ?? []);
	return { intent: 'migrate', to: 'libvirt', ...toLibvirtOptions(args), snapshots: listed.map(({ name }) => name) };
};

const hardwareVersion = (said: string | undefined): number | undefined => {
	if (said === undefined) return undefined;
	if (!/^\d{1,2}$/.test(said)) throw new UsageError(`'${said}' is no virtual hardware version`, { hint: '--hw-version 13' });
	return checkedVersion(Number(said));
};

/** The other form. @throws UsageError if OUT is called something that it will not be. */
const targetFormat = (from: string, output: string): MachineFormat => {
	const target = machineFormats.find(({ id }) => id !== from) as MachineFormat;
	const extension = path.extname(output).slice(1).toLowerCase();
	const named = machineFormats.find(({ extensions }) => extensions.includes(extension));
	if (named && named !== target) {
		throw new UsageError(`OUT is called .${extension} and would be a ${target.name}, as IN is a ${named.name}`, {
			path: output,
			hint: `a name ending in .${target.extensions[0]}`,
		});
	}
	return target;
};
