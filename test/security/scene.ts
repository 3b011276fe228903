import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { EXTENSION, INCOMPATIBLE } from '../../formats/qcow2/layout.ts';
import { build, C, data, text } from '../formats/qcow2/build.ts';
import { type Ran, vconv } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';

/** What no output and no message may hold. */
export const SECRET = 'the-operator-alone-may-read-this';

/** A folder of a guest's images, `vm`, in a folder of the operator's, with a `secret` that is a raw disk. */
export const scene = () => {
	const root = fs.realpathSync(temporaryFolder());
	const at = (...parts: string[]): string => path.join(root, ...parts);
	fs.mkdirSync(at('vm'));
	fs.writeFileSync(at('secret'), SECRET.repeat(4096).slice(0, 65536));
	/** A file of the guest's. */
	const put = (name: string, content: string | Uint8Array): string => {
		fs.writeFileSync(at('vm', name), content);
		return at('vm', name);
	};
	/** The image is not converted: within a second, with an error of ours, and nothing of the secret anywhere. */
	const refuses = async (image: string, ...flags: string[]): Promise<Ran> => {
		const start = performance.now();
		const ran = await vconv(...flags, '-O', 'raw', at('vm', image), at('out.raw'));
		expect(performance.now() - start).toBeLessThan(1000);
		expect([3, 4, 5]).toContain(ran.code);
		expect(ran.stdout + ran.stderr).not.toContain(SECRET);
		expect(fs.readdirSync(root).filter((name) => name.includes('out.raw'))).toEqual([]);
		return ran;
	};
	return { at, put, refuses };
};

/** A QCOW2 whose first cluster comes from a backing file. */
export const withBacking = (backing: string, format: string | undefined = 'raw'): Uint8Array =>
	build({
		entries: [0n, data(0)],
		clusters: [2],
		backing,
		...(format !== '' && { extensions: [[EXTENSION.backingFormat, text(format)]] as const }),
	});

/** A QCOW2 whose only cluster is in an external data file. */
export const withDataFile = (name: string): Uint8Array =>
	build({
		entries: [1n << 63n],
		size: C,
		change3: { incompatibleFeatures: INCOMPATIBLE.dataFile },
		extensions: [[EXTENSION.dataFile, text(name)]],
	});
