import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from './programs.ts';

/**
 * What a live libvirt says of a VMX; undefined if it refuses it. Its driver for Workstation wants to see two programs of VMware's,
 * and nothing of them.
 */
export const askLibvirt = (vmx: string): string | undefined => {
	const folder = temporaryFolder();
	const stub = (name: string, said: string) => fs.writeFileSync(path.join(folder, name), `#!/bin/sh\necho "${said}"\n`, { mode: 0o755 });
	stub('vmrun', 'Total running VMs: 0');
	stub('vmware', 'VMware Workstation 17.0.0 build-20800274');
	const file = path.join(folder, 'machine.vmx');
	fs.writeFileSync(file, vmx);
	const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}`, HOME: folder, XDG_RUNTIME_DIR: folder, XDG_CONFIG_HOME: folder };
	const ran = spawnSync('virsh', ['-q', '-c', 'vmwarews:///session', 'domxml-from-native', 'vmware-vmx', file], { encoding: 'utf8', env });
	return ran.status === 0 ? ran.stdout : undefined;
};
