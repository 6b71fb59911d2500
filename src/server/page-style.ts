// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHash } from "node:crypto";

/** The landing page's whole style; its hash is in the content security policy. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --ink: #1b1f24; --faint: #5d6673; --line: #dfe3e8;
  --accent: #0b62c4; --good: #137a3a; --warning: #8f5a00; --critical: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ground: #101317; --card: #181c22; --ink: #e6e9ed; --faint: #98a2ae;
  --line: #2a3038; --accent: #6cb0ff; --good: #5ccb83; --warning: #f0b44c; --critical: #ff8a80; } }
* { box-sizing: border-box; margin: 0; }
body { background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; padding: 2.5rem 1.25rem; }
main { max-width: 58rem; margin: auto; display: grid; gap: 1.25rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .75rem; }
h1 { font-size: 1.45rem; letter-spacing: -.01em; }
h2 { font-size: .8rem; text-transform: uppercase; letter-spacing: .06em; color: var(--faint); margin-bottom: .6rem; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
nav { display: flex; flex-wrap: wrap; gap: .4rem 1.1rem; }
.faint { color: var(--faint); }
.state { margin-left: auto; font-weight: 600; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.25rem; overflow-x: auto; }
.numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem; }
.numbers dt { color: var(--faint); font-size: .85rem; } .numbers dd { font-size: 1.5rem; font-weight: 600; }
table { width: 100%; border-collapse: collapse; } th { text-align: left; font-weight: 500; color: var(--faint); }
th, td { padding: .35rem .75rem .35rem 0; border-top: 1px solid var(--line); vertical-align: top; }
tr:first-child th { border-top: 0; } .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.good { color: var(--good); } .info { color: var(--accent); } .warning { color: var(--warning); } .critical { color: var(--critical); }
footer { color: var(--faint); font-size: .85rem; }
`;

/** Nothing but that style, and links and forms to nowhere else. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(PAGE_STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
