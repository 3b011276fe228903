/** Where something stands in a plan's file: line and column, both from 1. */
export type Place = { readonly line: number; readonly column: number };

/** What a plan's file says, whatever it is written in: every scalar is its text. */
export type Tree = Place &
	(
		| { readonly kind: 'text'; readonly text: string }
		| { readonly kind: 'list'; readonly items: readonly Tree[] }
		| { readonly kind: 'map'; readonly entries: readonly Entry[] }
	);

export type Entry = Place & { readonly key: string; readonly value: Tree };

/** Something in a plan that cannot be meant so. `field` is its path, as `jobs[3].to`. */
export type Mistake = Place & { readonly field: string; readonly message: string; readonly hint?: string | undefined };

/** Larger plans are refused, in bytes. */
export const MAX_PLAN = 4 << 20;

/** A text that could not be read as YAML or CSV. */
export type Unreadable = { readonly mistakes: readonly Mistake[] };
