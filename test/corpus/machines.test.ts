import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { VconvError } from '../../src/errors.ts';
import { effort } from '../helpers/effort.ts';
import { INERT, planFaithfully, planMigration, unaccounted, unaccountedParts } from '../machine/account.ts';
import { corpus } from './corpus.ts';

const has = (folder: string): boolean => fs.existsSync(path.join(corpus, folder));

const files = (folder: string, ending: RegExp): string[] =>
	has(folder)
		? fs
				.readdirSync(path.join(corpus, folder))
				.filter((name) => ending.test(name))
				.sort()
		: ['none'];

const contents = (folder: string, name: string): Uint8Array => {
	const bytes = fs.readFileSync(path.join(corpus, folder, name));
	return name.endsWith('.gz') ? zlib.gunzipSync(bytes) : bytes;
};

/** What is translated, or the error of ours that came instead, in time. */
const outcome = (bytes: Uint8Array): string => {
	const spent = effort();
	try {
		const isXml = new TextDecoder('latin1').decode(bytes).trimStart().startsWith('<');
		planFaithfully(bytes, isXml ? 'vmx' : 'libvirt');
		return 'ok';
	} catch (error) {
		if (!(error instanceof VconvError)) throw error;
		return 'refuse';
	} finally {
		expect(spent()).toBeLessThan(2000);
	}
};

/** The rows of the manifest. */
const rows = has('MANIFEST.tsv') ? fs.readFileSync(path.join(corpus, 'MANIFEST.tsv'), 'utf8').split('\n') : [];

/** Whether the manifest says that a description is refused; of the others either will do. A path in a description is only text. */
const mustRefuse = (file: string): boolean =>
	rows.some((row) => row.startsWith(`${file}\trefuse\t`) && !row.includes('config-only translation may keep'));

describe.skipIf(!has('malformed'))(`descriptions that are damaged${has('malformed') ? '' : ' (no corpus: VCONV_CORPUS)'}`, () => {
	test.for(
		['malformed/vmx', 'malformed/xml'].flatMap((folder) => files(folder, /\.(vmx|xml)(\.gz)?$/).map((name) => [folder, name] as const)),
	)('%s %s', ([folder, name]) => {
		const said = outcome(contents(folder, name));
		if (mustRefuse(`${folder}/${name}`)) expect(said).toBe('refuse');
	});

	test('a domain of QEMU is refused by the faithful translation', () => {
		const folder = 'config/libvirt-xml-kvm';
		for (const name of files(folder, /\.xml$/)) expect(() => planFaithfully(contents(folder, name), 'vmx'), name).toThrow(VconvError);
	});
});

const FOLDERS = ['config/libvirt-vmx2xml', 'config/virt-v2v', 'config/virt-manager'];

describe.skipIf(!has('config'))(`every key of a VMX is accounted for${has('config') ? '' : ' (no corpus: VCONV_CORPUS)'}`, () => {
	test.for(FOLDERS.flatMap((folder) => files(folder, /\.vmx$/).map((name) => [folder, name] as const)))('%s %s', ([folder, name]) => {
		const bytes = contents(folder, name);
		for (const profile of ['9.0', '11.3', '12.5']) {
			try {
				planFaithfully(bytes, 'libvirt', { profile });
			} catch (error) {
				if (error instanceof VconvError) continue; // refused, which is an account too
				throw error;
			}
			expect(unaccounted(new TextDecoder().decode(bytes), (text) => planFaithfully(text, 'libvirt', { profile }))).toEqual([]);
		}
	});
});

describe.skipIf(!has('config'))(
	`every key of a VMX that moves is accounted for${has('config') ? '' : ' (no corpus: VCONV_CORPUS)'}`,
	() => {
		test.for(FOLDERS.flatMap((folder) => files(folder, /\.vmx$/).map((name) => [folder, name] as const)))('%s %s', ([folder, name]) => {
			const text = new TextDecoder().decode(contents(folder, name));
			const planned = (said: string) => planMigration(said, { discardSuspend: true });
			expect(unaccounted(text, planned).filter((key) => !INERT.test(key))).toEqual([]);
		});
	},
);

/** What says how a thing is written, and not what it is; the second name of a first serial port. */
const SPELLING = /@xmlns|@unit$|@accessmode$|@placement$|@primary$|^devices\/console|@autoport$|graphics\/@listen$|^cpu\/@mode$/;

describe.skipIf(!has('config'))(`every part of a domain is accounted for${has('config') ? '' : ' (no corpus: VCONV_CORPUS)'}`, () => {
	test.for(files('config/libvirt-xml2vmx', /\.xml$/))('%s', (name) => {
		const text = new TextDecoder().decode(contents('config/libvirt-xml2vmx', name));
		expect(unaccountedParts(text).filter((part) => !SPELLING.test(part))).toEqual([]);
	});
});
