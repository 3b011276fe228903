import type { Options } from 'yargs';
import { hexDigits } from '../../bytes/hex.ts';
import { flatHash } from '../../node/flat-hash.ts';
import { hashDisk } from '../../proof/hash.ts';
import { BLOCK } from '../../proof/leaves.ts';
import { TREE, treeRoot } from '../../proof/tree.ts';
import { command, operands } from '../command.ts';
import { isJson } from '../input.ts';
import { readingOptions, withReading } from '../reading.ts';
import { toJson } from '../render.ts';

const options = {
	...readingOptions,
	flat: { type: 'boolean', describe: 'sha256 of the whole disk too, as sha256sum says it of a raw image' },
} as const satisfies Record<string, Options>;

/** `vconv hash`: one number for what a guest sees, whatever the format. */
export const hash = command({
	command: 'vconv hash',
	operands: 'IMAGE',
	about: `The root of a tree of SHA-256 over what a guest sees of IMAGE, and its size: the same for the same disk in any format. Zeros that the
image knows of are not read, so that a sparse disk of any size is quick.`,
	options,
	examples: [
		['vconv hash web.vmdk', 'the same as of web.qcow2, if they are one disk'],
		['vconv hash --flat web.qcow2', 'to compare with sha256sum web.raw'],
	],
	async run(args, io) {
		const [name] = operands(args, 'IMAGE');
		const { size, root, flat } = await withReading(name, args, io, async (disk, hashing) => ({
			size: disk.size,
			root: hexDigits(await treeRoot(await hashDisk(disk, hashing), hashing.sha256)),
			flat: args.flat ? await flatHash(disk, hashing) : undefined,
		}));
		if (isJson(args)) {
			const tree = { algorithm: TREE, 'block-size': BLOCK, root };
			io.stdout.write(`${toJson({ filename: name, 'virtual-size': size, tree, sha256: flat }, 4)}\n`);
			return 0;
		}
		const lines = [[TREE, root], ...(flat === undefined ? [] : [['sha256', flat]]), ['virtual size', String(size)]];
		io.stdout.write(lines.map(([what = '', value]) => `${what.padEnd(TREE.length)}  ${value}\n`).join(''));
		return 0;
	},
});
