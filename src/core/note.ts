/** Something that a reader or a translation met and the user should know: nothing is passed over in silence. */
export type Note = {
	/** `dropped`: it is not in the result. `changed`: it is there in another form. `assumed`: the input did not say. */
	readonly kind: 'dropped' | 'changed' | 'assumed';
	readonly what: string;
	readonly why: string;
	/** The file it was met in. */
	readonly path?: string | undefined;
};
