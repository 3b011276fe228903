/** One thing that a report says, for SARIF. */
export type SarifResult = {
	/** Stable: the code of the catalogue. */
	readonly id: string;
	readonly level: 'error' | 'warning' | 'note';
	readonly message: string;
	/** The file that it is about. */
	readonly path: string;
	/** What in it: a device, a key. */
	readonly subject?: string | undefined;
	/** From 1 on. */
	readonly line?: number | undefined;
	/** What to do about it. */
	readonly help?: string | undefined;
};

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';

/** SARIF 2.1.0, as code hosts and editors read it. @param version vconv's own. */
export const sarif = (results: readonly SarifResult[], version: string): string => {
	const rules = [...new Map(results.map((result) => [result.id, result])).values()];
	const log = {
		$schema: SCHEMA,
		version: '2.1.0',
		runs: [
			{
				tool: {
					driver: {
						name: 'vconv',
						version,
						rules: rules.map(({ id, help }) => ({ id, ...(help && { help: { text: help } }) })),
					},
				},
				results: results.map(({ id, level, message, path, subject, line }) => ({
					ruleId: id,
					ruleIndex: rules.findIndex((rule) => rule.id === id),
					level,
					message: { text: message },
					locations: [
						{
							physicalLocation: { artifactLocation: { uri: uriOf(path) }, ...(line && { region: { startLine: line } }) },
							...(subject && { logicalLocations: [{ fullyQualifiedName: subject }] }),
						},
					],
				})),
			},
		],
	};
	return `${JSON.stringify(log, undefined, '\t')}\n`;
};

/** A reference, relative as the path is. */
const uriOf = (path: string): string =>
	path
		.split(/[\\/]/)
		.map((step) => encodeURIComponent(step.replace(/\p{Surrogate}/gu, '?')))
		.join('/');
