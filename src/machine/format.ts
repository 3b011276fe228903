import type { ReportEntry } from './report.ts';
import type { Origin, VmSpec } from './spec.ts';

/** A form of machine descriptions. One of these per folder in formats/, listed once in formats/machines.ts. */
export interface MachineFormat {
	readonly id: string;
	/** For people. */
	readonly name: string;
	/** Without the dot; the first is the usual one. */
	readonly extensions: readonly string[];
	/** Files that describe no machine are called so too. */
	readonly sharesExtensions?: boolean | undefined;
	/** Whether these bytes, the whole file, are such a description. It may claim a damaged one. */
	probe(bytes: Uint8Array): boolean;
	/**
	 * What a description says. Nothing is dropped: what the model has no place for is in `extras`.
	 * @param path what to call the file in a message.
	 * @throws CorruptError, UnsupportedError.
	 */
	parse(bytes: Uint8Array, path: string): Machine;
	/** The same from `entries` that another description kept; not there where nobody keeps them. */
	parseEntries?(entries: Origin['entries'], path: string): Machine;
	/**
	 * The text of a planned machine.
	 * @throws UnsupportedError for text that the form cannot hold.
	 */
	print(spec: VmSpec): string;
	/**
	 * The snapshots that a file beside a description lists; absent for forms without such a file.
	 * @throws CorruptError, UnsupportedError.
	 */
	listSnapshots?(bytes: Uint8Array, path: string): readonly ListedSnapshot[];
	/**
	 * Whether that file says that disks are still chains of snapshots which were removed.
	 * @throws CorruptError, UnsupportedError.
	 */
	needsConsolidation?(bytes: Uint8Array, path: string): boolean;
}

/** A snapshot in a list of them. */
export type ListedSnapshot = {
	readonly name: string;
	/** The file with the state of the machine at that moment, by its name beside the list. */
	readonly stateFile?: string | undefined;
};

/** A description that was read. */
export type Machine = {
	/** The id of its format. */
	readonly format: string;
	/** The file, as the user named it. */
	readonly path: string;
	readonly spec: VmSpec;
	/** What the file says, piece by piece in its order, for a result to keep; undefined where nobody keeps it. */
	readonly entries?: readonly (readonly [key: string, value: string])[] | undefined;
	/** The description that this one was made from, as far as it was kept in it. */
	readonly origin?: Machine | undefined;
	/** What the reader met in the text: oddities of the file, not losses of a translation. */
	readonly report: readonly ReportEntry[];
};
