import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { removeSync } from 'fs-extra/esm';
import { onTestFinished } from 'vitest';
import { has, requires } from './programs.ts';

const LIBRARIES = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'];

/** Whether libvirt's driver of QEMU is here. */
export const hasQemuDriver = (): boolean =>
	has('virsh') &&
	has('setpriv') &&
	requires(
		LIBRARIES.some((folder) => fs.existsSync(`${folder}/libvirt/connection-driver/libvirt_driver_qemu.so`)),
		"libvirt's driver of QEMU is not installed",
	);

/**
 * libvirt's driver of QEMU without a daemon, which works for anybody but root; who is root becomes nobody, in a network of its own for the
 * cards. Hardware specification, section 14.5.
 */
export const virsh = (root: string, argv: readonly string[], input = '') => {
	const isRoot = process.getuid?.() === 0;
	const nobody = [
		'unshare',
		'-n',
		'setpriv',
		'--reuid=65534',
		'--regid=65534',
		'--clear-groups',
		'--inh-caps=+net_admin',
		'--ambient-caps=+net_admin',
	];
	const [program = '', ...rest] = [...(isRoot ? nobody : []), 'virsh', '-q', '-c', `qemu:///embed?root=${root}`, ...argv];
	const env = { ...process.env, HOME: root, XDG_RUNTIME_DIR: root, XDG_CONFIG_HOME: root, XDG_CACHE_HOME: root, XDG_DATA_HOME: root };
	return spawnSync(program, rest, { encoding: 'utf8', env, input, cwd: root, timeout: 60_000 });
};

/** A folder that nobody can write to, and short, as sockets are in it. It goes when the test ends. */
export const openFolder = (): string => {
	const folder = fs.mkdtempSync('/tmp/vconv-');
	fs.chmodSync(folder, 0o777);
	onTestFinished(() => removeSync(folder));
	return folder;
};

/** A domain as it is for a host without KVM, what it does for Windows, and its networks, where a session cannot weigh machines and there is no vTPM. */
export const forSession = (xml: string): string =>
	xml
		.replace("<domain type='kvm'", "<domain type='qemu'")
		.replace(/<cputune>.*?<\/cputune>/s, '')
		.replace("<smbios mode='host'/>", '')
		.replaceAll(/<interface type='network'>/g, "<interface type='user'>")
		.replaceAll(/<source network='[^>]*\/>/g, '')
		.replace(/<hyperv .*?<\/hyperv>/s, '')
		.replaceAll('/var/lib/libvirt/images', '/tmp');

/**
 * The command line of QEMU that libvirt makes of a domain, for `sh -c`, without what libvirt itself would have made: a key, and folders for
 * sockets. @throws if libvirt says anything but that.
 */
export const qemuCommand = (root: string, xml: string): string => {
	const file = path.join(root, 'machine.xml');
	fs.writeFileSync(file, xml);
	fs.chmodSync(file, 0o644);
	const { stdout, stderr } = virsh(root, ['domxml-to-native', 'qemu-argv', '--xml', file]);
	if (stderr !== '') throw new Error(stderr);
	return stdout
		.slice(stdout.indexOf('/usr/bin/qemu'))
		.replace(/-object '\{"qom-type":"secret"[^']*' /, '')
		.replace(/-sandbox \S+ ?/, '')
		.replaceAll(/path=[^, ]*\/([^/, ]+)(?=,server)/g, `path=${root}/$1`);
};
