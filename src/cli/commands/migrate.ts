import type { Options } from 'yargs';
import { parseLimits } from '../../convert/limits.ts';
import { BLOCKED, UsageError } from '../../errors.ts';
import { runMigration } from '../../node/migrate/migrate.ts';
import { DESTINATIONS, type Destination } from '../../node/migrate/options.ts';
import { planMigration } from '../../node/migrate/plan.ts';
import { freeSpace } from '../../node/target.ts';
import { refuseUnknownRules } from '../../validate/validate.ts';
import { type Arguments, command, operands } from '../command.ts';
import { parseFormatOptions } from '../format-options.ts';
import { inputOptions, isJson, noteWriter, pathMapOption, pathRules } from '../input.ts';
import { meaninglessOptions, migrateOptions, OTHER_FORM, toLibvirtOptions, toVmxOptions } from '../machine-options.ts';
import { madeText, planJson, planText } from '../migration-text.ts';
import { progressStyle, reporter } from '../progress.ts';
import { messageLine, toJson } from '../render.ts';
import { threadCount } from '../threads.ts';

const { format: _, ...reading } = inputOptions;
const { product: __, ...hardware } = migrateOptions;

const options = {
	to: { choices: Object.keys(DESTINATIONS) as Destination[], describe: 'where the machine goes' },
	'dry-run': { alias: 'n', type: 'boolean', describe: 'show what would be done, and write nothing' },
	name: { type: 'string', describe: 'what the machine is called there' },
	'output-format': { alias: 'O', type: 'string', describe: 'format of the disks: qcow2 or raw for libvirt' },
	option: { alias: 'o', type: 'string', array: true, describe: 'options of that format: name=value,…; subformat=streamOptimized for esxi' },
	compress: { alias: 'c', type: 'boolean', describe: 'store the disks compressed' },
	...hardware,
	images: { type: 'string', describe: "folder on libvirt's host where the disks will be; DIR where left out" },
	...pathMapOption,
	...reading,
	'force-share': { alias: 'U', type: 'boolean', describe: 'read disks though a machine may be writing to them' },
	'allow-running': { type: 'boolean', describe: 'go on though a lock says that the machine is running' },
	accept: {
		type: 'string',
		array: true,
		describe: 'a rule of vconv validate whose critical concerns do not stop the move, by its id (repeatable)',
	},
	inspect: {
		type: 'boolean',
		default: true,
		describe: 'choose devices and judge the guest by what is on the disks; --no-inspect looks at none of it',
	},
	verify: { choices: ['full', 'none'], default: 'full', describe: 'read every copy again and compare it with what was read of its source' },
	threads: { alias: 'm', type: 'string', describe: 'how many threads work' },
	force: { type: 'boolean', describe: 'replace files of the same names in DIR' },
	restart: { type: 'boolean', describe: 'begin anew, whatever an interrupted migration has left' },
	'skip-space-check': { type: 'boolean', describe: 'begin even if the disks may not fit' },
	p: { type: 'boolean', describe: 'show progress, on no terminal too' },
	progress: { choices: ['bar', 'json', 'none'], describe: 'how to show progress; a bar on a terminal where left out' },
} as const satisfies Record<string, Options>;

type MigrateArguments = Arguments<typeof options>;

/** `vconv migrate`: a machine for another hypervisor, description and disks. */
export const migrate = command({
	command: 'vconv migrate',
	operands: 'VM DIR',
	about: `Move a machine that is off to another hypervisor: VM is its .vmx, a folder with one, or a libvirt XML. DIR gets its description, its
disks with everything beneath them folded in, report.json with all that is lost or changed, and README.txt with the commands that are next.
A machine goes from VMware to libvirt, or from libvirt to VMware: no VMX is rewritten for another product of VMware's.
Nothing has its name before everything is there. The same command goes on with what was interrupted.`,
	options,
	examples: [
		['vconv migrate --to libvirt web/web.vmx /var/lib/libvirt/images/web', 'a domain of KVM, and qcow2 disks'],
		['vconv migrate --to libvirt -n web/ /tmp/web', 'what that would do'],
		['vconv migrate --to libvirt -O raw --images /srv/vms web.vmx out', 'raw disks, to be copied to another host'],
		['vconv migrate --to esxi --allow-external /var/lib/libvirt/images web.xml web', 'for a datastore of ESXi'],
	],
	check(args) {
		operands(args, 'VM', 'DIR');
		planOptions(args);
		threadCount(args.threads);
		if (args['dry-run']) throw new UsageError('--dry-run writes nothing, and a job has to', { hint: 'vconv batch --dry-run' });
	},
	async run(args, io) {
		const [vm, folder] = operands(args, 'VM', 'DIR');
		const asked = planOptions(args);
		const progress = await reporter(progressStyle(args, io), io);
		const note = noteWriter(args, { stderr: { write: progress.above } });
		const { form } = DESTINATIONS[asked.to];
		// A plan of many has options for all of its machines.
		for (const option of meaninglessOptions(args, form)) {
			note({ kind: 'dropped', what: `${option} has no effect`, why: `it is for ${OTHER_FORM[form]}` });
		}
		let kept: string | undefined;
		const wanted = {
			...asked,
			force: args.force,
			restart: args.restart,
			skipSpaceCheck: args['skip-space-check'],
			threads: threadCount(args.threads),
			signal: io.signal,
			onProgress: progress.report,
			onNote: note,
			onKept(left: string) {
				kept = left;
			},
		};
		const plan = await planMigration(vm, folder, wanted);
		if (args['dry-run']) {
			for (const disk of plan.disks) for (const met of disk.notes) note(met);
			io.stdout.write(isJson(args) ? `${toJson(planJson(plan, folder), 4)}\n` : planText(plan, folder, freeSpace(folder)));
			return plan.blocking.length > 0 ? BLOCKED : 0;
		}
		try {
			const made = await runMigration(plan, folder, wanted);
			progress.end();
			io.stdout.write(isJson(args) ? `${toJson(made, 4)}\n` : madeText(made, args.quiet ?? false));
			return 0;
		} catch (error) {
			progress.end();
			if (kept !== undefined && !args.quiet) {
				const message = `what is done is kept in ${kept}: the same command goes on with it, --restart begins anew`;
				io.stderr.write(messageLine(message, isJson(args)));
			}
			throw error;
		} finally {
			progress.end();
		}
	},
});

/** @throws UsageError where it makes no sense, whatever VM is. */
const planOptions = (args: MigrateArguments) => {
	const { to, accept } = args;
	if (to === undefined)
		throw new UsageError('--to is missing: where the machine goes', { hint: `--to ${Object.keys(DESTINATIONS).join(' or ')}` });
	refuseUnknownRules(accept);
	return {
		to,
		name: args.name,
		format: args['output-format'],
		options: parseFormatOptions(args.option),
		compress: args.compress,
		// Rules for networks are of two kinds, and only one of them is right.
		...(DESTINATIONS[to].form === 'vmx'
			? { vmware: toVmxOptions({ ...args, product: 'any' }) }
			: { kvm: toLibvirtOptions({ ...args, product: 'any' }) }),
		discardSuspend: args['discard-suspend'],
		allowRunning: args['allow-running'],
		forceShare: args['force-share'],
		allow: args['allow-external'],
		untrusted: args.untrusted,
		limits: parseLimits(args.limit),
		pathMap: pathRules(args['path-map']),
		accept,
		inspect: args.inspect,
		verify: args.verify === 'full',
	};
};
