/** Names of values that are secrets, or lead to them: `password2`, `rd.iscsi.password`, `systemd.set_credential`, `luks_key`, `auth`. */
const SECRET = /pass(w|phrase|\d*$)|secret|token|credential|key$|auth$|(^|[._-])psk$/i;

/** Parted by blanks, but for those within quotes or behind a backslash; a quote that is not closed goes on to the end. */
const WORDS = /(?:"[^"]*(?:"|$)|'[^']*(?:'|$)|\\.?|[^\s"'\\])+/gs;

/** A kernel's command line without the values of what is called a secret, and without the users that its URLs and `netroot=` name. */
export const commandLineWithoutSecrets = (commandLine: string): string =>
	(commandLine.match(WORDS) ?? [])
		.map((word) => {
			const [, key, value = ''] = /^(["'\w.\\-]+)=(.*)$/s.exec(word) ?? [];
			if (key === undefined) return withoutUser(optionsWithoutSecrets(word));
			const name = key.replace(/["'\\]/g, '');
			return SECRET.test(name) ? `${name}=…` : `${key}=${withoutUser(optionsWithoutSecrets(value))}`;
		})
		.join(' ');

/** `name=value` after the beginning, or what parts options and the parameters of a URL; two commas are one within a value. */
const OPTION = /(^|[?&;,:\s"'])([\w.-]+)=((?:,,|[^&;,])*)/g;

/** Options of a mount, in one text, without the values of what is called a secret, and without the password in `username=name%password`. */
export const optionsWithoutSecrets = (options: string): string =>
	options.replace(OPTION, (option: string, before: string, name: string, value: string) => {
		if (SECRET.test(name)) return `${before}${name}=…`;
		const percent = /^user(name)?$/.test(name) ? value.indexOf('%') : -1;
		return percent < 0 ? option : `${before}${name}=${value.slice(0, percent)}%…`;
	});

/** What stands before a user's name and password: `https://`, `//`, dracut's `iscsi:`. */
const SCHEME = /:\/\/|^\/\/|^["']?(?:iscsi|cifs):(?:\/\/)?/;

/** Names of devices that may have an `@` and a colon of their own. */
const TAG = /^["']?(PART)?(UUID|LABEL)=/i;

/** `https://user:password@host/` as `https://…@host/`. A password may have an `@` or a slash in it, so that all up to the last `@` is left out. */
export const withoutUser = (text: string): string => {
	const end = text.lastIndexOf('@');
	if (end < 0 || TAG.test(text)) return text;
	const scheme = SCHEME.exec(text.slice(0, end));
	if (scheme) return `${text.slice(0, scheme.index + scheme[0].length)}…${text.slice(end)}`;
	return /^[^@/]*:[^@/]*@/.test(text) ? `…${text.slice(end)}` : text;
};
