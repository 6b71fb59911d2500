// SPDX-License-Identifier: AGPL-3.0-or-later

/** One selector of a PromQL expression: what it reads, how it is narrowed, and the range it looks back. */
export interface Selector {
  readonly metric: string;
  /** Label name → the matcher as written, operator included. */
  readonly matchers: Readonly<Record<string, string>>;
  /** Duration in brackets, e.g. `5m`, or "" for an instant selector. */
  readonly range: string;
  /** Functions and aggregations around it, innermost first. */
  readonly within: readonly string[];
}

/** What contract tests need to know of an expression. It does not judge the syntax: promtool does. */
export interface Expression {
  readonly selectors: readonly Selector[];
  /** Labels named in by, without, on, ignoring, group_left and group_right. */
  readonly groupingLabels: readonly string[];
}

const GROUPINGS = new Set(["by", "without", "on", "ignoring", "group_left", "group_right"]);
const WORDS = new Set(["and", "or", "unless", "bool", "offset", "atan2", "inf", "nan"]);
const TOKEN =
  /\s+|#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\d[\w.]*|[a-zA-Z_:$][\w:$.]*|=~|!~|!=|==|<=|>=|./gy;
const IDENTIFIER = /^[a-zA-Z_:$]/;

/** Reads the selectors and grouping labels out of a PromQL expression; Grafana variables may stand in it. */
export function readExpression(text: string): Expression {
  const tokens = (text.match(TOKEN) ?? []).filter((token) => !/^(\s|#)/.test(token));
  const selectors: Selector[] = [];
  const groupingLabels: string[] = [];
  const calls: string[] = [];
  let pendingCall = "";
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as string;
    const next = tokens[at + 1];
    if (token === "(") {
      calls.push(pendingCall);
      pendingCall = "";
    } else if (token === ")") {
      calls.pop();
    } else if (GROUPINGS.has(token)) {
      if (next === "(") {
        const end = tokens.indexOf(")", at);
        groupingLabels.push(...tokens.slice(at + 2, end).filter((part) => part !== ","));
        at = end;
      }
    } else if (IDENTIFIER.test(token) && !WORDS.has(token.toLowerCase())) {
      if (next === "(" || next === "by" || next === "without") {
        pendingCall = token;
      } else if (!token.startsWith("$")) {
        const { selector, end } = readSelector(tokens, at);
        selectors.push({ ...selector, within: calls.filter((call) => call !== "").reverse() });
        at = end;
      }
    }
  }
  return { selectors, groupingLabels };
}

function readSelector(
  tokens: readonly string[],
  start: number,
): { selector: Omit<Selector, "within">; end: number } {
  const matchers: Record<string, string> = {};
  let at = start;
  if (tokens[at + 1] === "{") {
    for (at += 2; at < tokens.length && tokens[at] !== "}"; at++) {
      const name = tokens[at] as string;
      if (name === ",") continue;
      matchers[name] = `${tokens[at + 1]}${tokens[at + 2]}`;
      at += 2;
    }
  }
  let range = "";
  if (tokens[at + 1] === "[") {
    const end = tokens.indexOf("]", at);
    range = tokens.slice(at + 2, end).join("");
    at = end;
  }
  return { selector: { metric: tokens[start] as string, matchers, range }, end: at };
}

/** Seconds of a Prometheus duration such as `90s`, `5m` or `1h30m`. */
export function durationSeconds(text: string): number {
  const unit: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  let total = 0;
  for (const [, amount, name] of text.matchAll(/(\d+)(ms|[smhdw])/g)) {
    total += Number(amount) * (unit[name as string] ?? Number.NaN);
  }
  return total;
}
