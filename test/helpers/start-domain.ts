import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { virsh } from './embedded-libvirt.ts';

/** The variables of UEFI that are copied for a machine. */
export const VARIABLES = '/usr/share/OVMF/OVMF_VARS_4M.ms.fd';

/** What QEMU waits for at the longest until it answers, in milliseconds: the computer may have much else to do. */
const PATIENCE = 30_000;

/**
 * The command lines of QEMU that libvirt makes of domains, by name, for `sh -c`. Replaced is what libvirt itself would have made or opened,
 * or what this host has not: networks by QEMU's own, VNC by nothing, its key and its sandbox, the variables of UEFI and the TPM by ours,
 * and the far ends of serial ports that are others' sockets. @throws if libvirt refuses one of them.
 */
export const commandsOf = (root: string, domains: ReadonlyMap<string, string>): ReadonlyMap<string, string> => {
	const names = [...domains.keys()];
	for (const [index, xml] of [...domains.values()].entries()) fs.writeFileSync(path.join(root, `${index}.xml`), xml, { mode: 0o644 });
	const lines = names.map((_, index) => `domxml-to-native qemu-argv --xml ${index}.xml`);
	const { stdout, stderr } = virsh(root, [], lines.join('\n'));
	if (stderr !== '') throw new Error(stderr);
	const said = stdout.match(/\/usr\/bin\/qemu.*?(?=virsh #|$)/gm) ?? [];
	return new Map(names.map((name, index) => [name, onThisHost(root, said[index] ?? '')]));
};

const onThisHost = (root: string, command: string): string =>
	command
		.replace(/-object '\{"qom-type":"secret"[^']*' /, '')
		.replace(/-sandbox \S+ ?/, '')
		.replace(/-vnc \S+/, '-display none')
		.replaceAll(/path=[^, ]*\/([^/, ]+)(?=,server)/g, `path=${root}/$1`)
		.replaceAll(/"type":"tap","fd":"\d+"/g, '"type":"user"')
		.replaceAll(/-chardev socket,id=(char(?:serial|parallel)\d+)(?!\S*server=on)\S*/g, '-chardev null,id=$1')
		.replace('-chardev null,id=chrtpm', `-chardev socket,id=chrtpm,path=${root}/swtpm.sock`)
		.replaceAll(/[^"':= ]*_VARS\.fd/g, `${root}/vars.fd`);

/** Small empty images for all that a domain has in files, below `root` only. */
export const makeImages = (root: string, xml: string): void => {
	for (const [disk] of xml.matchAll(/<disk [\s\S]*?<\/disk>/g)) {
		const [, file] = /<source file='([^']*)'/.exec(disk) ?? [];
		if (file === undefined || !file.startsWith(root) || fs.existsSync(file)) continue;
		const raw = disk.includes("type='raw'");
		if (raw) fs.writeFileSync(file, new Uint8Array(1 << 20));
		else fs.writeFileSync(file, emptyQcow2());
	}
};

/** An image of 1 MiB without data: a header, a table of refcounts with one block, and an L1 table. */
const emptyQcow2 = (): Uint8Array => {
	const image = Buffer.alloc(4 << 16);
	image.write('QFI\xfb', 'latin1');
	image.writeUInt32BE(2, 4);
	image.writeUInt32BE(16, 20);
	image.writeBigUInt64BE(1n << 20n, 24);
	image.writeUInt32BE(1, 36);
	image.writeBigUInt64BE(3n << 16n, 40);
	image.writeBigUInt64BE(1n << 16n, 48);
	image.writeUInt32BE(1, 56);
	image.writeBigUInt64BE(2n << 16n, 1 << 16);
	for (let cluster = 0; cluster < 4; cluster++) image.writeUInt16BE(1, (2 << 16) + cluster * 2);
	return image;
};

type Monitor = { readonly ask: (command: string) => Promise<string>; readonly close: () => void };

/** A connection to a socket that is there; it listens a moment later. */
const connect = (socket: string): Promise<net.Socket | undefined> =>
	new Promise((resolve) => {
		const connection = net.connect(socket, () => resolve(connection));
		connection.on('error', () => resolve(undefined));
	});

/** QEMU's monitor, as soon as it listens. */
const monitorOf = async (socket: string, isWaiting: () => boolean): Promise<Monitor> => {
	let connection: net.Socket | undefined;
	while (!connection) {
		if (!isWaiting()) throw new Error('QEMU has no monitor');
		connection = await connect(socket);
		if (!connection) await pause(10);
	}
	const open = connection;
	const lines = createInterface(open)[Symbol.asyncIterator]();
	const next = async (): Promise<string> => {
		for (;;) {
			const { value, done } = await lines.next();
			if (done) throw new Error('QEMU closed its monitor');
			if (/^\{"(return|error|QMP)"/.test(value)) return value;
		}
	};
	const ask = (command: string) => {
		open.write(JSON.stringify({ execute: command }));
		return next();
	};
	await next();
	await ask('qmp_capabilities');
	return { ask, close: () => open.destroy() };
};

const ends = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.on('exit', resolve));

const pause = (milliseconds: number) => new Promise<'runs'>((resolve) => setTimeout(() => resolve('runs'), milliseconds));

/**
 * Start QEMU, and the TPM that libvirt would start beside it, and quit it again.
 * @param running how long its processors run in between, in milliseconds; 0 for not at all.
 * @returns '' if it was there all the time and said that it waits or runs; else what went wrong.
 */
export const start = async (root: string, command: string, running: number): Promise<string> => {
	const socket = path.join(root, 'monitor.sock');
	fs.rmSync(socket, { force: true });
	if (command.includes('vars.fd')) fs.copyFileSync(VARIABLES, path.join(root, 'vars.fd'));
	const tpm = command.includes('swtpm.sock')
		? spawn('swtpm', ['socket', '--tpm2', '--tpmstate', `dir=${root}`, '--ctrl', `type=unixio,path=${root}/swtpm.sock`], {
				stdio: 'ignore',
			})
		: undefined;
	while (tpm && !fs.existsSync(path.join(root, 'swtpm.sock')) && tpm.exitCode === null) await pause(10);
	const child = spawn('sh', ['-c', `exec ${command}`], { stdio: ['ignore', 'ignore', 'pipe'], cwd: root });
	let said = '';
	child.stderr.on('data', (part) => {
		said += part;
	});
	const ended = ends(child);
	try {
		const deadline = performance.now() + PATIENCE;
		const monitor = await monitorOf(socket, () => child.exitCode === null && performance.now() < deadline);
		const before = await monitor.ask('query-status');
		if (!before.includes('"prelaunch"')) return before;
		if (running > 0) {
			await monitor.ask('cont');
			await Promise.race([ended, pause(running)]);
			const after = await monitor.ask('query-status');
			if (!after.includes('"running"')) return `${after}${said}`;
		}
		await monitor.ask('quit').catch(() => '');
		monitor.close();
		const code = await ended;
		return code === 0 ? '' : `it ended with ${code}: ${said}`;
	} catch (error) {
		return `${error}: ${said}`;
	} finally {
		child.kill('SIGKILL');
		tpm?.kill('SIGKILL');
		await ended;
	}
};
