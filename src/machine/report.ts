import { isSecretName, redact } from '../bytes/redact.ts';
import { commandLineWithoutSecrets } from '../guest/linux/secrets.ts';
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

type Told = Pick<ReportEntry, 'subject' | 'message'> & Partial<Pick<ReportEntry, 'keys' | 'action' | 'severity' | 'remedy'>>;

/** An entry, with what the catalogue has for its code; something was dropped where nothing else is said. */
export const entry = (code: Code, { subject, message, keys = [], action = 'dropped', ...rest }: Told): ReportEntry => ({
	...CODES[code],
	code,
	message,
	subject,
	keys,
	action,
	...rest,
});

type Said = Pick<RawEntry, 'key' | 'value'>;

/** Further keys whose values are nobody's business: those of an encrypted machine, of QEMU's surroundings, of a disk on the web. */
const SECRET =
	/^[^/:]+:commandline\/[^/:]+:env(\[\d+\])?\/@value$|^encryption\.|^vtpm\.ek|vnc\.key$|^machine\.id$|\/source\/@query$|\/cookies\/cookie/i;

/** What a guest is given to set itself up: whole configurations, with the keys and passwords in them. */
const FOR_GUEST =
	/^guestinfo\.((user|vendor|meta)-?data|ovfenv|ignition|butane|combustion|kickstart|runcmd|coreos|talos|.*p(wd?|sw)(\b|_)|.*(key|cred|cert|private|kubeconfig|cloud-?init))|^sysinfo(\[\d+\])?\/(entry|oemstrings\/)/i;

const isSecret = (key: string): boolean => isSecretName(key) || SECRET.test(key) || FOR_GUEST.test(key);

/** Arguments of QEMU that the guest, or QEMU alone, is given: `secret,id=s,data=…`, `name=opt/org.x,string=…`, `type=11,value=…`, `rbd:…:key=…`. */
const GIVEN = /\b(data|string|value|key)["']?\s*[=:]/i;

/** Whether no report may show any of a piece. */
export const isHidden = ({ key, value }: Said): boolean =>
	isSecret(key) || (/^[^/:]+:commandline\//.test(key) && (GIVEN.test(value) || isSecretName(value)));

/** A value without the secrets in its text. */
export const withoutSecrets = ({ key, value }: Said): string => redact(key === 'os/cmdline' ? commandLineWithoutSecrets(value) : value);

const words = (text: string): string => text.trim().replaceAll(/\s+/g, ' ');

/** Whether a piece is a secret, or has one in its text. */
export const holdsSecret = (piece: Said): boolean => isHidden(piece) || words(withoutSecrets(piece)) !== words(piece.value);

/** A value as a report may show it. */
export const shown = (piece: Said): string => {
	if (isHidden(piece)) return 'a secret';
	const value = withoutSecrets(piece);
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
