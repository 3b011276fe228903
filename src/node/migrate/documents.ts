import path from 'node:path';
import { quoted } from '../../bytes/shell.ts';
import type { Concern } from '../../validate/rule.ts';
import { VERSION } from '../version.ts';
import type { MigrationPlan } from './plan.ts';
import type { PlannedDisk } from './planned-disk.ts';
import type { Done } from './state.ts';

/** What came of a migration: the contents of `report.json`. */
export type MigrationReport = {
	readonly tool: string;
	readonly source: string;
	readonly to: string;
	/** As the new machine is called. */
	readonly name: string;
	readonly folder: string;
	/** Names of files in it. */
	readonly description: string;
	/** Sums over the disks: what guests see, what of it was stored, and what that takes. In bytes. */
	readonly 'virtual-size': number;
	readonly 'data-size': number;
	readonly 'stored-size': number;
	/** Work on the disks, over all runs. */
	readonly seconds: number;
	readonly disks: readonly DiskReport[];
	/** Everything of the source that is not in the new machine, or in it in another way. */
	readonly losses: MigrationPlan['report'];
	/** What spoke against the move before it was made, and was no obstacle or accepted. */
	readonly concerns: readonly Concern[];
	readonly guest?: GuestSummary | undefined;
};

type DiskReport = {
	readonly id: string;
	/** The image and its parents, the top first. */
	readonly chain: readonly string[];
	readonly from: string;
	readonly files: readonly string[];
	readonly format: string;
	readonly 'virtual-size': number;
	readonly 'data-size': number;
	readonly 'stored-size': number;
	readonly seconds: number;
	/** How the copy was compared with what was read of its source. */
	readonly verified: 'full' | 'none';
	/** Where the new machine has it. */
	readonly bus?: string | undefined;
	readonly target?: string | undefined;
	readonly notes: PlannedDisk['notes'];
};

/** What decided the devices. */
type GuestSummary = {
	readonly name: string | undefined;
	readonly firmware: string;
	/** Which driver it has when it starts, and how that is known. */
	readonly drivers: NonNullable<MigrationPlan['guest']>['drivers'];
	readonly incomplete: NonNullable<MigrationPlan['guest']>['incomplete'];
};

/** The report of a migration whose disks are done. */
export const migrationReport = (plan: MigrationPlan, folder: string, done: readonly Done[]): MigrationReport => {
	const sum = (of: (one: Done) => number): number => done.reduce((total, one) => total + of(one), 0);
	return {
		tool: `vconv ${VERSION}`,
		source: plan.source,
		to: plan.to,
		name: plan.name,
		folder,
		description: plan.description,
		'virtual-size': plan.disks.reduce((total, { size }) => total + size, 0),
		'data-size': sum(({ data }) => data),
		'stored-size': sum(({ stored }) => stored),
		seconds: sum(({ seconds }) => seconds),
		disks: plan.disks.map((disk, index) => diskReport(disk, done[index] as Done)),
		losses: plan.report,
		concerns: plan.concerns,
		guest: guestSummary(plan),
	};
};

const diskReport = ({ device, chain, from, files, format, size, becomes, notes }: PlannedDisk, done: Done): DiskReport => ({
	id: device.id,
	chain,
	from,
	files,
	format,
	'virtual-size': size,
	'data-size': done.data,
	'stored-size': done.stored,
	seconds: done.seconds,
	verified: done.verified ? 'full' : 'none',
	bus: becomes?.bus,
	target: becomes?.target ?? becomes?.id,
	notes,
});

/** What an inspection found, as far as a machine is chosen by it. */
export const guestSummary = ({ guest }: Pick<MigrationPlan, 'guest'>): GuestSummary | undefined =>
	guest && {
		name: guest.os?.name,
		firmware: guest.firmware.type,
		drivers: guest.drivers,
		incomplete: guest.incomplete,
	};

const command = (...words: string[]): string => `    ${words.map(quoted).join(' ')}\n`;

/** The words of `README.txt`: what is there, and the commands that are next. */
export const readme = (plan: MigrationPlan, folder: string): string => {
	const count = (severity: string): number => plan.report.filter((entry) => entry.severity === severity).length;
	const losses = plan.report
		.filter(({ severity }) => severity === 'error')
		.map(({ subject, message, remedy }) => {
			return `  - ${oneLine(`${subject}: ${message}${remedy === undefined ? '' : ` (${remedy})`}`)}\n`;
		});
	const disks = plan.disks.map(({ device, files }) => `  ${files.join(', ')}: was ${device.id}\n`).join('');
	return `${oneLine(plan.name)}, for ${plan.to}, made by vconv ${VERSION}

  ${plan.description}: the machine
${disks}  report.json: what was lost or changed, and how the disks were copied

What is next:

${NEXT[plan.to](plan, path.resolve(folder))}
What changed is in report.json (errors: ${count('error')}, warnings: ${count('warning')}).${losses.length > 0 ? ' To be acted on before it starts:' : ''}
${losses.join('')}
Keep the source until the new machine has been seen to run, and never run both at the same time: they have the same addresses.
`;
};

const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, '?');

const NEXT = {
	libvirt(plan: MigrationPlan, folder: string): string {
		const there = plan.disks.map(({ becomes }) => (becomes?.media.type === 'file' ? path.posix.dirname(becomes.media.path) : folder));
		const elsewhere = there.find((one) => one !== folder);
		const images = plan.disks.flatMap(({ files }) => files.map((file) => path.join(folder, file)));
		const copy =
			elsewhere === undefined
				? ''
				: `The machine expects its disks in ${oneLine(elsewhere)} of its host, and the description is used there too:\n\n${command('rsync', '-avS', ...images, path.join(folder, plan.description), `HOST:${elsewhere}/`)}\n`;
		// Where it looks like an option it is taken for one.
		const name = plan.name.startsWith('-') ? `--domain=${plan.name}` : plan.name;
		return `${copy}${command('virsh', 'define', path.join(elsewhere ?? folder, plan.description))}${command('virsh', 'start', name)}`;
	},
	esxi(plan: MigrationPlan, folder: string): string {
		const there = `/vmfs/volumes/DATASTORE/${path.parse(plan.description).name}`;
		const files = [plan.description, ...plan.disks.flatMap(({ files: all }) => all)].map((file) => path.join(folder, file));
		const streams = plan.disks.filter(({ options }) => options['subformat'] === 'streamOptimized');
		const unpack = streams.flatMap(({ files: [name] }) => [
			command('mv', `${there}/${name}`, `${there}/up-${name}`),
			command('vmkfstools', '-d', 'thin', '-i', `${there}/up-${name}`, `${there}/${name}`),
			command('rm', `${there}/up-${name}`),
		]);
		const unpacking = unpack.length === 0 ? '' : `On the host, for a datastore holds no disk as it was sent:\n\n${unpack.join('')}\n`;
		return `Upload everything to a datastore (DATASTORE and HOST are yours), and register it:

${command('ssh', 'root@HOST', `mkdir ${quoted(there)}`)}${command('scp', ...files, `root@HOST:${there}/`)}
${unpacking}${command('ssh', 'root@HOST', `vim-cmd solo/registervm ${quoted(`${there}/${plan.description}`)}`)}`;
	},
	workstation(plan: MigrationPlan, folder: string): string {
		return `Open it, or:\n\n${command('vmrun', 'start', path.join(folder, plan.description))}`;
	},
} as const satisfies Record<MigrationPlan['to'], (plan: MigrationPlan, folder: string) => string>;
