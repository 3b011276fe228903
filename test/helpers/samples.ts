import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

export type Sample = { readonly file: string; readonly format: string; readonly command: string };

const folder = path.resolve('samples');

const manifest = JSON.parse(fs.readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as {
	readonly disk: { readonly virtualSize: number; readonly sha256: string };
	readonly samples: readonly Sample[];
};

/** What the guest sees in every sample. */
export const sampleDisk = manifest.disk;

export const samples = manifest.samples;

/** The image itself, and the name it had before it was gzipped. */
export const sampleImage = ({ file }: Sample): { readonly name: string; readonly bytes: Uint8Array } => {
	const bytes = fs.readFileSync(path.join(folder, file));
	return file.endsWith('.gz')
		? { name: file.slice(0, -3), bytes: new Uint8Array(zlib.gunzipSync(bytes)) }
		: { name: file, bytes: new Uint8Array(bytes) };
};
