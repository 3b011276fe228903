import { CorruptError } from '../../errors.ts';
import { byteReader } from '../reader.ts';
import { multiSector, STRIDE } from './layout.ts';

/**
 * A record or index block with the last two bytes of each stride put back, which were replaced by a number so that torn writes show.
 * The bytes given stay as they are.
 * @throws CorruptError if the signature is another or a stride was not written with the others.
 */
export const withoutFixups = (
	stored: Uint8Array,
	signature: 'FILE' | 'INDX',
	place: { readonly path: string; readonly offset: number },
): Uint8Array => {
	const head = multiSector.decode(stored, place);
	if (head.signature !== signature) throw new CorruptError(`a structure that begins with ${signature} is expected here`, place);
	const strides = stored.length / STRIDE;
	if (head.fixups !== strides + 1) throw new CorruptError(`${head.fixups} fixups for ${strides} strides`, { ...place, field: 'fixups' });
	const reader = byteReader(stored, place);
	const number = reader.u16(head.fixupsAt);
	const whole = new Uint8Array(stored); // a copy, which the slice of a Buffer is not
	for (let stride = 1; stride <= strides; stride++) {
		const end = stride * STRIDE - 2;
		if (reader.u16(end) !== number) throw new CorruptError('it was not written whole', { ...place, field: 'fixups' });
		whole.set(reader.bytes(head.fixupsAt + stride * 2, 2), end);
	}
	return whole;
};
