import type { Options } from 'yargs';
import { machineFormats } from '../../../formats/machines.ts';
import { diffMachines, type MachineDifference } from '../../machine/diff.ts';
import { parseMachine } from '../../machine/plan.ts';
import { readDescriptionFile } from '../../node/description.ts';
import { command, operands } from '../command.ts';
import { plain, toJson } from '../render.ts';

const options = {
	report: { choices: ['text', 'json'], default: 'text', describe: 'form of what is printed' },
	json: { type: 'boolean', describe: 'the same as --report=json; errors as JSON lines' },
	quiet: { alias: 'q', type: 'boolean', describe: 'print nothing: the exit code says it' },
} as const satisfies Record<string, Options>;

/** `vconv config diff`: whether two descriptions say the same machine. */
export const configDiff = command({
	command: 'vconv config diff',
	operands: 'A B',
	about: `Compare two descriptions of machines by what they mean: spelling, order of keys, units and comments are none of it. Two VMX or two
domains are compared in everything they say, a VMX and a domain in the hardware that both can say. Exit code 0 if they say the same
machine, 1 if not.`,
	options,
	examples: [
		['vconv config diff before.vmx after.vmx', 'what has changed'],
		['vconv config diff web.vmx web.xml', 'whether a domain has the hardware of a VMX'],
	],
	async run(args, io) {
		const [a, b] = operands(args, 'A', 'B');
		const machine = async (name: string) => parseMachine(await readDescriptionFile(name), name, machineFormats);
		const differences = diffMachines(await machine(a), await machine(b));
		if (args.json || args.report === 'json') io.stdout.write(`${toJson({ a, b, same: differences.length === 0, differences }, 4)}\n`);
		else if (!args.quiet) io.stdout.write(differences.map(line).join(''));
		return differences.length === 0 ? 0 : 1;
	},
});

const line = ({ path, kind, a, b }: MachineDifference): string => {
	const said = kind === 'extra' ? b : kind === 'missing' ? a : a === undefined ? undefined : `${a} -> ${b}`;
	return `${kind.padEnd(10)}${plain(path)}${said === undefined ? '' : `: ${plain(said)}`}\n`;
};
