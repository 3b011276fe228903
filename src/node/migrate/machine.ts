import fs from 'node:fs';
import path from 'node:path';
import { AccessError, UnsupportedError, UsageError } from '../../errors.ts';
import type { Machine, MachineFormat } from '../../machine/format.ts';
import { parseMachine } from '../../machine/plan.ts';
import type { MachineFacts } from '../../validate/facts.ts';
import { readDescription } from '../description.ts';
import { accessError, openFile } from '../file.ts';
import { isFolder, refuseLink, type Trust } from '../links.ts';
import { machineFacts } from '../validate/description.ts';
import { refuseRunning } from '../vm-folder.ts';

export type MachineOptions = Trust & {
	/** Forms of descriptions to know. */
	readonly machineFormats: readonly MachineFormat[];
	/** Go on though a lock says that the machine runs. */
	readonly allowRunning?: boolean | undefined;
	/** Go on with a suspended machine, whose memory is lost. */
	readonly discardSuspend?: boolean | undefined;
};

/**
 * A machine that is off, from its description or from a folder that has one.
 * @throws AccessError if there is none; UsageError if there are several; UnsupportedError for one that is running, suspended or encrypted.
 */
export const readMachine = async (
	vm: string,
	options: MachineOptions,
): Promise<{ readonly machine: Machine; readonly facts: MachineFacts }> => {
	const { machineFormats, allowRunning = false, discardSuspend = false } = options;
	const source = await openFile(isFolder(vm) ? descriptionIn(vm, options) : vm);
	try {
		const machine = parseMachine(await readDescription(source), source.name, machineFormats);
		const facts = await machineFacts(machine, machineFormats);
		if (!allowRunning) refuseRunning(facts.locks);
		const [memory] = facts.suspended;
		if (memory !== undefined && !discardSuspend) {
			throw new UnsupportedError('the machine is suspended: this is its memory', {
				path: memory,
				hint: 'resuming it and shutting it down; --discard-suspend gives its memory up, as a loss of power does',
			});
		}
		return { machine, facts };
	} finally {
		await source.close();
	}
};

/** The one description in a folder: a VMX counts before a domain. */
const descriptionIn = (folder: string, { machineFormats, ...trust }: MachineOptions): string => {
	let names: string[];
	try {
		names = fs.readdirSync(folder).sort();
	} catch (cause) {
		throw accessError('cannot be listed', folder, cause);
	}
	for (const { extensions, name: kind } of machineFormats) {
		const found = names.filter((name) => extensions.includes(path.extname(name).slice(1).toLowerCase()));
		if (found.length > 1) {
			const hint = `one of them: ${found.slice(0, 5).join(', ')}${found.length > 5 ? ', …' : ''}`;
			throw new UsageError(`it has ${found.length} files that may be a ${kind}`, { path: folder, hint });
		}
		if (found[0] === undefined) continue;
		const file = path.join(folder, found[0]);
		refuseLink(file, [folder], trust);
		return file;
	}
	throw new AccessError('no machine is described in it', { path: folder, hint: 'the .vmx or the libvirt XML of the machine' });
};
