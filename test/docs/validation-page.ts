import { humanSize } from '../../src/bytes/size.ts';
import type { Category, Rule } from '../../src/validate/rule.ts';
import { rules } from '../../src/validate/rules/index.ts';
import { TARGETS_AS_OF, type Target, targets } from '../../src/validate/targets.ts';

const CATEGORIES: readonly Category[] = ['Critical', 'Warning', 'Information'];

/** What stands in the page between two lines, and is not to be written by hand. */
const BEGIN = '<!-- generated: VCONV_WRITE_DOCS=1 npx vitest run test/docs/validation.test.ts -->';
const END = '<!-- end of what is generated -->';

/** The page with its tables as the code gives them. @throws Error where it has no place for them. */
export const withTables = (page: string): string => {
	const [start, end] = [page.indexOf(BEGIN), page.indexOf(END)];
	if (start < 0 || end < start) throw new Error('the page has no place for the tables');
	return `${page.slice(0, start)}${BEGIN}\n\n${tables()}\n${page.slice(end)}`;
};

const tables = (): string => `## Targets

As their makers said in ${TARGETS_AS_OF}, where each name leads. They are in src/validate/targets.ts.

${table(['', 'target', 'disk size', 'disks', 'cards', 'CPUs', 'kinds of CPU', 'memory', 'disk buses, the fastest first', 'cards, the fastest first', '4K sectors'], targets.map(targetRow))}

What each has besides, for a machine:

${table(
	['', 'has'],
	targets.map(({ id, firmware, secureBoot, tpm, has }) => [
		`\`${id}\``,
		[...firmware, secureBoot && 'Secure Boot', tpm && 'TPM', ...has].filter(Boolean).join(', '),
	]),
)}

## Rules

${rules.length} rules.

${CATEGORIES.map(section).join('\n')}`;

const targetRow = ({ id, name, source, size, most, mostOn = {}, architectures, buses, nics, sectors4K }: Target): readonly string[] => [
	`\`${id}\``,
	`[${name}](${source})`,
	`${humanSize(size.least)} to ${humanSize(size.most)}${size.multipleOf > 1 ? `, multiples of ${humanSize(size.multipleOf)}` : ''}`,
	[String(most.disks), ...Object.entries(mostOn).map(([bus, count]) => `${bus} ${count}`)].join(', '),
	String(most.nics),
	String(most.cpus),
	architectures.join(', '),
	humanSize(most.memory),
	buses.join(', '),
	nics.join(', ') || 'of its own',
	sectors4K ? 'yes' : 'no',
];

const section = (category: Category): string => `### ${category}

${table(['id', 'what', 'what it means', 'what to do'], rules.filter((rule) => rule.category === category).map(ruleRow))}
`;

const ruleRow = ({ id, label, targets: only, assessment, remedy }: Rule): readonly string[] => [
	`\`${id}\``,
	`${label}${only ? ` (${only.join(', ')})` : ''}`,
	assessment,
	remedy,
];

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
	[head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
