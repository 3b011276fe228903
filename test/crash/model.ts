import type { Files } from '../../src/node/files.ts';
import { systemError } from '../helpers/faults.ts';

/** The power failed, or the process was killed: no call comes back any more. */
export class Crash extends Error {}

const SECTOR = 512;

/** A change of a file that only the page cache has. */
type Change = { readonly at: number; readonly bytes: Uint8Array } | { readonly size: number };

type Inode = {
	readonly id: number;
	/** What whoever reads it sees. */
	bytes: Uint8Array<ArrayBuffer>;
	/** What the disk has for sure. */
	stable: Uint8Array<ArrayBuffer>;
	/** On the way to it, in any order and any part. */
	changes: Change[];
	locked: boolean;
};

/** A disk with a page cache in front of it, and one folder. */
export type Model = {
	readonly files: Files;
	/** Crash at the call of this number from now on; 0 never does. */
	crashAt(call: number): void;
	/**
	 * The system starts again. After a power failure each sector and each name that was not synced is there or not, by `random`; after a mere kill
	 * everything is.
	 */
	restart(power: boolean, random: () => number): void;
	/** Every name there is, with what a reader sees. */
	contents(): Map<string, Uint8Array>;
	put(name: string, bytes: Uint8Array): void;
};

const apply = (bytes: Uint8Array<ArrayBuffer>, change: Change): Uint8Array<ArrayBuffer> => {
	if ('size' in change) {
		const cut = new Uint8Array(change.size);
		cut.set(bytes.subarray(0, change.size));
		return cut;
	}
	const end = change.at + change.bytes.length;
	const whole = end > bytes.length ? apply(bytes, { size: end }) : bytes;
	whole.set(change.bytes, change.at);
	return whole;
};

export const model = (): Model => {
	let names = new Map<string, Inode>();
	let stableNames = new Map<string, Inode>();
	let descriptors = new Map<number, Inode>();
	let nextId = 1;
	let calls = 0;
	let end = 0;
	let dead = false;

	const tick = (): void => {
		calls++;
		if (dead || calls === end) {
			dead = true;
			throw new Crash('crash');
		}
	};
	const create = (name: string): Inode => {
		const inode = { id: nextId++, bytes: new Uint8Array(), stable: new Uint8Array(), changes: [], locked: false };
		names.set(name, inode);
		return inode;
	};
	const opened = (inode: Inode): number => {
		const fd = nextId++;
		descriptors.set(fd, inode);
		return fd;
	};
	const at = (fd: number): Inode => {
		const inode = descriptors.get(fd);
		if (!inode) throw systemError('EBADF');
		return inode;
	};
	const named = (name: string): Inode => {
		const inode = names.get(name);
		if (!inode) throw systemError('ENOENT');
		return inode;
	};
	const change = (inode: Inode, one: Change): void => {
		inode.bytes = apply(inode.bytes, one);
		inode.changes.push(one);
	};
	const sync = (inode: Inode): void => {
		inode.stable = inode.bytes.slice();
		inode.changes = [];
	};

	const files: Files = {
		create(name) {
			tick();
			if (names.has(name)) throw systemError('EEXIST');
			return opened(create(name));
		},
		open(name) {
			tick();
			return opened(named(name));
		},
		async openLocked(name) {
			tick();
			const inode = names.get(name) ?? create(name);
			if (inode.locked) return undefined;
			inode.locked = true;
			return opened(inode);
		},
		state(fd) {
			tick();
			const inode = at(fd);
			const links = [...names.values()].filter((other) => other === inode).length;
			return { id: `${inode.id}`, size: inode.bytes.length, allocated: inode.bytes.length, links, own: true };
		},
		read(fd, bytes, position) {
			tick();
			const part = at(fd).bytes.subarray(position, position + bytes.length);
			bytes.set(part);
			return part.length;
		},
		write(fd, bytes, start, length, position) {
			// A write that is cut off by the end leaves some of its sectors.
			for (let done = 0; done < length; ) {
				tick();
				const count = Math.min(length - done, SECTOR - ((position + done) % SECTOR));
				change(at(fd), { at: position + done, bytes: bytes.slice(start + done, start + done + count) });
				done += count;
			}
			return length;
		},
		truncate(fd, size) {
			tick();
			change(at(fd), { size });
		},
		chmod() {
			tick();
		},
		reserve() {
			tick();
		},
		fsync(fd) {
			tick();
			sync(at(fd));
		},
		async fdatasync(fd) {
			tick();
			sync(at(fd));
		},
		close(fd) {
			tick();
			at(fd).locked = false;
			descriptors.delete(fd);
		},
		idOf(name) {
			tick();
			const inode = names.get(name);
			return inode && `${inode.id}`;
		},
		link(from, to) {
			tick();
			if (names.has(to)) throw systemError('EEXIST');
			names.set(to, named(from));
		},
		rename(from, to) {
			tick();
			names.set(to, named(from));
			names.delete(from);
		},
		remove(name) {
			tick();
			names.delete(name);
		},
		fsyncFolder() {
			tick();
			stableNames = new Map(names);
		},
	};

	return {
		files,
		crashAt(call) {
			calls = 0;
			end = call;
			dead = false;
		},
		restart(power, random) {
			descriptors = new Map();
			if (power) {
				const left = new Map<string, Inode>();
				for (const name of new Set([...names.keys(), ...stableNames.keys()])) {
					const inode = random() < 0.5 ? names.get(name) : stableNames.get(name);
					if (inode) left.set(name, inode);
				}
				names = left;
				for (const inode of new Set(names.values())) {
					let bytes = inode.stable.slice();
					// Often nothing is lost, or nearly all, which is what a coin for each sector would never show.
					const luck = [0, 0.1, 0.5, 0.9, 1][Math.floor(random() * 5)] as number;
					for (const one of inode.changes) if (random() < luck) bytes = apply(bytes, one);
					inode.bytes = bytes;
					sync(inode);
				}
				stableNames = new Map(names);
			}
			for (const inode of names.values()) inode.locked = false;
			end = 0;
			dead = false;
		},
		contents: () => new Map([...names].map(([name, { bytes }]) => [name, bytes])),
		put(name, bytes) {
			change(create(name), { at: 0, bytes });
			sync(named(name));
			stableNames.set(name, named(name));
		},
	};
};
