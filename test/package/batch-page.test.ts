import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { batchPage } from '../../src/batch/html.ts';
import type { JobRecord } from '../../src/batch/journal.ts';
import { batchJunit, batchReport, type Standing } from '../../src/batch/report.ts';
import { parseXml } from '../../src/bytes/xml.ts';
import { has, temporaryFolder } from '../helpers/programs.ts';

const NASTY = '<script>document.title="owned"</script><img src=x onerror="document.title=1">"\'&\u001b[31m\u202e\ud800';

const began = Date.parse('2026-01-02T03:04:05Z');

const standing = (id: number, status: 'done' | 'failed' | 'waiting', name = `disk-${id}.vmdk`): Standing => {
	const started = began + id * 20_000 + (id > 3 ? 3_600_000 : 0);
	const record: JobRecord = {
		id: String(id),
		at: started + 45_000,
		started,
		attempt: 1,
		state: status === 'failed' ? 'failed' : 'done',
		sources: [],
		sizes: { virtual: 20 * 2 ** 30, before: 3 * 2 ** 30, after: 2 * 2 ** 30 },
		notes: id === 0 ? [NASTY] : [],
		...(status === 'failed' && { error: { code: 'CORRUPT', message: NASTY, exitCode: 4, path: NASTY, hint: 'vconv check' } }),
	};
	const job = { id: String(id), name, kind: 'convert', from: `/in/${name}`, to: `/out/${name}` };
	return { job, status, earlier: id === 0, record: status === 'waiting' ? undefined : record, log: `/jobs/${id}.log` };
};

const report = batchReport(
	[standing(0, 'done'), standing(1, 'failed', NASTY), standing(2, 'done'), standing(4, 'done'), standing(5, 'waiting')],
	{ vconv: '0.1.0', plan: `https://user:pass@host/${NASTY}`, started: began, ended: began + 3_700_000, interrupted: true },
);

test('JUnit has a test for each job, and nothing that XML cannot hold', () => {
	const root = parseXml(new TextEncoder().encode(batchJunit(report)), 'report.xml');
	expect(root.name).toBe('testsuites');
	expect(Object.fromEntries(root.attributes)).toMatchObject({ tests: '5', failures: '0', errors: '1', skipped: '1' });
});

test('the page fetches nothing and runs nothing', () => {
	const page = batchPage(report);
	expect(page).not.toMatch(/<(script|link|img|iframe|object|embed)|\burl\(|@import|\b(src|href|on\w+)="/i);
	expect(page).toContain("default-src 'none'");
	expect(page).toContain('https://***@host/');
	expect(page.match(/[^\t\n\u0020-\u007e·…\u202f]/u)?.[0]).toBeUndefined();
});

const chromium = 'chromium';

/** What Chromium makes of a page with these switches. */
const browse = (page: string, ...switches: string[]): string => {
	const folder = temporaryFolder();
	const quiet = ['--disable-background-networking', '--no-first-run', '--disable-sync', `--user-data-dir=${folder}`];
	const options = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--window-size=1000,1400', ...quiet];
	return execFileSync(chromium, [...options, ...switches, `file://${page}`], {
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'ignore'],
		timeout: 60_000,
		env: { ...process.env, TMPDIR: folder },
	});
};

/** The brightness of a PNG's first pixel, 0 to 255: a corner of the page. */
const cornerOf = (png: Buffer): number => {
	const data: Buffer[] = [];
	for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
		if (png.toString('latin1', at + 4, at + 8) === 'IDAT') data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
	}
	return zlib.inflateSync(Buffer.concat(data))[1] ?? 0;
};

test.skipIf(!has(chromium))('a browser shows what is in it, in the dark and in the light', { timeout: 180_000 }, () => {
	const folder = temporaryFolder();
	const page = path.join(folder, 'report.html');
	fs.writeFileSync(page, batchPage(report));
	// The script is the browser's own, in a page around the report: the report itself has none.
	const measure = path.join(folder, 'measure.html');
	fs.writeFileSync(
		measure,
		`${batchPage(report).replace(/<meta http-equiv[^>]*>/, '')}<script>
		const box = document.querySelector('svg').getBoundingClientRect();
		const wide = document.documentElement.scrollWidth > innerWidth;
		const bars = [...document.querySelectorAll('svg rect')].filter((bar) => bar.getBoundingClientRect().width > 1).length;
		document.body.textContent = JSON.stringify({ title: document.title, rows: document.querySelectorAll('tbody tr').length, bars,
			scripts: document.scripts.length, images: document.images.length, wide, seen: box.width > 500 && box.height > 50 });
	</script>`,
	);
	const seen = JSON.parse(/<body>(\{.*\})/.exec(browse(measure, '--dump-dom'))?.[1]?.replaceAll('&amp;', '&') ?? '');
	expect(seen).toEqual({ title: '1 of 5 jobs failed', rows: 5, bars: 4, scripts: 1, images: 0, wide: false, seen: true });

	const picture = path.join(folder, 'page.png');
	browse(page, `--screenshot=${picture}`);
	expect(cornerOf(fs.readFileSync(picture))).toBeGreaterThan(240);
	browse(page, `--screenshot=${picture}`, '--blink-settings=preferredColorScheme=0');
	expect(cornerOf(fs.readFileSync(picture))).toBeLessThan(40);
});
