import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { vconv } from '../helpers/cli.ts';
import { effort } from '../helpers/effort.ts';
import { sharedFolder } from '../helpers/programs.ts';
import { diskRows, unpackFolder } from './corpus.ts';

/** One in so many; all of them take half a minute. */
const SAMPLE = process.env['VCONV_THOROUGH'] ? 1 : 9;

const rows = diskRows().filter(({ file }) => file.startsWith('malformed/'));
const work = sharedFolder();

const unpacked = new Map<string, Promise<unknown>>();

describe.skipIf(rows.length === 0)('a damaged image', () => {
	// What is imported counts for none of them.
	beforeAll(() => vconv('validate', '--list'));

	test.each(rows.filter((_, index) => index % SAMPLE === 0).map(({ file }) => file))('%s is judged, and soon', async (file) => {
		const folder = path.dirname(file);
		if (!unpacked.has(folder)) unpacked.set(folder, unpackFolder(folder, work()));
		await unpacked.get(folder);
		const spent = effort();
		const { code, stdout } = await vconv('validate', '--json', '--to', 'libvirt,azure', work(file));
		expect([0, 7]).toContain(code);
		expect(JSON.parse(stdout).verdicts).toHaveLength(2);
		expect(spent()).toBeLessThan(2000);
	});
});
