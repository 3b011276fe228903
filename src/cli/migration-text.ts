import { humanSize } from '../bytes/size.ts';
import { clock } from '../bytes/time.ts';
import type { MigrationReport } from '../node/migrate/documents.ts';
import { guestSummary } from '../node/migrate/documents.ts';
import type { MigrationPlan } from '../node/migrate/plan.ts';
import type { PlannedDisk } from '../node/migrate/planned-disk.ts';
import { countReport, reportText } from './descriptions.ts';
import { plain } from './render.ts';

/** What a migration would do, for people. @param free bytes in the folder that it would go to. */
export const planText = (plan: MigrationPlan, folder: string, free: number | undefined): string => {
	const { source, name, to, disks, spec, seconds, report, guest } = plan;
	const bytes = disks.reduce((sum, disk) => sum + disk.bytes, 0);
	const system = guest ? (guest.os?.name ?? 'a system that vconv cannot read') : 'not looked at';
	const nics = spec.nics.map(({ index, model, mac, network }) => {
		const where = 'name' in network && network.name !== undefined ? `${network.type} ${network.name}` : network.type;
		return `  card ${index}  ${mac.address ?? 'a new address'}, ${model ?? 'the usual model'}, ${where}`;
	});
	const lines = [
		`${source} becomes ${name} for ${to}, in ${folder}`,
		`  system  ${system}${guest ? `, starts by ${guest.firmware.type}` : ''}`,
		`  machine  ${spec.platform.machine ?? `hardware version ${spec.platform.hardwareVersion}`}, ${spec.firmware.type ?? 'bios'}`,
		...disks.flatMap(diskLines),
		...nics,
		`  at most ${humanSize(bytes)}${free === undefined ? '' : ` of ${humanSize(free)} that are free`}, about ${clock(seconds)}`,
	];
	const concerns = plan.concerns.map((concern) => {
		const accepted = concern.category === 'Critical' && !plan.blocking.includes(concern) ? ', accepted' : '';
		const [seen] = concern.evidence;
		const advice = seen?.hint ?? concern.remedy;
		return `${concern.category}${accepted}: ${concern.label}: ${seen?.what ?? concern.assessment} (${advice}) [${concern.id}]`;
	});
	return `${[...lines, ...concerns].map(plain).join('\n')}\n${reportText(report, false)}`;
};

const diskLines = ({ device, chain, from, size, files, format, bytes, becomes }: PlannedDisk): string[] => [
	`  ${device.id}  ${chain.join(' over ')} (${from}, ${humanSize(size)})`,
	`    becomes ${files[0]} (${format}, at most ${humanSize(bytes)}), ${becomes?.target ?? becomes?.id ?? '?'} on ${becomes?.bus ?? '?'}`,
];

/** The same for a script. */
export const planJson = ({ source, name, to, description, disks, spec, report, seconds, ...plan }: MigrationPlan, folder: string) => ({
	source,
	name,
	to,
	folder,
	description,
	'virtual-size': disks.reduce((sum, { size }) => sum + size, 0),
	bytes: disks.reduce((sum, disk) => sum + disk.bytes, 0),
	seconds,
	disks: disks.map(({ device, chain, from, size, files, format, bytes, becomes, notes }) => ({
		id: device.id,
		chain,
		from,
		'virtual-size': size,
		files,
		format,
		bytes,
		bus: becomes?.bus,
		target: becomes?.target ?? becomes?.id,
		notes,
	})),
	nics: spec.nics.map(({ model, mac, network }) => ({ mac: mac.address, model, network })),
	machine: spec.platform.machine,
	firmware: spec.firmware.type ?? 'bios',
	counts: countReport(report),
	losses: report,
	concerns: plan.concerns,
	blocking: plan.blocking.map(({ id }) => id),
	guest: guestSummary(plan),
});

/** What came of a migration, for people. @param quiet only what has to be acted on. */
export const madeText = (report: MigrationReport, quiet: boolean): string => {
	const { name, to, folder, disks, losses, seconds } = report;
	const counts = countReport(losses);
	const compared = disks.every(({ verified }) => verified === 'full') ? ', each read back and compared' : '';
	const summary = `${name} for ${to} is in ${folder}: ${disks.length === 1 ? '1 disk' : `${disks.length} disks`}${compared}, ${humanSize(report['stored-size'])}, after ${clock(seconds)}`;
	const acted = losses.filter(({ severity }) => severity === 'error' || (!quiet && severity === 'warning'));
	const next = `${counts.info} more entries are in report.json; what is next is in README.txt`;
	return `${reportText(acted, quiet)}${quiet ? '' : `${plain(summary)}\n${next}\n`}`;
};
