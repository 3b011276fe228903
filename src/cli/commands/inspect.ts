import type { Options } from 'yargs';
import { machineFormats } from '../../../formats/machines.ts';
import { UsageError } from '../../errors.ts';
import { inspectFiles } from '../../node/inspect.ts';
import { command } from '../command.ts';
import { guestText } from '../guest-text.ts';
import { inputOptions, isJson, openOptions } from '../input.ts';
import { toJson } from '../render.ts';

/** `vconv inspect`: what is on the disks of a machine, read from outside. What it finds are facts: it judges nothing. */
export const inspect = command({
	command: 'vconv inspect',
	operands: 'IMAGE… | VM',
	about: `What a guest's disks hold: partition tables, file systems, volume groups, the operating system and what it boots with. Nothing
is run and nothing is written. Several images are the disks of one machine, in its order; a .vmx or a libvirt XML names them itself.
What could not be read is listed, and everything else still holds.`,
	options: inputOptions satisfies Record<string, Options>,
	examples: [
		['vconv inspect web.vmdk', 'for people'],
		['vconv inspect --output=json root.qcow2 data.qcow2', 'two disks of one machine, for a script: docs/inspect.schema.json'],
	],
	async run(args, io) {
		const { operands: names } = args;
		if (names.length === 0) throw new UsageError('IMAGE is missing', { hint: 'vconv inspect --help' });
		// Who holds the images is `inspectFiles`.
		const opening = openOptions({ ...args, 'force-share': true }, io);
		const report = await inspectFiles(names, { opening, machineFormats, forceShare: args['force-share'], signal: io.signal });
		io.stdout.write(isJson(args) ? `${toJson(report, 4)}\n` : guestText(report));
		return 0;
	},
});
