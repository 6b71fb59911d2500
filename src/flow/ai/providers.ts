// SPDX-License-Identifier: AGPL-3.0-or-later
import { AI_PAIRS, type CATEGORIES, OTHER_PROVIDER, pairOf } from "./pairs.ts";
import { NEVER_AI, PROVIDER_ROWS } from "./provider-table.ts";
import type { AiProvider, AiSettings } from "./settings.ts";

const SEPARATOR = " ";
/** RFC 1035 §2.3.4: 255 bytes on the wire are 253 characters. */
const NAME_MAX = 253;
const DOT = ".";
const ESCAPE = "\\";
const NONE = -1;

/** Names of one origin, the operator's or the table's. */
interface Names {
  readonly exact: Map<string, number>;
  readonly patterns: { readonly pattern: RegExp; readonly row: number }[];
  readonly suffix: Map<string, number>;
}

interface Row {
  readonly provider: string;
  readonly category: string;
  /** Position in AI_PAIRS: what the row is counted under. */
  readonly pair: number;
}

/**
 * Which AI provider, or tool of agents, a host name belongs to. What the operator says goes before the table; of each,
 * a whole name goes before a pattern, and a pattern before the longest suffix, which ends at a label.
 */
export class AiProviders {
  readonly #rows: Row[] = AI_PAIRS.map((pair, index) => ({ ...pair, pair: index }));
  readonly #own = emptyNames();
  readonly #table = emptyNames();
  readonly #mostLabels: number;

  constructor(settings: AiSettings = { providers: [], never: [] }) {
    for (const line of PROVIDER_ROWS) this.#addLine(line);
    for (const suffix of NEVER_AI) this.#table.suffix.set(suffix, NONE);
    for (const provider of settings.providers) this.#addOwn(provider);
    for (const suffix of settings.never) this.#own.suffix.set(suffix, NONE);
    const suffixes = [...this.#own.suffix.keys(), ...this.#table.suffix.keys()];
    this.#mostLabels = Math.max(...suffixes.map((suffix) => suffix.split(DOT).length));
  }

  /** Row of a host name's provider and category, -1 for a name that is no AI's. Case and a last dot do not matter. */
  find(name: string): number {
    const end = name.endsWith(DOT) ? name.length - 1 : name.length;
    if (end === 0 || end > NAME_MAX) return NONE;
    // A character that no host name has; what stands behind an escaped dot is no domain.
    if (name.includes(ESCAPE)) return NONE;
    const host = name.slice(0, end).toLowerCase();
    const tails = this.#tailsOf(host);
    const own = lookUp(this.#own, host, tails);
    return own ?? lookUp(this.#table, host, tails) ?? NONE;
  }

  /** Name of the row's provider, as the table or the operator has it. */
  provider(row: number): string {
    return this.#rows[row]?.provider ?? "";
  }

  category(row: number): string {
    return this.#rows[row]?.category ?? "";
  }

  /** Position in AI_PAIRS of what the row is counted under: a provider of the operator's own is `other` there. */
  pair(row: number): number {
    return this.#rows[row]?.pair ?? NONE;
  }

  #addLine(line: string): void {
    const [provider = "", category = "", ...names] = line.split(SEPARATOR);
    const row = pairOf(provider, category);
    for (const name of names) {
      if (name.startsWith("^")) this.#table.patterns.push({ pattern: new RegExp(name), row });
      else if (name.startsWith(DOT)) this.#table.suffix.set(name.slice(1), row);
      else this.#table.exact.set(name, row);
    }
  }

  #addOwn({ provider, category, exact, suffix }: AiProvider): void {
    let row = pairOf(provider, category);
    if (row < 0) row = this.#rows.push(this.#rowOf(provider, category)) - 1;
    for (const name of exact) this.#own.exact.set(name, row);
    for (const name of suffix) this.#own.suffix.set(name, row);
  }

  #rowOf(provider: string, category: (typeof CATEGORIES)[number]): Row {
    return { provider, category, pair: pairOf(OTHER_PROVIDER, category) };
  }

  /** The name and its ends behind a dot, longest first, as far as any suffix may reach. */
  #tailsOf(host: string): string[] {
    const tails: string[] = [];
    let dot = host.length;
    for (let labels = 0; labels < this.#mostLabels && dot > 0; labels++) {
      dot = host.lastIndexOf(DOT, dot - 1);
      tails.unshift(host.slice(dot + 1));
    }
    return tails;
  }
}

function emptyNames(): Names {
  return { exact: new Map(), patterns: [], suffix: new Map() };
}

/** Row of the name, -1 where it is said to be no AI's, undefined where nothing is said of it. */
function lookUp(names: Names, host: string, tails: readonly string[]): number | undefined {
  const exact = names.exact.get(host);
  if (exact !== undefined) return exact;
  for (const { pattern, row } of names.patterns) if (pattern.test(host)) return row;
  for (const tail of tails) {
    const row = names.suffix.get(tail);
    if (row !== undefined) return row;
  }
  return undefined;
}
