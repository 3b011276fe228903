import path from 'node:path';
import type { Options } from 'yargs';
import { humanSize } from '../../bytes/size.ts';
import { UsageError } from '../../errors.ts';
import { cleanFolder } from '../../node/clean.ts';
import type { Leftover } from '../../node/leftover.ts';
import { command, operands } from '../command.ts';
import { inputOptions, isJson } from '../input.ts';
import { plain, toJson } from '../render.ts';

const { quiet, output, json } = inputOptions;

const options = {
	'older-than': { type: 'string', describe: 'only what was not written to for as long: 7d, 12h, 30m' },
	'dry-run': { type: 'boolean', describe: 'say what would go, and remove nothing' },
	quiet,
	output,
	json,
} as const satisfies Record<string, Options>;

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `vconv clean`: away with what nobody will take up again. */
export const clean = command({
	command: 'vconv clean',
	operands: 'DIR',
	about: `Remove what interrupted conversions have left in a folder: partial files with a journal of vconv's beside them, and what --spool had there
when its run was killed. What a run is at work on stays, and so does everything else.`,
	options,
	examples: [
		['vconv clean --dry-run /var/lib/libvirt/images', 'what would go'],
		['vconv clean --older-than 7d /var/lib/libvirt/images', 'from cron'],
	],
	async run(args, io) {
		const [folder] = operands(args, 'DIR');
		const before = args['older-than'] === undefined ? undefined : new Date(Date.now() - milliseconds(args['older-than']));
		const dryRun = args['dry-run'] ?? false;
		const found = await cleanFolder(folder, { before, dryRun });
		if (isJson(args)) io.stdout.write(`${toJson({ folder, 'dry-run': dryRun, files: found.map(fieldsOf) }, 4)}\n`);
		else if (!args.quiet) io.stdout.write(found.map((leftover) => line(leftover, dryRun)).join(''));
		return 0;
	},
});

const milliseconds = (said: string): number => {
	const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(said) ?? [];
	if (count === undefined) throw new UsageError(`--older-than ${said} is not a time`, { hint: '--older-than 7d, or 12h, 30m, 90s' });
	return Number(count) * (UNITS[unit] ?? 0);
};

const fieldsOf = ({ name, size, modified, state }: Leftover) => ({ filename: name, 'actual-size': size, modified, state });

const line = ({ name, size, state }: Leftover, dryRun: boolean): string => {
	const said = { removed: dryRun ? 'would be removed' : 'removed', busy: 'stays: a run is at work on it', young: 'stays: it is too young' };
	return `${plain(path.basename(name))}  ${humanSize(size)}  ${said[state]}\n`;
};
