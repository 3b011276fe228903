const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** A size for people, with three figures as qemu-img prints them: `1.5 GiB`, `512 B`. */
export const humanSize = (bytes: number): string => {
	let value = bytes;
	let unit = 0;
	while (value >= 1000 && unit < UNITS.length - 1) {
		value /= 1024;
		unit++;
	}
	return `${Number(value.toPrecision(3))} ${UNITS[unit]}`;
};

/** An offset for people. */
export const hex = (offset: number): string => `0x${offset.toString(16)}`;

/** Bytes from `64k`, `1.5G`, `4096`, `0x1000`: binary units, as qemu-img takes them; undefined if it is not a size. */
export const parseSize = (text: string): number | undefined => {
	if (/^0x[0-9a-f]{1,13}$/i.test(text)) return Number(text);
	const match = /^(\d+(?:\.\d+)?)\s*([kmgtpe]?)(?:i?b)?$/i.exec(text.trim());
	if (!match?.[1]) return undefined;
	const exponent = 'kmgtpe'.indexOf((match[2] ?? '').toLowerCase() || '-') + 1;
	const value = Number(match[1]) * 1024 ** exponent;
	return Number.isSafeInteger(value) ? value : undefined;
};
