import path from 'node:path';
import type { Options } from 'yargs';
import { humanSize } from '../../bytes/size.ts';
import { type Member, type Survey, surveyImages } from '../../convert/survey.ts';
import { refuseOver } from '../../core/limits.ts';
import { openFile } from '../../node/file.ts';
import { filesIn } from '../../node/folder.ts';
import { command, operands } from '../command.ts';
import { inputOptions, isJson, openOptions } from '../input.ts';
import { messageLine, plain, toJson } from '../render.ts';

const { format: _, 'force-share': __, ...rest } = inputOptions;

const options = { ...rest } as const satisfies Record<string, Options>;

/** A link is broken, or an image cannot be read: the code of corruption. */
const UNSOUND = 4;

/** `vconv chain`: the images of a folder, as a tree. */
export const chain = command({
	command: 'vconv chain',
	operands: 'DIR',
	about: `Which images of a folder are deltas of which: found by their names and ids as a conversion would, with what is missing, wrong or
goes in a circle. Every image is only read. Exits 0 if all is sound, 4 if a parent cannot be found or an image cannot be read.`,
	options,
	examples: [
		['vconv chain /vmfs/volumes/store/web', 'the snapshots of a machine'],
		['vconv chain --output=json .', 'for a script'],
	],
	async run(args, io) {
		const [folder] = operands(args, 'DIR');
		const names = filesIn(folder).filter((name) => !path.basename(name).startsWith('.'));
		const opening = openOptions({ ...args, format: undefined, 'force-share': true }, io);
		refuseOver('folder-files', names.length, folder, opening.limits);
		const survey = await surveyImages(names, { ...opening, open: openFile });
		io.stdout.write(isJson(args) ? `${toJson(asJson(folder, survey), 4)}\n` : asText(folder, survey));
		const none = survey.images.length + survey.unreadable.length === 0;
		if (none && !args.quiet) io.stderr.write(messageLine(`${folder} has no images`, isJson(args)));
		return isSound(survey) ? 0 : UNSOUND;
	},
});

const isSound = ({ images, cycles, unreadable }: Survey): boolean =>
	cycles.length === 0 && unreadable.length === 0 && images.every(({ link }) => link.kind !== 'broken');

const childrenOf = ({ images }: Survey, parent: string): readonly Member[] =>
	images.filter(({ link }) => link.kind === 'parent' && link.parent === parent);

const asJson = (folder: string, survey: Survey) => ({
	folder,
	sound: isSound(survey),
	images: survey.images.map((image) => ({
		filename: image.name,
		format: image.format,
		'virtual-size': image.size,
		id: image.id,
		files: image.files,
		'backing-filename': image.parentReference,
		...(image.link.kind === 'parent' && { parent: image.link.parent, 'parent-found-by': image.link.by }),
		...(image.link.kind === 'broken' && { error: errorFields(image.link.error) }),
		children: childrenOf(survey, image.name).map(({ name }) => name),
	})),
	cycles: survey.cycles,
	unreadable: survey.unreadable.map(({ name, error }) => ({ filename: name, error: errorFields(error) })),
});

const errorFields = ({ code, message, hint }: { readonly code: string; readonly message: string; readonly hint: string | undefined }) => ({
	code,
	message,
	hint,
});

const asText = (folder: string, survey: Survey): string => {
	const shown = (name: string): string => plain(path.relative(folder, name));
	const label = ({ name, format, size, link, parentReference = '' }: Member): string => {
		const byId = link.kind === 'parent' && link.by === 'id' && `its parent found by id, called ${plain(parentReference)}`;
		return [`${shown(name)}  ${format}`, humanSize(size), byId].filter(Boolean).join(', ');
	};
	const branch = (image: Member, indent: string): string[] => {
		const children = childrenOf(survey, image.name);
		return children.flatMap((child, i) => {
			const last = i === children.length - 1;
			return [`${indent}${last ? '└─' : '├─'} ${label(child)}`, ...branch(child, `${indent}${last ? '   ' : '│  '}`)];
		});
	};
	const broken = ({ name, link }: Member): string[] => {
		if (link.kind !== 'broken') return [];
		const { path: where, message } = link.error;
		return [`!  ${where === undefined || where === name ? '' : `${shown(where)}: `}${plain(message)}`];
	};
	const lines = survey.images
		.filter(({ link }) => link.kind !== 'parent')
		.flatMap((image) => [label(image), ...broken(image), ...branch(image, '')]);
	for (const cycle of survey.cycles) lines.push(`!  ${[...cycle, cycle[0] ?? ''].map(shown).join(' is a delta of ')}: a circle`);
	for (const { name, error } of survey.unreadable) lines.push(`!  ${shown(name)} cannot be read: ${plain(error.message)}`);
	return lines.map((line) => `${line}\n`).join('');
};
