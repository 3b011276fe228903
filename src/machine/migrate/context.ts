import { notInXml } from '../../bytes/xml-text.ts';
import type { Code } from '../codes.ts';
import type { Machine } from '../format.ts';
import { entry, holdsSecret, leftovers, type ReportEntry } from '../report.ts';
import type { RawEntry, VmSpec } from '../spec.ts';
import type { GuestOs } from './guests.ts';
import type { MigrateOptions } from './options.ts';

type More = Partial<Pick<ReportEntry, 'keys' | 'action' | 'severity' | 'remedy'>>;

/** A migration being planned. */
export type Context = {
	readonly options: MigrateOptions;
	/** As it was read. */
	readonly source: VmSpec;
	/** The file, as the user named it. */
	readonly path: string;
	readonly guest: GuestOs;
	/** Add to the report. The keys are accounted for with it. */
	tell(code: Code, subject: string, message: string, more?: More): void;
	/** The result says these keys in its own way. One whose value the reader could not make sense of stays unaccounted. */
	honour(...keys: string[]): void;
	/** The value of a piece that the model has no place for. */
	extra(key: string): RawEntry | undefined;
	/** What was told, and a word on everything that nobody accounted for. */
	finish(target: string): readonly ReportEntry[];
};

export const context = ({ spec, path, report }: Machine, options: MigrateOptions, guest: GuestOs): Context => {
	const told: ReportEntry[] = [];
	const accounted = new Set<string>();
	const extras = new Map(spec.extras.map((extra) => [extra.key.toLowerCase(), extra]));
	const kept = options.keepSource ?? true;
	return {
		options,
		source: spec,
		path,
		guest,
		tell(code, subject, message, { keys = [], action = 'changed', ...more } = {}) {
			for (const key of keys) accounted.add(key.toLowerCase());
			told.push(entry(code, { subject, message, keys, action, ...more }));
		},
		honour(...keys) {
			for (const key of keys) if (extras.get(key.toLowerCase())?.held) accounted.add(key.toLowerCase());
		},
		extra: (key) => extras.get(key.toLowerCase()),
		finish(target) {
			const left = spec.extras.filter(({ key }) => !accounted.has(key.toLowerCase()));
			const isKept = ({ key, value }: RawEntry): boolean => kept && canKeep(key, value);
			return [
				...report,
				...told,
				...leftovers(left.filter(isKept), target, 'kept'),
				...leftovers(
					left.filter((extra) => !isKept(extra)),
					target,
				),
			];
		},
	};
};

/** A longer value is not kept, in characters: no attribute of a domain should be. */
const MAX_KEPT = 16 << 10;

/** What the domain says itself, whatever is in it: the name and the notes. */
const SAID_ANYWAY = /^(displayname|annotation)$/i;

/** Whether a key of the source may stand in the result. */
export const canKeep = (key: string, value: string): boolean =>
	value.length <= MAX_KEPT && (SAID_ANYWAY.test(key) || !holdsSecret({ key, value })) && notInXml(`${key} ${value}`) === undefined;
