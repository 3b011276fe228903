import type { Entry, Mistake, Place, Tree, Unreadable } from '../syntax/tree.ts';

type Cell = Place & { readonly text: string };

/**
 * A plan in CSV (RFC 4180): the first line names the keys, each further one is a job. Empty cells say nothing, and lines that begin
 * with # are comments.
 */
export const readCsv = (text: string): Tree | Unreadable => {
	const rows = readRows(text.replace(/^\ufeff/, ''));
	if ('mistakes' in rows) return rows;
	const [header, ...jobs] = rows;
	if (!header) return { mistakes: [{ line: 1, column: 1, field: 'CSV', message: 'there is no line with the names of the columns' }] };
	const mistakes: Mistake[] = [];
	const items = jobs.map((row): Tree => {
		const place = row[0] as Cell;
		const extra = row[header.length];
		if (extra)
			mistakes.push({ ...extra, field: 'CSV', message: `it is cell ${header.length + 1}, and there are ${header.length} columns` });
		const entries = row.slice(0, header.length).flatMap((cell, index): Entry[] => {
			const key = header[index]?.text.trim() ?? '';
			if (cell.text.trim() === '') return [];
			return [{ line: cell.line, column: cell.column, key, value: { ...cell, kind: 'text', text: cell.text.trim() } }];
		});
		return { line: place.line, column: place.column, kind: 'map', entries };
	});
	if (mistakes.length > 0) return { mistakes };
	const start = { line: 1, column: 1 };
	return { ...start, kind: 'map', entries: [{ ...start, key: 'jobs', value: { ...start, kind: 'list', items } }] };
};

/** The lines that are neither empty nor comments, as cells. */
const readRows = (text: string): readonly (readonly Cell[])[] | Unreadable => {
	const rows: Cell[][] = [];
	let row: Cell[] = [];
	let line = 1;
	let lineStart = 0;
	for (let at = 0; at < text.length; ) {
		if (row.length === 0 && text[at] === '#') {
			const end = text.indexOf('\n', at);
			at = end < 0 ? text.length : end + 1;
			line++;
			lineStart = at;
			continue;
		}
		const place = { line, column: at - lineStart + 1 };
		let value: string;
		if (text[at] === '"') {
			const quoted = /"((?:[^"]|"")*)"(?=,|\r?\n|$)/y;
			quoted.lastIndex = at;
			const match = quoted.exec(text);
			if (!match) return { mistakes: [{ ...place, field: 'CSV', message: 'a quote is not closed, or has text behind it', hint: '""' }] };
			value = (match[1] ?? '').replaceAll('""', '"');
			at = quoted.lastIndex;
			for (let i = match.index; i < at; i++) {
				if (text[i] !== '\n') continue;
				line++;
				lineStart = i + 1;
			}
		} else {
			const end = /[,\n]/g;
			end.lastIndex = at;
			const stop = end.exec(text)?.index ?? text.length;
			value = text.slice(at, stop).replace(/\r$/, '');
			at = stop;
		}
		row.push({ ...place, text: value });
		if (text[at] === '\r') at++;
		const ended = at >= text.length || text[at] === '\n';
		const separator = text[at] === ',';
		at++;
		// A comma at the very end has an empty cell behind it.
		if (separator && at >= text.length) row.push({ line, column: at - lineStart + 1, text: '' });
		if (!ended && !(separator && at >= text.length)) continue;
		if (row.some((cell) => cell.text.trim() !== '')) rows.push(row);
		row = [];
		line++;
		lineStart = at;
	}
	return rows;
};
