import type { Options } from 'yargs';
import { contextFor, openLayer } from '../../convert/open.ts';
import type { CheckReport } from '../../core/format.ts';
import { UsageError } from '../../errors.ts';
import { command, operands } from '../command.ts';
import { inputOptions, isJson, openInput, openOptions, sourceCacheOption } from '../input.ts';
import { plain, toJson } from '../render.ts';

const options = {
	...inputOptions,
	repair: { alias: 'r', choices: ['leaks', 'all'], describe: 'refused: vconv never changes an image' },
	...sourceCacheOption,
} as const satisfies Record<string, Options>;

/** qemu-img's codes. */
const CORRUPT = 2;
const LEAKS = 3;
const NO_CHECK = 63;

/** `vconv check`: whether an image contradicts itself. Exits 0, 1, 2, 3, 63 as qemu-img check. */
export const check = command({
	command: 'vconv check',
	operands: 'IMAGE',
	about: `Whether an image contradicts itself, or holds space that nothing uses. The image is only read. Exits 0 if all is well,
1 if it could not be checked, 2 if it is corrupt, 3 if it only wastes space, 63 if there is nothing to check in its format.`,
	options,
	examples: [['vconv check --output=json web.qcow2', 'for a script']],
	async run(args, io) {
		const [name] = operands(args, 'IMAGE');
		if (args.repair) throw new UsageError('an image is never changed', { hint: `vconv ${name} OUT, which writes a sound one` });
		const source = await openInput(name, args, io);
		try {
			const opening = openOptions(args, io);
			const { format, disk } = await openLayer(source, opening);
			const report = await format.check?.(source, contextFor(source, opening));
			const { format: shown } = disk.info;
			await disk.close();
			if (!report) {
				if (isJson(args)) io.stdout.write(`${toJson({ filename: name, format: shown, 'check-errors': 0 }, 4)}\n`);
				else io.stderr.write(`vconv: there is nothing to check in a ${format.name}\n`);
				return NO_CHECK;
			}
			if (isJson(args)) io.stdout.write(`${toJson(asJson(name, shown, report), 4)}\n`);
			else io.stdout.write(asText(report, args.quiet === true));
			if (report.counts.error > 0) return CORRUPT;
			return report.counts.leak > 0 ? LEAKS : 0;
		} finally {
			await source.close();
		}
	},
});

const asJson = (filename: string, format: string, report: CheckReport) => ({
	'image-end-offset': report.imageEnd,
	'total-clusters': report.blocks?.total,
	'check-errors': 0,
	filename,
	format,
	'allocated-clusters': report.blocks?.allocated,
	'fragmented-clusters': report.blocks?.fragmented || undefined,
	'compressed-clusters': report.blocks?.compressed || undefined,
	corruptions: report.counts.error || undefined,
	leaks: report.counts.leak || undefined,
	findings: report.findings,
	'more-findings': report.more || undefined,
});

const LABELS = { error: 'ERROR', leak: 'Leaked', note: 'Note' } as const;

const asText = (report: CheckReport, quiet: boolean): string => {
	const lines = report.findings
		.filter(({ severity }) => !quiet || severity !== 'note')
		.map(
			({ severity, message, offset }) =>
				`${LABELS[severity]}: ${plain(message)}${offset === undefined ? '' : ` (at 0x${offset.toString(16)})`}`,
		);
	if (report.more > 0) lines.push(`${report.more} more findings are not listed.`);
	const { error: errors, leak: leaks } = report.counts;
	if (errors > 0) {
		lines.push('', `${errors} errors were found on the image.`, 'Data may be corrupted, or further writes to the image may corrupt it.');
	}
	if (leaks > 0) {
		lines.push('', `${leaks} leaked clusters were found on the image.`, 'This means waste of disk space, but no harm to data.');
	}
	if (!quiet) {
		if (errors + leaks === 0) lines.push('No errors were found on the image.');
		if (report.blocks) lines.push(shares(report.blocks));
		if (report.imageEnd !== undefined) lines.push(`Image end offset: ${report.imageEnd}`);
	}
	return lines.map((line) => `${line}\n`).join('');
};

const shares = ({ total, allocated, fragmented, compressed }: NonNullable<CheckReport['blocks']>): string => {
	const share = (part: number, whole: number) => `${((part / (whole || 1)) * 100).toFixed(2)}%`;
	return `${allocated}/${total} = ${share(allocated, total)} allocated, ${share(fragmented, allocated)} fragmented, ${share(compressed, allocated)} compressed clusters`;
};
