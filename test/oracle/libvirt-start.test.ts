import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { MigrateOptions } from '../../src/machine/migrate/options.ts';
import { corpus } from '../corpus/corpus.ts';
import { forSession, hasQemuDriver, openFolder } from '../helpers/embedded-libvirt.ts';
import { has, requires } from '../helpers/programs.ts';
import { commandsOf, makeImages, start, VARIABLES } from '../helpers/start-domain.ts';
import { migrate } from '../machine/account.ts';
import { kinds } from '../machine/kinds.ts';

const thorough = Boolean(process.env['VCONV_THOROUGH']);

/** How long processors run, in milliseconds: not at all where there is no time, for all devices are made before. */
const RUNNING = thorough ? 3000 : 0;

/** Every VMX of the corpus, whatever it is called. */
const collected = ['config/libvirt-vmx2xml', 'config/virt-v2v', 'config/virt-manager'].flatMap((folder) => {
	const inside = path.join(corpus, folder);
	const names = fs.existsSync(inside) ? fs.readdirSync(inside).filter((name) => name.endsWith('.vmx')) : [];
	return names.sort().map((name) => [name, fs.readFileSync(path.join(inside, name)), { discardSuspend: true, keepSource: true }] as const);
});

/** What goes wrong when the domains of machines are started, each in a line. */
const startAll = async (machines: readonly (readonly [string, string | Uint8Array, MigrateOptions?])[]): Promise<readonly string[]> => {
	const root = openFolder();
	const domains = new Map(
		machines.map(([name, text, options]) => {
			const xml = forSession(migrate(text, { ...options, imageFolder: root }).xml);
			// Its own name is in the paths of sockets, where a shell would stumble.
			return [name, xml.replace(/<name>.*?<\/name>/s, '<name>vm</name>')] as const;
		}),
	);
	const wrong: string[] = [];
	for (const [name, command] of commandsOf(root, domains)) {
		makeImages(root, domains.get(name) ?? '');
		const said = await start(root, command, RUNNING);
		if (said !== '') wrong.push(`${name}: ${said}`);
	}
	return wrong;
};

/** What QEMU's devices can be that a domain has, of those that are ever chosen. */
const CHOSEN = [
	...["bus='virtio'", "bus='scsi'", "bus='sata'", "bus='ide'"],
	...["model='virtio-scsi'", "model='vmpvscsi'", "model='lsisas1068'", "model='lsilogic'"],
	...['virtio', 'vmxnet3', 'e1000', 'e1000e', 'pcnet', 'rtl8139'].map((model) => `<model type='${model}'/>`),
	...['ich9', 'ich6', 'ac97', 'sb16'].map((model) => `<sound model='${model}'/>`),
	...["model='qemu-xhci'", "model='piix3-uhci'", "model='ich9-ehci1'"],
	...["<tpm model='tpm-crb'>", "name='secure-boot'", "firmware='efi'", "machine='q35'", "machine='pc'", '<shareable/>', '<transient/>'],
	...['tcp', 'unix', 'pty', 'file'].map((type) => `<serial type='${type}'>`),
	"<parallel type='file'>",
];

test('the machines that are started have every device that is ever chosen', () => {
	const all = kinds.map(([, text, options]) => migrate(text, options).xml).join('');
	expect(CHOSEN.filter((device) => !all.includes(device))).toEqual([]);
});

const ready =
	hasQemuDriver() && has('qemu-system-x86_64') && has('swtpm') && requires(fs.existsSync(VARIABLES), `${VARIABLES} is not installed`);

describe.skipIf(!ready)('QEMU starts by the command line that libvirt makes of', () => {
	test('a machine of every kind', { timeout: 200_000 }, async () => {
		expect(await startAll(kinds)).toEqual([]);
	});

	test.skipIf(collected.length === 0 || !thorough)('every machine of the corpus', { timeout: 900_000 }, async () => {
		expect(await startAll(collected)).toEqual([]);
	});
});
