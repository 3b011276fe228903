import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reportText } from '../../src/cli/descriptions.ts';
import { guestText } from '../../src/cli/guest-text.ts';
import { infoText } from '../../src/cli/image-info.ts';
import { printReport } from '../../src/cli/machine-report.ts';
import { errorJson, errorText, messageLine, noteJson, noteText, toJson } from '../../src/cli/render.ts';
import { printValidation } from '../../src/cli/validation-report.ts';
import { CorruptError } from '../../src/errors.ts';
import type { GuestReport } from '../../src/guest/facts.ts';
import type { ReportEntry } from '../../src/machine/report.ts';
import type { ValidationReport } from '../../src/validate/verdict.ts';
import { build, C, data, snapshot } from '../formats/qcow2/build.ts';
import { vconv, vconvIn } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';

/** What a terminal obeys or reorders: C0 but line ends and tabs, DEL, C1, bidi marks, line and paragraph separators. */
const OBEYED = /[^\P{Cc}\n\t]|[\p{Bidi_Control}\u2028\u2029]/u;

/** Texts of everything that a terminal obeys, among what it prints. */
const evil = fc.string({
	unit: fc.oneof(
		fc.constantFrom('\u001b[2J', '\u001b]0;x\u0007', '\u009b31m', '\r', '\b', '\0', '\u007f', '\u0085'),
		fc.constantFrom('\u202e', '\u2066', '\u200f', '\u061c', '\u2028', '\u2029', '\ud800', '\\', '"', '<', '\ufeff'),
		fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }),
	),
	minLength: 1,
	maxLength: 12,
});

/** Chosen by vconv, not by an image. */
const OURS = new Set(['category', 'severity', 'schema', 'action', 'id', 'target', 'code']);

/** The same with this text for every string. */
const withText = <T>(value: T, text: string): T => {
	const replaced = (inner: unknown, key: string): unknown => {
		if (typeof inner === 'string') return OURS.has(key) ? inner : text;
		if (Array.isArray(inner)) return inner.map((each) => replaced(each, key));
		if (typeof inner !== 'object' || inner === null) return inner;
		return Object.fromEntries(Object.entries(inner).map(([name, each]) => [name, replaced(each, name)]));
	};
	return replaced(value, '') as T;
};

const volume = {
	type: 'ext4',
	size: 1,
	label: 'x',
	uuid: 'x',
	clean: true,
	state: ['x'],
	mountpoint: '/',
	memberOf: 'x',
	unsupported: 'x',
};
const system = {
	name: 'x',
	version: 'x',
	build: 'x',
	edition: 'x',
	arch: 'x',
	hostname: 'x',
	root: 'x',
	role: 'x',
	bootloader: { kind: 'x' },
};
const guest = {
	schema: 'vconv.guest/1',
	cost: { milliseconds: 1, reads: 1, bytes: 1 },
	disks: [
		{
			...{ index: 0, image: 'x', size: 1, sectorSize: 512, scheme: 'gpt', diskId: 'x', flags: ['x'], biosBootCode: 'x' },
			partitions: [{ number: 1, size: 1, type: 'x', name: 'x', bootable: true }],
		},
	],
	volumes: [
		{ ...volume, id: 'disk0p1' },
		{ ...volume, id: 'x' },
	],
	firmware: { type: 'uefi', loaders: ['x'] },
	os: { ...system, kernels: [{ version: 'x', default: true, initramfs: 'x' }], marks: [{ code: 'x', evidence: 'x', where: 'x' }] },
	otherSystems: [system],
	drivers: { disk: { x: { state: 'x' } }, network: {} },
	network: [{ source: 'x', name: 'x', mac: 'x', method: 'x', addresses: ['x'], gateway: 'x' }],
	software: { agents: ['x'] },
	incomplete: [{ where: 'x', what: 'x', why: 'x' }],
} as unknown as GuestReport;

const entries: readonly ReportEntry[] = (['error', 'warning', 'info'] as const).map(
	(severity) => ({ severity, code: 'x', subject: 'x', message: 'x', remedy: 'x', keys: ['x'] }) as unknown as ReportEntry,
);
const about = { input: 'x', output: 'x', format: 'x', intent: 'x', profile: 'x' };

const concern = { id: 'x', category: 'Critical', label: 'x', assessment: 'x', remedy: 'x', target: 'x' } as const;
const verdict = { subject: 'x', identity: 'x', target: 'x', blocking: true, accepted: [] };
const validation: ValidationReport = {
	...{ schema: 'vconv.validation/1', vconv: 'x', at: 0, seconds: 1 },
	verdicts: [{ ...verdict, concerns: [{ ...concern, evidence: [{ what: 'x', file: 'x', key: 'x', offset: 1 }] }] }],
	failures: [
		{
			subject: 'x',
			problem: { kind: 'missing', path: 'x', message: 'x', hint: 'x' } as unknown as ValidationReport['failures'][number]['problem'],
		},
	],
};

const info = {
	...{ 'virtual-size': 1, filename: 'x', 'cluster-size': 1, format: 'x', 'actual-size': 1, 'dirty-flag': true },
	...{ 'full-backing-filename': 'x', 'backing-filename': 'y', 'backing-filename-format': 'x' },
	'format-specific': { type: 'x', data: { x: 'x', list: ['x'] } },
	snapshots: [
		...[{ id: 'x', name: 'x', 'vm-state-size': 1, 'date-sec': 1, 'date-nsec': 1, 'vm-clock-sec': 1, 'vm-clock-nsec': 1, icount: 1n }],
	],
} as unknown as Parameters<typeof infoText>[0];

describe('no text of an image, a guest or a description is obeyed by a terminal:', () => {
	test.for<[string, (text: string) => string]>([
		['errors', (text) => errorText(new CorruptError(text, { path: text, field: text, hint: text }))],
		['errors in JSON', (text) => errorJson(new CorruptError(text, { path: text, field: text, hint: text }))],
		['bugs in JSON', (text) => errorJson(new Error(text))],
		['notes', (text) => noteText({ kind: 'dropped', what: text, why: text, path: text })],
		['messages', (text) => messageLine(text, false) + messageLine(text, true)],
		['notes in JSON', (text) => noteJson({ kind: 'dropped', what: text, why: text, path: text })],
		['info', (text) => infoText(withText(info, text))],
		['inspect', (text) => guestText(withText(guest, text))],
		['any JSON', (text) => toJson({ [text]: withText(guest, text) }, 4)],
		['the report of a translation', (text) => reportText(withText(entries, text))],
		...(['text', 'json', 'sarif'] as const).map((form): [string, (text: string) => string] => [
			`the report of a translation as ${form}`,
			(text) => printReport(form, withText(entries, text), withText(about, text), false),
		]),
		...(['human', 'json', 'sarif', 'junit', 'html'] as const).map((form): [string, (text: string) => string] => [
			`validate as ${form}`,
			(text) => printValidation(form, withText(validation, text), false),
		]),
	])('%s', ([, print]) => {
		fc.assert(
			fc.property(evil, (text) => {
				const printed = print(text);
				expect(OBEYED.test(printed), JSON.stringify(printed)).toBe(false);
			}),
			{ numRuns: 100 },
		);
	});
});

/** A snapshot, and files, whose names a terminal would obey. */
const NASTY = '\u001b[31mred\u009b\u202e\u0007';

test.skipIf(process.platform === 'win32')('no command lets through what an image or a folder calls things', async () => {
	const folder = temporaryFolder();
	const at = (name: string): string => path.join(folder, name);
	const table = snapshot({ id: '1', name: '\u001b[2Jn', size: C });
	const image = build({
		...{ entries: [data(0)], clusters: [1], backing: `${NASTY}.raw`, length: 8 * C },
		change: { snapshotCount: 1, snapshotsOffset: 7 * C },
	});
	image.set(table, 7 * C);
	fs.writeFileSync(at(`${NASTY}.qcow2`), image);
	fs.writeFileSync(
		at('disk.vmdk'),
		`# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="${NASTY}"\nRW 1 FLAT "${NASTY}" 0\n`,
	);
	fs.writeFileSync(at('web.vmx'), `config.version = "8"\nvirtualHW.version = "8"\ndisplayName = "${NASTY}"\n${NASTY}\nx${NASTY} = "y"\n`);
	const name = at(`${NASTY}.qcow2`);
	for (const argv of [
		...['info', 'map', 'check', 'measure', 'inspect'].map((command) => [command, name]),
		...['info', 'check'].map((command) => [command, '--output=json', name]),
		['info', '--backing-chain', name],
		['chain', folder],
		['chain', '--output=json', folder],
		['compare', name, at('disk.vmdk')],
		['info', at('disk.vmdk')],
		[name, at('out.raw')],
		['-l', NASTY, name, at('out.raw')],
		['-O', NASTY, name, at('out.raw')],
		['--limit', NASTY, name, at('out.raw')],
		['-o', NASTY, name, at('out.raw')],
		['config', 'lint', at('web.vmx')],
		['config', 'diff', at('web.vmx'), at('web.vmx')],
		['clean', '--dry-run', folder],
		[`--${NASTY}`],
		[NASTY],
	]) {
		for (const surroundings of [{}, { terminal: true }]) {
			const { stdout, stderr } = await vconvIn(surroundings, ...argv);
			expect(OBEYED.test(stdout + stderr.replaceAll('\r', '')), `${argv[0]}: ${JSON.stringify(stdout + stderr)}`).toBe(false);
		}
	}
	expect((await vconv('info', name)).stdout).toContain('?[2Jn');
});
