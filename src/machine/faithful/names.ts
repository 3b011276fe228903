/** libvirt's name of a disk: `sd` and 0 is `sda`, 26 is `sdaa`. */
export const diskName = (prefix: string, index: number): string => {
	let letters = '';
	for (let left = index; left >= 0; left = Math.floor(left / 26) - 1) letters = String.fromCharCode(97 + (left % 26)) + letters;
	return prefix + letters;
};

/** The index in a name with this prefix; undefined for another name, or one with a number behind it. */
export const diskIndex = (prefix: string, name: string): number | undefined => {
	const letters = name.startsWith(prefix) ? name.slice(prefix.length) : '';
	if (!/^[a-z]{1,3}$/.test(letters)) return undefined;
	return [...letters].reduce((index, letter) => index * 26 + letter.charCodeAt(0) - 96, 0) - 1;
};
