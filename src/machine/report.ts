import { CODES, type Code, type Loss, type Severity } from './codes.ts';
import type { RawEntry } from './spec.ts';

/** Something that a translation dropped, changed or assumed, and what it means. No value of a secret is in it. */
export type ReportEntry = {
	readonly severity: Severity;
	readonly code: Code;
	/** One sentence for people. */
	readonly message: string;
	/** What it is about: `ethernet0`, `scsi0:1`, `cpu`. */
	readonly subject: string;
	/** The keys of the source that it speaks for. */
	readonly keys: readonly string[];
	/** `kept`: the result does not act on it, and keeps it for the way back. */
	readonly action: 'dropped' | 'changed' | 'defaulted' | 'kept' | 'none';
	readonly loss: Loss;
	/** What to do about it. */
	readonly remedy?: string | undefined;
};

type Said = Pick<ReportEntry, 'subject' | 'message'> & Partial<Pick<ReportEntry, 'keys' | 'action' | 'severity' | 'remedy'>>;

/** An entry, with what the catalogue has for its code; something was dropped where nothing else is said. */
export const entry = (code: Code, { subject, message, keys = [], action = 'dropped', ...rest }: Said): ReportEntry => ({
	...CODES[code],
	code,
	message,
	subject,
	keys,
	action,
	...rest,
});

/** Names of keys whose values are nobody's business. */
const SECRET =
	/pass(word|wd|phrase|code)|pass\b|secret|token|credential|(api|access|private)[-_]?key|^qemu:commandline\/qemu:env(\[\d+\])?\/@value$|^encryption\.|^vtpm\.ek|vnc\.key$|^machine\.id$|\/source\/@query$|\/cookies\/cookie/i;

/** What a guest is given to set itself up: whole configurations, with the keys and passwords in them. */
const FOR_GUEST =
	/^guestinfo\.((user|vendor|meta)-?data|ovfenv|ignition|butane|combustion|kickstart|runcmd|coreos|talos|.*p(wd?|sw)(\b|_)|.*(key|cred|cert|private|kubeconfig|cloud-?init))|^sysinfo(\[\d+\])?\/(entry|oemstrings\/)/i;

/** Whether a key holds something that no report and no result may show. */
export const isSecret = (key: string): boolean => SECRET.test(key) || FOR_GUEST.test(key);

/** Arguments of QEMU that carry a secret, or what the guest is given: `secret,id=s,data=…`, `name=opt/org.x,string=…`, `value=io.systemd.credential:…`. */
const SECRET_ARGUMENT = /pass(word|wd|phrase)|secret|token|credential|\b(data|string)=|:\/\/[^/]*@/i;

const holdsSecret = ({ key, value }: RawEntry): boolean =>
	isSecret(key) || (key.startsWith('qemu:commandline/') && SECRET_ARGUMENT.test(value));

/** A value as a report may show it. */
export const shown = (piece: RawEntry): string => {
	const { value } = piece;
	if (holdsSecret(piece)) return 'a secret';
	return value.length > 60 ? `'${value.slice(0, 60)}…'` : `'${value}'`;
};

/** More keys are not named in a message; the entry has them all. */
const NAMED = 4;

/** What the report says of pieces that the target has no place for: one entry for each code and subject. */
export const leftovers = (extras: readonly RawEntry[], target: string, action: ReportEntry['action'] = 'dropped'): ReportEntry[] => {
	const groups = new Map<string, RawEntry[]>();
	for (const extra of extras) {
		const group = `${extra.code} ${extra.subject}`;
		const others = groups.get(group);
		if (others) others.push(extra);
		else groups.set(group, [extra]);
	}
	return [...groups.values()].map((group) => {
		const { code, subject } = group[0] as RawEntry;
		const named = group.slice(0, NAMED).map((extra) => `${extra.key} (${shown(extra)})`);
		const more = group.length > NAMED ? ` and ${group.length - NAMED} more` : '';
		const message = `${target} has no place for ${named.join(', ')}${more}`;
		const keys = group.map(({ key }) => key);
		if (!group.some(holdsSecret)) return entry(code, { subject, message, keys, action });
		return entry(code, {
			remedy: 'carry it over by hand',
			...CODES[code],
			subject,
			message: `${message}; no secret is kept`,
			keys,
			action,
		});
	});
};
