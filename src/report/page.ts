import { markup } from './markup.ts';

/** Everything the page needs is in it, and it may fetch nothing. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

const STYLE = `
:root { color-scheme: light dark; --text: #1d2329; --dim: #5a6570; --page: #fff; --card: #f4f6f8; --line: #d8dee4; --good: #1a7f4b; --bad: #c0312b; --wait: #6b7785; --warn: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ec; --dim: #9aa5b1; --page: #14181c; --card: #1e242a; --line: #343c45; --good: #4cc38a; --bad: #ff7b72; --wait: #8b96a3; --warn: #e3b341; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1100px; padding: 2rem 1.25rem 4rem; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
p { margin: .25rem 0; } .dim, .time { color: var(--dim); }
code, .path { font: .88em ui-monospace, monospace; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem; margin-top: 1.5rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; } .card b { display: block; font-size: 1.45rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.problem { border-left: 4px solid var(--bad); background: var(--card); padding: .6rem 1rem; margin: .6rem 0; border-radius: 0 8px 8px 0; }
.concern { border-left: 4px solid var(--line); padding: .1rem 1rem; margin: .9rem 0; } .concern ul { margin: .25rem 0; padding-left: 1.2rem; }
.table { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: baseline; } th { color: var(--dim); font-weight: 600; }
td.number, th.number { text-align: right; white-space: nowrap; }
svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; } svg text { fill: var(--text); } svg .time { fill: var(--dim); }
svg .done { fill: var(--good); } svg .failed { fill: var(--bad); } svg .waiting { fill: var(--wait); } svg .pause { stroke: var(--dim); stroke-dasharray: 3 3; }
@media print { :root { color-scheme: light; --text: #000; --dim: #444; --page: #fff; --card: #fff; --line: #bbb; --good: #1a7f4b; --bad: #c0312b; --warn: #8a5a00; } body { padding: 0; max-width: none; font-size: 11px; } tr, .problem, .concern, .card { break-inside: avoid; } h2 { break-after: avoid; } svg rect { print-color-adjust: exact; } }
`;

/** A page for people that needs nothing but itself. @param body its markup. */
export const htmlPage = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${markup(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;

/** A figure with what it counts. @param tone `good`, `bad`, `warn`, or nothing. */
export const card = (value: string, label: string, tone: string): string =>
	`<div class="card"><b${tone && ` class="${tone}"`}>${markup(value)}</b><span class="dim">${label}</span></div>`;

/** @param time in milliseconds since 1970. */
export const moment = (time: number): string => `<time>${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC</time>`;
