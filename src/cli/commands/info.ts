import type { Options } from 'yargs';
import { type Layer, openChain, openLayer } from '../../convert/open.ts';
import type { Source } from '../../core/source.ts';
import { diskUsage } from '../../node/usage.ts';
import { command, operands } from '../command.ts';
import { imageInfo, infoText } from '../image-info.ts';
import { inputOptions, isJson, openInput, openOptions } from '../input.ts';
import { toJson } from '../render.ts';

const options = {
	...inputOptions,
	'backing-chain': { type: 'boolean', describe: 'the parents too, from the top down' },
} as const satisfies Record<string, Options>;

/** `vconv info`: what an image is, as qemu-img info says it. */
export const info = command({
	command: 'vconv info',
	operands: 'IMAGE',
	about: 'What an image is, how large its disk is, and what it names. Parents are named, and opened only with --backing-chain.',
	options,
	examples: [['vconv info --output=json --backing-chain web.qcow2', 'for a script']],
	async run(args, io) {
		const [name] = operands(args, 'IMAGE');
		const source = await openInput(name, args, io);
		const further: { readonly file: Source; readonly namedBy: Source; readonly bytes: number }[] = [];
		// Looked at at once: a reader may close what it has read.
		const opening = {
			...openOptions(args, io, (file, namedBy) => further.push({ file, namedBy, bytes: diskUsage(file) })),
			unreadable: true,
		};
		let layers: readonly Layer[] = [];
		try {
			layers = args['backing-chain'] ? await openChain(source, opening) : [await openLayer(source, opening)];
			const images = new Set(layers.map((layer) => layer.source));
			const infos = layers.map((layer) => {
				const extents = further.filter(({ file, namedBy }) => namedBy === layer.source && !images.has(file));
				return imageInfo(
					layer,
					extents.reduce((sum, { bytes }) => sum + bytes, diskUsage(layer.source)),
				);
			});
			if (isJson(args)) io.stdout.write(`${toJson(args['backing-chain'] ? infos : infos[0], 4)}\n`);
			else io.stdout.write(infos.map(infoText).join('\n'));
			return 0;
		} finally {
			for (const { disk } of layers) await disk.close();
			await source.close();
		}
	},
});
