import fs from 'node:fs';
import { identityOf } from './file.ts';

/** The identity of the file that a loop device, or a partition of one, shows; undefined for everything else, and where Linux does not say. */
export const identityBehind = (device: string): string | undefined => {
	const stat = fs.statSync(device, { throwIfNoEntry: false });
	if (process.platform !== 'linux' || !stat?.isBlockDevice()) return undefined;
	const [major, minor] = [(stat.rdev >> 8) & 0xfff, (stat.rdev & 0xff) | ((stat.rdev >> 12) & 0xfff00)];
	for (const above of ['', '../']) {
		const said = `/sys/dev/block/${major}:${minor}/${above}loop/backing_file`;
		if (fs.existsSync(said)) return identityOf(fs.readFileSync(said, 'utf8').replace(/\n$/, ''));
	}
	return undefined;
};
