import type { SoftwareFacts } from '../facts.ts';
import type { Key } from '../registry/keys.ts';
import { type Registry, textAt } from './hives.ts';

/** Where programs say how they are uninstalled: those of 64 bits, and of 32 on a Windows of 64. */
const UNINSTALL = ['Microsoft\\Windows\\CurrentVersion\\Uninstall', 'WOW6432Node\\Microsoft\\Windows\\CurrentVersion\\Uninstall'];

/** What watches drivers and the boot, and may stop new ones. */
const ANTIVIRUS =
	/virus|kaspersky|mcafee|trellix|norton|symantec endpoint|sophos|apex ?one|trend micro|avg technologies|\beset\b|bitdefender|crowdstrike|sentinel ?(one|agent)|carbon black|cylance|cortex xdr|f-secure|withsecure/i;

type Program = { readonly name: string; readonly version: string | undefined; readonly publisher: string | undefined };

/** Guest tools and what else is installed that a move concerns. */
export const windowsSoftware = async ({ software, controlSet }: Registry): Promise<SoftwareFacts> => {
	const programs: Program[] = [];
	for (const path of UNINSTALL) {
		for (const key of (await (await software?.key(path))?.keys()) ?? []) {
			const program = await programOf(key);
			if (program) programs.push(program);
		}
	}
	const named = (pattern: RegExp): string | undefined => {
		const found = programs.find(({ name }) => pattern.test(name));
		return found && [found.name, found.version].filter((part) => part !== undefined).join(' ');
	};
	const antivirus = programs.filter(({ name, publisher }) => ANTIVIRUS.test(name) || ANTIVIRUS.test(publisher ?? ''));
	const agent = await controlSet.key('Services\\QEMU-GA');
	return {
		vmwareTools: named(/^vmware tools/i),
		hypervTools: await hypervTools(software),
		virtualboxTools: named(/virtualbox guest additions/i),
		xenTools: named(/^(citrix (hypervisor|xenserver)|xenserver|xcp-ng|xen) .*(tools|drivers)/i),
		qemuAgent: named(/^qemu guest agent/i) ?? (agent ? 'QEMU-GA' : undefined),
		cloudInit: named(/^cloudbase-init/i),
		antivirus: [...new Set(antivirus.map(({ name }) => name))],
	};
};

const programOf = async (key: Key): Promise<Program | undefined> => {
	const name = await key.text('DisplayName');
	return name === undefined || name === ''
		? undefined
		: { name, version: await key.text('DisplayVersion'), publisher: await key.text('Publisher') };
};

/** Built into Windows 8 and later, where the host leaves its mark once it has talked to them. */
const hypervTools = async (software: Key | undefined): Promise<string | undefined> => {
	const version = await textAt(software, 'Microsoft\\Virtual Machine\\Auto', 'IntegrationServicesVersion');
	if (version !== undefined) return version;
	return (await software?.key('Microsoft\\Virtual Machine\\Guest\\Parameters')) ? 'built in' : undefined;
};
