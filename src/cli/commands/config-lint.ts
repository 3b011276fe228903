import type { Options } from 'yargs';
import { machineFormats } from '../../../formats/machines.ts';
import { BLOCKED } from '../../errors.ts';
import { lintMachine } from '../../machine/lint.ts';
import { parseMachine } from '../../machine/plan.ts';
import { readDescriptionFile } from '../../node/description.ts';
import { command, operands } from '../command.ts';
import { countReport, reportText } from '../descriptions.ts';
import { toJson } from '../render.ts';

const options = {
	report: { choices: ['text', 'json'], default: 'text', describe: 'form of the report' },
	json: { type: 'boolean', describe: 'the same as --report=json; errors as JSON lines' },
	strict: { type: 'boolean', describe: 'exit with 7 if there is an error in the report' },
	quiet: { alias: 'q', type: 'boolean', describe: 'nothing of what is merely worth knowing' },
} as const satisfies Record<string, Options>;

/** `vconv config lint`: what is odd about a description. */
export const configLint = command({
	command: 'vconv config lint',
	operands: 'IN',
	about:
		'Read the description of a machine and say what is odd about it: lines and values that make no sense, contradictions, unknown parts.',
	options,
	examples: [
		['vconv config lint web.vmx', 'for people'],
		['vconv config lint --strict --report json web.xml', 'for a script: 7 if there is an error'],
	],
	async run(args, io) {
		const [input] = operands(args, 'IN');
		const bytes = await readDescriptionFile(input);
		const machine = parseMachine(bytes, input, machineFormats);
		const report = lintMachine(machine);
		const counts = countReport(report);
		if (args.json || args.report === 'json') io.stdout.write(`${toJson({ input, format: machine.format, counts, report }, 4)}\n`);
		else io.stdout.write(reportText(report, args.quiet));
		return args.strict && counts.error > 0 ? BLOCKED : 0;
	},
});
