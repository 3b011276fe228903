import { UnsupportedError, UsageError } from '../../src/errors.ts';
import type { Descriptor, ExtentLine } from './descriptor.ts';
import { SECTOR } from './layout.ts';

/** The text of a descriptor, in UTF-8. @throws UsageError for a name that cannot stand between quotation marks. */
export const printDescriptor = (descriptor: Descriptor): Uint8Array => {
	const { version, encoding, cid, parentCid, createType, parentFileNameHint, extents, ddb, others } = descriptor;
	const lines = [
		'# Disk DescriptorFile',
		`version=${version}`,
		...(encoding === undefined ? [] : [`encoding=${quoted(encoding)}`]),
		`CID=${cid}`,
		`parentCID=${parentCid ?? 'ffffffff'}`,
		`createType=${quoted(createType)}`,
		...(parentFileNameHint === undefined ? [] : [`parentFileNameHint=${quoted(parentFileNameHint)}`]),
		...[...others].map(([key, value]) => `${key}=${quoted(value)}`),
		'',
		'# Extent description',
		...extents.map(extentLine),
		'',
		'# The Disk Data Base',
		'#DDB',
		'',
		...[...ddb].map(([key, value]) => `${key} = ${quoted(value)}`),
		'',
	];
	return new TextEncoder().encode(lines.join('\n'));
};

/** The descriptor as it is embedded in a sparse extent: filled up with zeros to `size` bytes. @throws UnsupportedError if it is longer. */
export const embeddedDescriptor = (descriptor: Descriptor, size: number): Uint8Array => {
	const text = printDescriptor(descriptor);
	if (text.length > size) {
		throw new UnsupportedError(`the descriptor takes ${text.length} bytes, and there is room for ${size}`, { hint: 'shorter file names' });
	}
	const area = new Uint8Array(size);
	area.set(text);
	return area;
};

const extentLine = ({ access, size, type, fileName, offset }: ExtentLine): string => {
	const name = fileName === undefined ? '' : ` ${quoted(fileName)}`;
	return `${access} ${size / SECTOR} ${type}${name}${type === 'FLAT' ? ` ${offset / SECTOR}` : ''}`;
};

/** The grammar has no escapes. */
const quoted = (value: string): string => {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: a line must stay one
	if (/["\x00-\x1f\x7f]/.test(value)) {
		throw new UsageError(`'${value}' cannot be said in a VMDK descriptor`, {
			hint: 'a name without quotation marks and control characters',
		});
	}
	return `"${value}"`;
};
