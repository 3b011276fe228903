import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import vm from 'node:vm';
import { type BuildResult, build } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';
import { dist } from '../helpers/dist.ts';
import { has, temporaryFolder } from '../helpers/programs.ts';
import { sampleDisk } from '../helpers/samples.ts';
import { convertSample, type Written } from './page.ts';

const sample = 'samples/hello.vmdk';

/** For a browser: esbuild fails on an import of Node's. */
const bundle = async (
	entry: string,
	format: 'esm' | 'iife',
): Promise<{ readonly text: string; readonly meta: BuildResult['metafile'] }> => {
	const common = { bundle: true, platform: 'browser', write: false, metafile: true, minify: true, logLevel: 'silent' } as const;
	const { outputFiles, metafile } = await build({ ...common, entryPoints: [entry], format, globalName: 'page' });
	return { text: outputFiles[0]?.text ?? '', meta: metafile };
};

test('the portable half bundles for a browser: small, and with nothing of Node in it', async () => {
	const { text, meta } = await bundle(path.join(dist, 'src/index.js'), 'esm');
	expect(Object.values(meta?.outputs ?? {}).flatMap(({ imports }) => imports)).toEqual([]);
	// Names, and not texts or keys that are spelled so.
	expect(text.match(/["']node:|(?<![\w.$"'`-])(Buffer|process|require|global|setImmediate|__dirname|__filename)\b(?!["'`:])/)).toBeNull();
	expect(text.length).toBeLessThan(800_000);
});

const inNode = async (): Promise<Written[]> => {
	const written = await convertSample(new Uint8Array(fs.readFileSync(sample)));
	for (const { diskLength, diskSha256 } of written) {
		expect({ diskLength, diskSha256 }).toEqual({ diskLength: sampleDisk.virtualSize, diskSha256: sampleDisk.sha256 });
	}
	return written;
};

test('without any global of Node the same images come out', async () => {
	const { text } = await bundle('test/package/page.ts', 'iife');
	// What every browser has besides the language itself.
	const web = { crypto, TextDecoder, TextEncoder, setTimeout, clearTimeout, MessageChannel, AbortController };
	const context = vm.createContext({ ...web, image: new Uint8Array(fs.readFileSync(sample)) });
	const written: Written[] = await vm.runInContext(`${text}; page.convertSample(image)`, context);
	expect(JSON.stringify(written)).toBe(JSON.stringify(await inNode()));
});

const PAGE = `<!doctype html><script type="module">
	const answer = async () => {
		const { convertSample } = await import('/page.js');
		const image = new Uint8Array(await (await fetch('/image')).arrayBuffer());
		return JSON.stringify(await convertSample(image));
	};
	const body = await answer().catch((error) => error.stack);
	await fetch('/answer', { method: 'POST', body });
</script>`;

/** Serve the page on this machine; its address, and what it answers. */
const serve = async (script: string): Promise<{ readonly url: string; readonly answer: Promise<string> }> => {
	const pages: Readonly<Record<string, readonly [string, string | Buffer]>> = {
		'/': ['text/html', PAGE],
		'/page.js': ['text/javascript', script],
		'/image': ['application/octet-stream', fs.readFileSync(sample)],
	};
	let resolve: (answer: string) => void;
	const answer = new Promise<string>((done) => {
		resolve = done;
	});
	const server = http.createServer(async (request, response) => {
		const [type, content] = pages[request.url ?? ''] ?? [];
		if (request.method === 'POST') resolve((await request.toArray()).join(''));
		response.writeHead(type || request.method === 'POST' ? 200 : 404, { 'content-type': type ?? 'text/plain' }).end(content);
	});
	onTestFinished(() => void server.close());
	await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, answer };
};

const chromium = 'chromium';

test.skipIf(!has(chromium))('in Chromium the same images come out', { timeout: 120_000 }, async () => {
	const { url, answer } = await serve((await bundle('test/package/page.ts', 'esm')).text);
	const folder = temporaryFolder();
	const quiet = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
	const options = ['--headless', '--no-sandbox', '--disable-gpu', ...quiet, `--user-data-dir=${folder}`];
	const browser = spawn(chromium, [...options, url], { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, TMPDIR: folder } });
	browser.stdout.resume();
	// Not before the pipe is closed have all of its processes gone, and none of them writes to the folder any more.
	const gone = new Promise((resolve) => browser.once('close', resolve));
	try {
		const answered = await Promise.race([answer, gone.then(() => 'Chromium ended')]);
		expect(answered).toBe(JSON.stringify(await inNode()));
	} finally {
		browser.kill();
		await gone;
	}
});
