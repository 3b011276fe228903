/** What the value of a key is; in CSV `flag` is `yes` or `no`, `options` is `k=v,k=v`, and lists part their items with `;`. */
type FieldType = 'text' | 'path' | 'flag' | 'number' | 'texts' | 'paths' | 'options';

type Field = {
	readonly type: FieldType;
	/** The option of the command that it becomes; undefined for words that stand as they are. */
	readonly flag?: string;
	/** Without it the command does nothing: a value that it takes. */
	readonly needed?: string;
};

export type JobKind = {
	/** The command that does it. */
	readonly command: string;
	/** What makes it say how far it is, and what came of it. */
	readonly live: readonly string[];
	/** What `to` is. */
	readonly target: 'file' | 'folder' | 'none';
	/** What `from` is: the files of a folder that are taken for jobs. */
	readonly source: 'disk' | 'machine';
	readonly fields: Readonly<Record<string, Field>>;
};

/** The value of one key, read: options of a format are a list of `name=value`. */
export type Value = string | boolean | readonly string[];

const ARGUMENTS = { arguments: { type: 'texts' } } as const satisfies Record<string, Field>;

/** What can be done to many: a job is one run of a command of vconv. */
export const jobKinds: Readonly<Record<string, JobKind>> = {
	convert: {
		command: 'convert',
		live: ['--json', '--progress=json'],
		target: 'file',
		source: 'disk',
		fields: {
			format: { type: 'text', flag: '-O' },
			'input-format': { type: 'text', flag: '-f' },
			options: { type: 'options', flag: '-o' },
			compress: { type: 'flag', flag: '-c' },
			for: { type: 'text', flag: '--for' },
			snapshot: { type: 'text', flag: '-l' },
			backing: { type: 'path', flag: '-B' },
			'backing-format': { type: 'text', flag: '-F' },
			'keep-chain': { type: 'flag', flag: '--keep-chain' },
			layer: { type: 'flag', flag: '--layer' },
			'sector-size': { type: 'number', flag: '--sector-size' },
			'sparse-size': { type: 'text', flag: '-S' },
			threads: { type: 'number', flag: '-m' },
			verify: { type: 'text', flag: '--verify' },
			'verify-with': { type: 'text', flag: '--verify-with' },
			proof: { type: 'flag', flag: '--proof' },
			'allow-external': { type: 'paths', flag: '--allow-external' },
			untrusted: { type: 'flag', flag: '--untrusted' },
			limits: { type: 'texts', flag: '--limit' },
			mode: { type: 'text', flag: '--mode' },
			force: { type: 'flag', flag: '--force' },
			'skip-space-check': { type: 'flag', flag: '--skip-space-check' },
			...ARGUMENTS,
		},
	},
	migrate: {
		command: 'migrate',
		live: ['--json', '--progress=json'],
		target: 'folder',
		source: 'machine',
		fields: { target: { type: 'text', flag: '--to', needed: 'libvirt' }, ...ARGUMENTS },
	},
	validate: {
		command: 'validate',
		live: ['--json'],
		target: 'none',
		source: 'machine',
		fields: { target: { type: 'text', flag: '--to', needed: 'libvirt' }, ...ARGUMENTS },
	},
};

/** The words after `vconv` that do a job: always in the same order, so that the same job has the same words. */
export const argvOf = (kind: JobKind, values: ReadonlyMap<string, Value>, from: string, to: string | undefined): string[] => {
	const words = Object.entries(kind.fields).flatMap(([name, { flag }]): string[] => {
		const value = values.get(name);
		if (value === undefined || value === false) return [];
		if (value === true) return flag ? [flag] : [];
		const said = typeof value === 'string' ? [value] : value;
		return flag ? said.flatMap((each) => [flag, each]) : [...said];
	});
	return [kind.command, ...words, from, ...(to === undefined ? [] : [to])];
};
