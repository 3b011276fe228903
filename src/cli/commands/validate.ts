import type { Options } from 'yargs';
import { machineFormats } from '../../../formats/machines.ts';
import { parseLimits } from '../../convert/limits.ts';
import { BLOCKED, UsageError, type VconvError } from '../../errors.ts';
import { DEVICE_POLICIES } from '../../machine/migrate/options.ts';
import { gate } from '../../node/gate.ts';
import { refuseOverwriting } from '../../node/overwriting.ts';
import { validateFiles } from '../../node/validate/report.ts';
import { writeWhole } from '../../node/write-whole.ts';
import { knownBy, printBaseline } from '../../validate/baseline.ts';
import { type CustomRules, readCustomRules } from '../../validate/custom.ts';
import { DOMCAPABILITIES, readDomainCapabilities } from '../../validate/domcaps.ts';
import { rules } from '../../validate/rules/index.ts';
import { targets } from '../../validate/targets.ts';
import { refuseUnknownRules, targetNamed } from '../../validate/validate.ts';
import { type Arguments, command } from '../command.ts';
import { inputOptions, openOptions, pathMapOption, pathRules } from '../input.ts';
import { errorJson } from '../render.ts';
import { readSmallFile, readSmallText } from '../small-file.ts';
import { blockedError, printValidation, rulesText, VALIDATION_FORMS } from '../validation-report.ts';

const { output: _, quiet: __, json: ___, 'force-share': ____, ...imageOptions } = inputOptions;

const options = {
	to: { type: 'string', array: true, describe: `where it is to go, several parted by commas: ${targets.map(({ id }) => id).join(', ')}` },
	devices: { choices: DEVICE_POLICIES, default: 'auto', describe: 'how the move chooses controllers and cards, as in vconv config' },
	dir: { type: 'string', describe: 'the folder that the disks are to go to: is there room?' },
	domcaps: { type: 'string', describe: `what ${DOMCAPABILITIES} prints on the host: will it run there?` },
	accept: { type: 'string', array: true, describe: 'a rule whose concerns are no matter, by its id, several parted by commas' },
	baseline: { type: 'string', describe: 'concerns that are known and do not count, as --write-baseline writes them' },
	'write-baseline': {
		type: 'string',
		describe: 'write all concerns that there are to this file; the exit code is 0 then, if all could be looked at',
	},
	rules: { type: 'string', describe: 'a file, YAML or JSON, with other categories for rules, and rules of your own' },
	strict: { type: 'boolean', describe: 'warnings count as critical concerns do' },
	list: { type: 'boolean', describe: 'print all rules, or those about --to, and look at nothing' },
	...imageOptions,
	...pathMapOption,
	'force-share': { alias: 'U', type: 'boolean', describe: 'read images that a running machine writes to without a word' },
	quiet: { alias: 'q', type: 'boolean', describe: 'nothing that is for information' },
	output: { choices: VALIDATION_FORMS, default: 'human', describe: 'form of the result' },
	json: { type: 'boolean', describe: 'the same as --output=json; errors and notes as JSON lines' },
	force: { type: 'boolean', describe: 'replace the baseline that is written' },
} as const satisfies Record<string, Options>;

/** `vconv validate`: what stands against a move, before anything is moved. */
export const validate = command({
	command: 'vconv validate',
	operands: 'VM|IMAGE|FOLDER… --to TARGET',
	about: `What would go wrong, and what would be lost, if a machine moved to a hypervisor or a cloud, and what to do about it. Nothing is run
and nothing is written. A .vmx or a libvirt XML is a machine with all its disks, several images are the disks of one machine, a folder is
all machines in it. Exits with 7 if a concern is critical.`,
	options,
	examples: [
		['vconv validate web.vmx --to libvirt', 'what stands against it'],
		['vconv validate web.vmx --to libvirt,azure,aws', 'one table for several'],
		['vconv validate /vmfs/volumes/store --to proxmox --output=html > report.html', 'all machines of a folder'],
		['vconv validate web.vmx --to libvirt --dir /var/lib/libvirt/images --domcaps domcaps.xml', 'will it run there?'],
	],
	check(args) {
		targetsOf(args.to);
		pathRules(args['path-map']);
		parseLimits(args.limit);
	},
	async run(args, io) {
		const custom = args.rules === undefined ? NO_CUSTOM : readRules(args.rules);
		const all = [...rules, ...custom.rules];
		const form = args.json ? 'json' : args.output;
		if (args.list) {
			if (form !== 'human' && form !== 'json')
				throw new UsageError(`--output=${form} is a form of reports, and --list makes none`, { hint: '--output=json' });
			const to = args.to === undefined ? undefined : targetsOf(args.to);
			const about = all.filter(({ targets }) => !to || !targets || to.some(({ id }) => targets.includes(id)));
			io.stdout.write(rulesText(about, custom.categories, form));
			return 0;
		}
		if (args.operands.length === 0) throw new UsageError('VM is missing', { hint: 'vconv validate --help' });
		const to = targetsOf(args.to);
		const accept = args.accept && partedByCommas(args.accept);
		refuseUnknownRules(accept, all);
		const opening = openOptions({ ...args, output: form === 'json' ? 'json' : 'human' }, io);
		const follow = gate({ allow: args['allow-external'], untrusted: args.untrusted, pathMap: pathRules(args['path-map']) });
		const read: string[] = [...args.operands, ...[args.rules, args.domcaps].filter((name) => name !== undefined)];
		const errors: VconvError[] = [];
		const report = await validateFiles(args.operands, to, {
			opening: {
				...opening,
				async gate(source, reference) {
					const found = await follow(source, reference);
					read.push(found.name);
					return found;
				},
			},
			machineFormats,
			rules: all,
			categories: custom.categories,
			choices: { devices: args.devices },
			folder: args.dir,
			capabilities: args.domcaps === undefined ? undefined : readCapabilities(args.domcaps),
			forceShare: args['force-share'],
			untrusted: args.untrusted,
			allow: args['allow-external'],
			onFailure: (error) => errors.push(error),
			accept,
			strict: args.strict,
			signal: io.signal,
			...(args.baseline !== undefined && { unknown: readBaseline(args.baseline) }),
		});
		const [error] = report.verdicts.length === 0 ? errors : [];
		if (error) {
			// For people and in JSON the error alone says as much as a report of one.
			if (errors.length > 1 || !(form === 'human' || form === 'json')) io.stdout.write(printValidation(form, report, false));
			throw error;
		}
		const baseline = args['write-baseline'];
		if (baseline !== undefined) {
			for (const { subject } of [...report.verdicts, ...report.failures]) read.push(subject);
			refuseOverwriting(
				[{ name: baseline, role: '--write-baseline' }],
				read.map((name) => ({ name, role: name })),
			);
		}
		io.stdout.write(printValidation(form, report, args.quiet ?? false));
		if (baseline !== undefined) {
			await writeWhole(baseline, printBaseline(report), { force: args.force });
			return report.failures.length > 0 ? BLOCKED : 0;
		}
		if (!report.verdicts.some(({ blocking }) => blocking)) return report.failures.length > 0 ? BLOCKED : 0;
		if (form === 'json') io.stderr.write(errorJson(blockedError(report)));
		return BLOCKED;
	},
});

const NO_CUSTOM: CustomRules = { rules: [], categories: new Map() };

const partedByCommas = (said: readonly string[]): readonly string[] => said.flatMap((each) => each.split(',')).filter((id) => id !== '');

const targetsOf = (said: Arguments<typeof options>['to']) => {
	const ids = partedByCommas(said ?? []);
	if (ids.length === 0) throw new UsageError('--to is missing', { hint: `--to ${targets.map(({ id }) => id).join(', --to ')}` });
	return [...new Set(ids.map((id) => targetNamed(id)))];
};

const readRules = (name: string): CustomRules =>
	readCustomRules(readSmallText(name, '--rules', '--rules with a file of rules, YAML or JSON'), name, rules);

const readCapabilities = (name: string) =>
	readDomainCapabilities(readSmallFile(name, '--domcaps', `--domcaps with what ${DOMCAPABILITIES} prints`), name);

const readBaseline = (name: string) => knownBy(readSmallText(name, '--baseline', '--baseline with what --write-baseline wrote'), name);
