import type { MachineFormat } from '../../src/machine/format.ts';
import { dictionaryEntry, printDictionary } from './dictionary.ts';
import { readVmx } from './reader.ts';
import { listSnapshots, needsConsolidation } from './snapshots.ts';
import { printVmx } from './writer.ts';

/** What every VMX says, in some product's spelling; what a disk's descriptor does not. */
const TELLING = /^[ \t]*(config\.version|virtualhw\.version|encryption\.keysafe|guestos|displayname|memsize)[ \t]*=/im;

/** VMware's description of a machine. */
export const vmx: MachineFormat = {
	id: 'vmx',
	name: 'VMware VMX',
	extensions: ['vmx', 'vmtx'],
	probe: (bytes) => !bytes.subarray(0, 4096).includes(0) && TELLING.test(new TextDecoder('latin1').decode(bytes)),
	parse: readVmx,
	parseEntries(entries, path) {
		// What was kept is text by now, whatever encoding it was in.
		const lines = entries.filter(([key]) => key.toLowerCase() !== '.encoding').map(([key, value]) => dictionaryEntry(key, value));
		return readVmx(new TextEncoder().encode(printDictionary(lines)), path);
	},
	print: printVmx,
	listSnapshots,
	needsConsolidation,
};
