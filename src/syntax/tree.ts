/** Where something stands in a text: line and column, both from 1. */
export type Place = { readonly line: number; readonly column: number };

/** What a text says, whatever it is written in: every scalar is as it stands there. */
export type Tree = Place &
	(
		| { readonly kind: 'text'; readonly text: string }
		| { readonly kind: 'list'; readonly items: readonly Tree[] }
		| { readonly kind: 'map'; readonly entries: readonly Entry[] }
	);

export type Entry = Place & { readonly key: string; readonly value: Tree };

/** Something in a text that cannot be meant so. `field` is its path, as `jobs[3].to`, and `other` what it cannot be beside, if that is the reason. */
export type Mistake = Place & {
	readonly field: string;
	readonly message: string;
	readonly hint?: string | undefined;
	readonly other?: Place | undefined;
};

/** A text that could not be read as YAML or CSV. */
export type Unreadable = { readonly mistakes: readonly Mistake[] };
