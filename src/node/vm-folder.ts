import fs from 'node:fs';
import path from 'node:path';
import { UnsupportedError } from '../errors.ts';

/** What lies beside a VMX and says something of its machine. */
export type Surroundings = {
	/** The list of its snapshots. */
	readonly snapshotList?: string | undefined;
	/** Locks of a product that has it open. */
	readonly locks: readonly string[];
	/** The memory of a machine that was suspended, or that runs. */
	readonly memory: readonly string[];
};

/** Look around a VMX. A folder that cannot be listed tells nothing. */
export const surroundings = (vmx: string): Surroundings => {
	const folder = path.dirname(vmx);
	const stem = path.basename(vmx).replace(/\.\w+$/, '');
	let names: string[] = [];
	try {
		names = fs.readdirSync(folder);
	} catch {
		return { locks: [], memory: [] };
	}
	const list = names.find((name) => name.toLowerCase() === `${stem}.vmsd`.toLowerCase());
	const isMemory = (name: string): boolean => name.startsWith(stem) && /^(-[0-9a-f]{8})?\.(vmss|vmem)$/i.test(name.slice(stem.length));
	return {
		snapshotList: list && path.join(folder, list),
		locks: names.filter((name) => name.startsWith(`${stem}.`) && name.endsWith('.lck')).map((name) => path.join(folder, name)),
		memory: names.filter(isMemory).map((name) => path.join(folder, name)),
	};
};

/** @throws UnsupportedError for a machine with locks. */
export const refuseRunning = ([lock]: Surroundings['locks']): void => {
	if (lock === undefined) return;
	throw new UnsupportedError('the machine is running, or was when its product broke off', {
		path: lock,
		hint: 'shutting it down; --allow-running, if the lock is old',
	});
};
