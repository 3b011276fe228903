import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { copySync, removeSync } from 'fs-extra/esm';

const MiB = 1 << 20;
const GiB = 1 << 30;

/** The disks that are converted, made once from what is on the machine and kept in the work folder. */
export type Inputs = { readonly base: string; readonly mid: string; readonly huge: string };

/** @param quick smaller ones, for a quick run: `qemu-img compare` alone reads 1 TiB of VHDX for eight minutes. */
export const makeInputs = (work: string, quick: boolean): Inputs => {
	const name = (file: string): string => path.join(work, quick ? `quick-${file}` : file);
	return {
		base: fileSystem(name('base.raw'), quick ? GiB : 4 * GiB, quick ? 250 * MiB : 1500 * MiB),
		mid: fileSystem(name('mid.raw'), GiB, quick ? 60 * MiB : 380 * MiB),
		huge: sparse(name('huge.raw'), quick ? 4 * GiB : 1024 * GiB, 200 * MiB),
	};
};

/** An ext4 file system of `size` bytes with about `data` bytes of the system's own files in it. */
const fileSystem = (image: string, size: number, data: number): string => {
	if (fs.existsSync(image)) return image;
	const staging = `${image}.files`;
	let left = data;
	for (const file of systemFiles('/usr')) {
		const { size: bytes } = fs.statSync(file);
		if (bytes > left) continue;
		copySync(file, path.join(staging, file));
		left -= bytes;
		if (left < MiB) break;
	}
	execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', staging, image, `${size / 1024}k`]);
	removeSync(staging);
	return image;
};

/** Libraries, programs, texts: in an order that mixes them, the same every time. */
function* systemFiles(folder: string): Generator<string> {
	const names = fs.readdirSync(folder, { withFileTypes: true }).sort((a, b) => rank(a.name) - rank(b.name));
	for (const entry of names) {
		const file = path.join(folder, entry.name);
		if (entry.isDirectory()) yield* systemFiles(file);
		else if (entry.isFile()) yield file;
	}
}

const rank = (name: string): number => [...name].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 65_521, 7);

/** `size` bytes of holes with `data` bytes of the system's libraries strewn over them. */
const sparse = (image: string, size: number, data: number): string => {
	if (fs.existsSync(image)) return image;
	const piece = MiB;
	const content = fs.readFileSync(process.execPath).subarray(0, 64 * piece);
	const fd = fs.openSync(image, 'w');
	fs.ftruncateSync(fd, size);
	const count = data / piece;
	for (let i = 0; i < count; i++) {
		fs.writeSync(fd, content, (i % 32) * piece, piece, Math.floor(size / count / piece) * i * piece);
	}
	fs.closeSync(fd);
	return image;
};
