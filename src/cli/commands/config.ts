import path from 'node:path';
import type { Options } from 'yargs';
import { machineFormats } from '../../../formats/machines.ts';
import { UnsupportedError, UsageError } from '../../errors.ts';
import { profileNames } from '../../machine/faithful/profiles.ts';
import type { MachineFormat } from '../../machine/format.ts';
import { type MachinePlan, parseMachine, planMachine, printMachine } from '../../machine/plan.ts';
import { identityOf } from '../../node/file.ts';
import { createTarget } from '../../node/target.ts';
import { type Command, command, operands } from '../command.ts';
import { countReport, readDescription, reportText } from '../descriptions.ts';
import { toJson } from '../render.ts';
import { configDiff } from './config-diff.ts';
import { configLint } from './config-lint.ts';

const options = {
	intent: { type: 'string', describe: "faithful: the same machine, as libvirt's VMware driver translates it" },
	profile: { type: 'string', default: 'libvirt-11.3', describe: `which libvirt: ${profileNames.join(', ')}` },
	'vmx-path': { type: 'string', describe: "where the VMX lies, '[DATASTORE] DIR/NAME.vmx': file names become datastore paths" },
	datacenter: { type: 'string', describe: 'path of the datacenter that holds the machine' },
	'hw-version': { type: 'string', describe: 'virtual hardware version of a VMX that is written; 8 where left out' },
	report: { choices: ['text', 'json'], default: 'text', describe: 'form of the report: everything that is lost or changed' },
	json: { type: 'boolean', describe: 'the same as --report=json; errors as JSON lines' },
	strict: { type: 'boolean', describe: 'exit with 7 if the report has an error; OUT is written all the same' },
	force: { type: 'boolean', describe: 'replace OUT if it exists' },
	quiet: { alias: 'q', type: 'boolean', describe: 'no report of what is merely worth knowing' },
} as const satisfies Record<string, Options>;

/** The report has an error, and `--strict` is given: the code of blocking concerns. */
const BLOCKED = 7;

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
		["vconv config --intent faithful --vmx-path '[store] web/web.vmx' web.vmx web.xml", 'as virsh domxml-from-native'],
		['vconv config --intent faithful --hw-version 13 web.xml web.vmx', 'as virsh domxml-to-native'],
		['vconv config --intent faithful --report json web.vmx web.xml', 'for a script'],
	],
	async run(args, io) {
		const [input, output] = operands(args, 'IN', 'OUT');
		const intent = intentOf(args.intent);
		const { bytes, identity } = await readDescription(input);
		if (identityOf(output) === identity) throw new UsageError('IN and OUT are one file', { path: output, hint: 'another name for OUT' });
		const machine = parseMachine(bytes, input, machineFormats);
		const to = targetFormat(machine.format, output);
		const plan = planMachine(machine, {
			intent,
			to: to.id,
			profile: args.profile,
			vmxPath: args['vmx-path'],
			datacenter: args.datacenter,
			hardwareVersion: hardwareVersion(args['hw-version']),
		});
		await writeFile(output, printMachine(plan, machineFormats), args.force ?? false);
		io.stdout.write(args.json || args.report === 'json' ? asJson(input, output, args.profile, plan) : reportText(plan.report, args.quiet));
		return args.strict && plan.report.some(({ severity }) => severity === 'error') ? BLOCKED : 0;
	},
});

const intentOf = (said: string | undefined): 'faithful' => {
	if (said === 'faithful') return said;
	const hint = '--intent faithful, the same machine as libvirt translates it';
	if (said === 'migrate')
		throw new UnsupportedError('--intent migrate, a machine that boots on the other hypervisor, is not there yet', { hint });
	throw new UsageError(said === undefined ? '--intent is missing' : `there is no intent '${said}'`, { hint });
};

const hardwareVersion = (said: string | undefined): number | undefined => {
	if (said === undefined) return undefined;
	if (!/^\d{1,2}$/.test(said)) throw new UsageError(`'${said}' is no virtual hardware version`, { hint: '--hw-version 13' });
	return Number(said);
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

const writeFile = async (name: string, text: string, force: boolean): Promise<void> => {
	const target = await createTarget(name, { force });
	try {
		await target.main.write(0, new TextEncoder().encode(text));
		await target.commit();
	} catch (error) {
		await target.abandon();
		throw error;
	}
};

const asJson = (input: string, output: string, profile: string, { format, report }: MachinePlan): string => {
	return `${toJson({ input, output, format, intent: 'faithful', profile, counts: countReport(report), report }, 4)}\n`;
};
