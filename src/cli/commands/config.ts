import path from 'node:path';
import type { Options } from 'yargs';
import { machineFormats } from '../../../formats/machines.ts';
import { UnsupportedError, UsageError } from '../../errors.ts';
import { profileNames } from '../../machine/faithful/profiles.ts';
import type { MachineFormat } from '../../machine/format.ts';
import { type MachinePlan, parseMachine, planMachine, printMachine } from '../../machine/plan.ts';
import type { ReportEntry } from '../../machine/report.ts';
import { identityOf, openFile } from '../../node/file.ts';
import { createTarget } from '../../node/target.ts';
import { type Arguments, command, operands } from '../command.ts';
import { plain, toJson } from '../render.ts';

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

/** No description is larger, in bytes. */
const MOST = 8 << 20;

/** The report has an error, and `--strict` is given: the code of blocking concerns. */
const BLOCKED = 7;

/** `vconv config`: the description of a machine in another form, without its disks. */
export const config = command({
	command: 'vconv config',
	operands: 'IN OUT',
	about: `Write the description of a machine in the other form: a VMX as a libvirt domain, a libvirt domain as a VMX. What IN is shows in
its bytes. The disks stay where they are. What is lost or changed is printed.`,
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
		io.stdout.write(args.json || args.report === 'json' ? asJson(input, output, args.profile, plan) : asText(plan, args));
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

const readDescription = async (name: string): Promise<{ readonly bytes: Uint8Array; readonly identity: string }> => {
	const source = await openFile(name);
	try {
		if (source.size > MOST) {
			const message = `it has ${source.size} bytes, and no description of a machine has over ${MOST}`;
			throw new UnsupportedError(message, { path: name, hint: 'vconv convert, if it is a disk' });
		}
		return { bytes: await source.read(0, source.size), identity: source.identity };
	} finally {
		await source.close();
	}
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
	const count = (severity: ReportEntry['severity']) => report.filter((entry) => entry.severity === severity).length;
	const counts = { error: count('error'), warning: count('warning'), info: count('info') };
	return `${toJson({ input, output, format, intent: 'faithful', profile, counts, report }, 4)}\n`;
};

const SEVERITIES = ['error', 'warning', 'info'] as const;

const asText = ({ report }: MachinePlan, { quiet }: Pick<Arguments<typeof options>, 'quiet'>): string =>
	report
		.filter(({ severity }) => !quiet || severity !== 'info')
		.toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))
		.map(({ severity, subject, message, remedy, code }) => {
			const hint = remedy ? ` (${remedy})` : '';
			return `${severity.padEnd(8)}${plain(subject)}: ${plain(message)}${hint} [${code}]\n`;
		})
		.join('');
