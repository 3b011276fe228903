import { randomBytes } from 'node:crypto';
import { diskFormats } from '../../formats/index.ts';
import { convertDisk } from '../convert/convert.ts';
import { formatNamed, formatOfName } from '../convert/detect.ts';
import { flatten, openChain } from '../convert/open.ts';
import { pakoCodec } from '../engine/pako.ts';
import { portableMover } from '../engine/portable.ts';
import { UsageError, VconvError } from '../errors.ts';
import { openFile } from '../node/file.ts';
import { gate } from '../node/gate.ts';
import { createTarget } from '../node/target.ts';

/** Run the command line; gives the exit code. */
export const run = async (argv: readonly string[]): Promise<number> => {
	try {
		const [input, output] = argv;
		if (!input || !output) throw new UsageError('vconv IN OUT');
		const format = formatOfName(diskFormats, output) ?? formatNamed(diskFormats, 'raw');
		const layers = await openChain(await openFile(input), { formats: diskFormats, gate: gate() });
		const disk = flatten(layers);
		const target = await createTarget(output);
		await convertDisk({
			disk,
			target,
			format,
			mover: portableMover(pakoCodec),
			stamp: { now: new Date(), id: () => new Uint8Array(randomBytes(16)) },
		});
		return 0;
	} catch (error) {
		if (!(error instanceof VconvError)) throw error;
		process.stderr.write(
			`vconv: ${error.message}\n  at ${error.path} ${error.offset ?? ''} ${error.field ?? ''}\n  try ${error.hint ?? ''}\n`,
		);
		return error.exitCode;
	}
};
