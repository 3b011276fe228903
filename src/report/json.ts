/** What JSON.stringify leaves in strings though a terminal would obey it. */
const UNSAFE = /[\u007f-\u009f\p{Bidi_Control}\u2028\u2029]/gu;

/** JSON, safe for terminals: with so much of indent as is asked for, or one line. Bigints become numbers. */
export const toJson = (value: unknown, indent: number | string = 0): string =>
	JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? Number(inner) : inner), indent).replace(
		UNSAFE,
		(character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
	);
