import type { MachineFormat } from '../../src/machine/format.ts';
import { readDomain } from './reader.ts';
import { printDomain } from './writer.ts';

/** The first element of a text, past a byte order mark, white space, comments, instructions and a DOCTYPE. */
const ROOT = /^(?:\uFEFF|ï»¿)?\s*(?:<\?[^>]*>\s*|<!--(?:[^-]|-[^-])*-->\s*|<!DOCTYPE[^[>]*(?:\[[^\]]*\]\s*)?>\s*)*<domain[\s/>]/;

/** libvirt's description of a machine: domain XML. */
export const libvirt: MachineFormat = {
	id: 'libvirt',
	name: 'libvirt domain XML',
	extensions: ['xml'],
	sharesExtensions: true,
	probe: (bytes) => ROOT.test(new TextDecoder('latin1').decode(bytes.subarray(0, 1 << 16))),
	parse: readDomain,
	print: printDomain,
};
