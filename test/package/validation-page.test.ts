import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { validationPage } from '../../src/validate/page.ts';
import type { Category, Concern } from '../../src/validate/rule.ts';
import { type ValidationReport, verdictOn } from '../../src/validate/verdict.ts';
import { has, temporaryFolder } from '../helpers/programs.ts';

const NASTY = '<script>document.title="owned"</script><img src=x onerror="document.title=1">"\'&\u001b[31m\u202e\ud800';

const concern = (id: string, category: Category, target: string, what = NASTY): Concern => ({
	...{ id, category, target, label: NASTY, assessment: 'What it means.', remedy: 'What to do.' },
	evidence: Array.from({ length: 12 }, (_, i) => ({ what: `${what} ${i}`, file: NASTY, key: 'scsi0:0', offset: i })),
});

const report: ValidationReport = {
	...{ schema: 'vconv.validation/1', vconv: '0.1.0', at: Date.parse('2026-01-02T03:04:05Z'), seconds: 1 },
	verdicts: ['libvirt', 'azure'].map((target) => {
		const all = [
			concern('a.critical', 'Critical', target),
			concern('a.warning', 'Warning', target, target),
			concern('known', 'Critical', target),
		];
		return verdictOn({ subject: NASTY, identity: NASTY }, target, target === 'azure' ? all : all.slice(1), { accept: ['known'] });
	}),
	failures: [{ subject: NASTY, problem: { kind: 'corrupt', message: NASTY, hint: NASTY } }],
};

test('the page of a validation fetches nothing and runs nothing', () => {
	const page = validationPage(report);
	expect(page).not.toMatch(/<(script|link|img|iframe|object|embed)|\burl\(|@import|\b(src|href|on\w+)="/i);
	expect(page).toContain("default-src 'none'");
	expect(page.match(/[^\t\n\u0020-\u007e·…\u202f]/u)?.[0]).toBeUndefined();
});

const chromium = 'chromium';

test.skipIf(!has(chromium))('a browser shows every concern once', { timeout: 120_000 }, () => {
	const folder = temporaryFolder();
	const page = path.join(folder, 'page.html');
	// The script is the browser's own, in a page around the report: the report itself has none.
	const script = `<script>
		const texts = (selector) => [...document.querySelectorAll(selector)].map((element) => element.textContent);
		document.body.textContent = JSON.stringify({ title: document.title, verdicts: texts('tbody td:nth-child(3)'),
			concerns: texts('.concern > p > b:first-child'), codes: texts('.concern code'), only: texts('.concern > p > span').length,
			evidence: document.querySelectorAll('.concern li').length, problems: document.querySelectorAll('.problem').length,
			scripts: document.scripts.length, images: document.images.length, wide: document.documentElement.scrollWidth > innerWidth,
			high: document.querySelector('.concern').getBoundingClientRect().height > 100 });
	</script>`;
	fs.writeFileSync(page, `${validationPage(report).replace(/<meta http-equiv[^>]*>/, '')}${script}`);
	const quiet = ['--disable-background-networking', '--no-first-run', '--disable-sync', `--user-data-dir=${path.join(folder, 'user')}`];
	const options = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--window-size=1000,1400', '--dump-dom', ...quiet];
	const dom = execFileSync(chromium, [...options, `file://${page}`], {
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'ignore'],
		timeout: 60_000,
		env: { ...process.env, TMPDIR: folder },
	});
	expect(JSON.parse(/<body>(\{.*\})/.exec(dom)?.[1] ?? '')).toEqual({
		title: '1 of 2 moves are blocked',
		verdicts: ['nothing blocks it', 'blocked'],
		concerns: ['Critical', 'Warning', 'Warning'],
		codes: ['a.critical', 'a.warning', 'a.warning'],
		only: 3,
		evidence: 3 * 11,
		problems: 1,
		scripts: 1,
		images: 0,
		wide: false,
		high: true,
	});
});
