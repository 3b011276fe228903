import { toJson } from './json.ts';

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
	/** Host offset in bytes, where it has no line. */
	readonly offset?: number | undefined;
	/** What to do about it. */
	readonly help?: string | undefined;
	/** What the rule is about, in a few words and in full. */
	readonly about?: readonly [label: string, meaning: string] | undefined;
	/** It is known, and does not count. */
	readonly accepted?: boolean | undefined;
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
						rules: rules.map(({ id, help, about }) => ({
							id,
							...(about && { shortDescription: { text: about[0] }, fullDescription: { text: about[1] } }),
							...(help && { help: { text: help } }),
						})),
					},
				},
				results: results.map(({ id, level, message, path, subject, line, offset, accepted }) => ({
					ruleId: id,
					ruleIndex: rules.findIndex((rule) => rule.id === id),
					level,
					message: { text: message },
					locations: [
						{
							physicalLocation: { artifactLocation: { uri: uriOf(path) }, ...regionOf(line, offset) },
							...(subject && { logicalLocations: [{ fullyQualifiedName: subject }] }),
						},
					],
					...(accepted && { suppressions: [{ kind: 'external' }] }),
				})),
			},
		],
	};
	return `${toJson(log, '\t')}\n`;
};

const regionOf = (line: number | undefined, offset: number | undefined) => {
	if (line !== undefined) return { region: { startLine: line } };
	return offset === undefined ? {} : { region: { byteOffset: offset, byteLength: 0 } };
};

/** A reference, relative as the path is. */
const uriOf = (path: string): string =>
	path
		.split(/[\\/]/)
		.map((step) => encodeURIComponent(step.replace(/\p{Surrogate}/gu, '?')))
		.join('/');
