/** Text as UTF-16, without a mark of its order. */
export const utf16Bytes = (text: string, { littleEndian }: { readonly littleEndian: boolean }): Uint8Array => {
	const bytes = new Uint8Array(text.length * 2);
	const view = new DataView(bytes.buffer);
	for (let index = 0; index < text.length; index++) view.setUint16(index * 2, text.charCodeAt(index), littleEndian);
	return bytes;
};
