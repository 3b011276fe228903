import { decodeAs, encodingLabel } from '../../src/bytes/encoding.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';

/**
 * A descriptor's text, in the encoding that it names.
 * @throws UnsupportedError for an encoding that is not known, CorruptError for bytes that are not in it.
 */
export const decodeText = (data: Uint8Array, path: string): string => {
	const named = /^[ \t]*(?:ddb\.)?encoding[ \t]*=[ \t]*"?([^"\r\n]*?)"?[ \t]*$/im.exec(new TextDecoder('latin1').decode(data))?.[1];
	const encoding = named === undefined ? undefined : encodingLabel(named);
	if (named !== undefined && encoding === undefined) {
		throw new UnsupportedError(`the descriptor is written in ${named}`, {
			path,
			field: 'encoding',
			hint: 'a copy of it in UTF-8, that says encoding="UTF-8"',
		});
	}
	try {
		return decodeAs(encoding ?? 'utf-8', data);
	} catch (cause) {
		if (encoding !== undefined) throw new CorruptError(`the descriptor is not in ${named}, as it says`, { path, field: 'encoding', cause });
		return decodeAs('windows-1252', data); // what Windows wrote before descriptors had an encoding
	}
};
