/** What `{…}` in a target may name. */
export type TemplateNames = {
	/** The source's file name without its extension. */
	readonly name: string;
	/** The file name with it. */
	readonly base: string;
	/** The extension, without the dot. */
	readonly ext: string;
	/** The source's folder below the folder or pattern that found it; `.` at its top. */
	readonly dir: string;
};

/** The names for a source: `path` as it is found, `root` the folder that the search began in, both with `/`. */
export const templateNames = (path: string, root: string): TemplateNames => {
	const base = path.slice(path.lastIndexOf('/') + 1);
	const dot = base.lastIndexOf('.');
	const folder = path.slice(0, Math.max(0, path.length - base.length - 1));
	const below = folder === root ? '' : folder.startsWith(`${root}/`) ? folder.slice(root.length + 1) : '';
	return { base, name: dot > 0 ? base.slice(0, dot) : base, ext: dot > 0 ? base.slice(dot + 1) : '', dir: below === '' ? '.' : below };
};

/** The template with its names put in; `{{` is a brace. Gives the first name there is not, where there is one. */
export const fillTemplate = (template: string, names: TemplateNames): string | { readonly unknown: string } => {
	let unknown: string | undefined;
	const filled = template.replace(/\{\{|\}\}|\{([^{}]*)\}/g, (said, name?: string) => {
		if (name === undefined) return said.charAt(0);
		if (Object.hasOwn(names, name)) return names[name as keyof TemplateNames];
		unknown ??= name;
		return said;
	});
	return unknown === undefined ? filled : { unknown };
};
