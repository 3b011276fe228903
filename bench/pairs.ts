import type { Inputs } from './inputs.ts';

/** One conversion that is measured against qemu-img. */
export type Pair = {
	readonly name: string;
	/** The raw disk it starts from. */
	readonly from: keyof Inputs;
	/** qemu-img's arguments that make the input of the pair from that disk; left out where it is the raw disk itself. */
	readonly input?: readonly string[];
	/** What qemu-img and vconv are given between `convert` and the names. */
	readonly qemu: readonly string[];
	readonly vconv: readonly string[];
	/** The format of the output, for `qemu-img compare`. */
	readonly output: string;
	/** The median ratio to reach, vconv's time by qemu-img's. */
	readonly goal: number;
	/** The output's size by qemu-img's, where that is a goal too. */
	readonly size?: number;
	/** Measured against `cp --sparse=always` as well. */
	readonly copy?: boolean;
};

const same = (...words: readonly string[]) => ({ qemu: words, vconv: words });

export const pairs: readonly Pair[] = [
	{ name: 'raw → qcow2', from: 'base', ...same('-O', 'qcow2'), output: 'qcow2', goal: 0.95, copy: true },
	{ name: 'qcow2 → raw', from: 'base', input: ['-O', 'qcow2'], ...same('-O', 'raw'), output: 'raw', goal: 1.0, copy: true },
	{ name: 'raw → raw', from: 'base', ...same('-O', 'raw'), output: 'raw', goal: 1.1, copy: true },
	{ name: 'raw → vmdk sparse', from: 'base', ...same('-O', 'vmdk'), output: 'vmdk', goal: 0.35 },
	{ name: 'raw → vhd dynamic', from: 'base', qemu: ['-O', 'vpc', '-o', 'force_size=on'], vconv: ['-O', 'vhd'], output: 'vpc', goal: 0.8 },
	{ name: 'raw → vhdx dynamic', from: 'base', ...same('-O', 'vhdx'), output: 'vhdx', goal: 0.85 },
	{ name: 'vmdk sparse → qcow2', from: 'base', input: ['-O', 'vmdk'], ...same('-O', 'qcow2'), output: 'qcow2', goal: 0.5 },
	{ name: 'vhdx → qcow2', from: 'base', input: ['-O', 'vhdx'], ...same('-O', 'qcow2'), output: 'qcow2', goal: 0.95 },
	{ name: 'raw → qcow2 -c zlib', from: 'mid', ...same('-c', '-O', 'qcow2'), output: 'qcow2', goal: 0.45, size: 1.01 },
	{
		name: 'raw → qcow2 -c zstd',
		from: 'mid',
		...same('-c', '-O', 'qcow2', '-o', 'compression_type=zstd'),
		output: 'qcow2',
		goal: 0.85,
		size: 1.03,
	},
	{
		name: 'raw → vmdk stream',
		from: 'mid',
		...same('-O', 'vmdk', '-o', 'subformat=streamOptimized'),
		output: 'vmdk',
		goal: 0.2,
		size: 1.04,
	},
	{
		name: 'vmdk stream → qcow2',
		from: 'mid',
		input: ['-O', 'vmdk', '-o', 'subformat=streamOptimized'],
		...same('-O', 'qcow2'),
		output: 'qcow2',
		goal: 0.3,
	},
	{ name: 'qcow2 zlib → raw', from: 'mid', input: ['-c', '-O', 'qcow2'], ...same('-O', 'raw'), output: 'raw', goal: 0.5 },
	{ name: 'qcow2 zlib → qcow2 zlib', from: 'mid', input: ['-c', '-O', 'qcow2'], ...same('-c', '-O', 'qcow2'), output: 'qcow2', goal: 0.1 },
	{ name: 'huge raw → qcow2', from: 'huge', ...same('-O', 'qcow2'), output: 'qcow2', goal: 1.5 },
	{ name: 'huge qcow2 → vhdx', from: 'huge', input: ['-O', 'qcow2'], ...same('-O', 'vhdx'), output: 'vhdx', goal: 1.5 },
];
