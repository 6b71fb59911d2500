// SPDX-License-Identifier: AGPL-3.0-or-later
// Strict readers of both exposition formats, written from the specifications and not from the code under test.

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar?: { readonly labels: Readonly<Record<string, string>>; readonly value: number };
}

export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: ParsedSample[];
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ["_total"],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count"],
};
const NUMBER = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|NaN|\+Inf|-Inf)$/i;

/** OpenMetrics 1.0 text; throws at the first line that breaks the specification. */
export function parseOpenMetrics(text: string): Map<string, ParsedFamily> {
  if (!text.endsWith("\n# EOF\n")) throw new Error("does not end in # EOF and one LF");
  const body = text.slice(0, -"# EOF\n".length);
  return parse(body, { counterSuffix: "_total", quotesInHelp: true, exemplars: true });
}

/** Text format 0.0.4, as a strict exporter would write it: HELP and TYPE once, before the samples. */
export function parseText(text: string): Map<string, ParsedFamily> {
  return parse(text, { counterSuffix: "", quotesInHelp: false, exemplars: false });
}

interface Rules {
  readonly counterSuffix: string;
  readonly quotesInHelp: boolean;
  readonly exemplars: boolean;
}

function parse(body: string, rules: Rules): Map<string, ParsedFamily> {
  if (body.includes("\r")) throw new Error("carriage return");
  if (!body.endsWith("\n")) throw new Error("the last line has no LF");
  const families = new Map<string, ParsedFamily>();
  let meta: { name: string; type?: string; help?: string } = { name: "" };
  let current: ParsedFamily | null = null;
  const seen = new Set<string>();
  for (const line of body.slice(0, -1).split("\n")) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment) {
      const [, keyword = "", name = "", rest = ""] = comment;
      if (meta.name !== name) {
        if (families.has(name)) throw new Error(`family ${name} appears twice`);
        meta = { name };
        current = null;
      }
      if (keyword === "HELP") {
        if (meta.help !== undefined) throw new Error(`second HELP: ${line}`);
        meta.help = unescaped(rest, rules.quotesInHelp);
      } else {
        if (meta.type !== undefined) throw new Error(`second TYPE: ${line}`);
        meta.type = rest;
      }
      if (meta.help !== undefined && meta.type !== undefined) {
        if (!SUFFIXES[meta.type]) throw new Error(`unknown type: ${line}`);
        current = { name, type: meta.type, help: meta.help, samples: [] };
        families.set(name, current);
      }
      continue;
    }
    if (line.startsWith("#") || line === "")
      throw new Error(`not a sample: ${JSON.stringify(line)}`);
    if (!current) throw new Error(`sample before its metadata: ${line}`);
    const sample = parseSample(line, rules.exemplars);
    checkName(sample.name, current, rules);
    const identity = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
    if (seen.has(identity)) throw new Error(`series twice: ${line}`);
    seen.add(identity);
    current.samples.push(sample);
  }
  for (const family of families.values()) if (family.type === "histogram") checkHistogram(family);
  return families;
}

function checkName(name: string, family: ParsedFamily, rules: Rules): void {
  const suffixes = family.type === "counter" ? [rules.counterSuffix] : SUFFIXES[family.type];
  if (!suffixes?.some((suffix) => family.name + suffix === name)) {
    throw new Error(`sample ${name} in family ${family.name} of type ${family.type}`);
  }
}

function checkHistogram(family: ParsedFamily): void {
  const groups = new Map<string, ParsedSample[]>();
  let last = "";
  for (const sample of family.samples) {
    const { le: _, ...rest } = sample.labels;
    const key = JSON.stringify(Object.entries(rest).sort());
    if (key !== last && groups.has(key)) throw new Error(`${family.name}: interleaved ${key}`);
    last = key;
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  for (const samples of groups.values()) {
    const buckets = samples.filter(({ name }) => name.endsWith("_bucket"));
    const bounds = buckets.map(({ labels }) => Number(labels.le === "+Inf" ? Infinity : labels.le));
    const ascending = bounds.every(
      (bound, index) => index === 0 || bound > (bounds[index - 1] ?? 0),
    );
    const growing = buckets.every(({ value }, index) => value >= (buckets[index - 1]?.value ?? 0));
    const count = samples.find(({ name }) => name.endsWith("_count"))?.value;
    const complete = bounds.at(-1) === Infinity && buckets.at(-1)?.value === count;
    if (!ascending || !growing || !complete) throw new Error(`${family.name}: malformed histogram`);
  }
}

function parseSample(line: string, exemplars: boolean): ParsedSample {
  const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0];
  if (!name) throw new Error(`no metric name: ${line}`);
  const { labels, end } = parseLabels(line, name.length);
  const [value = "", ...rest] = line.slice(end).split(" # ");
  if (!value.startsWith(" ")) throw new Error(`no space before the value: ${line}`);
  const sample = { name, labels, value: number(value.slice(1), line) };
  if (rest.length === 0) return sample;
  if (!exemplars || rest.length > 1) throw new Error(`unexpected exemplar: ${line}`);
  const exemplar = parseLabels(rest[0] ?? "", 0);
  const [, amount = "", timestamp = "", ...more] = (rest[0] ?? "").slice(exemplar.end).split(" ");
  number(timestamp, line);
  const length = Object.entries(exemplar.labels).flat().join("").length;
  if (more.length > 0 || length > 128) throw new Error(`bad exemplar: ${line}`);
  return { ...sample, exemplar: { labels: exemplar.labels, value: number(amount, line) } };
}

function parseLabels(line: string, at: number): { labels: Record<string, string>; end: number } {
  const labels: Record<string, string> = {};
  if (line[at] !== "{") return { labels, end: at };
  const pair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|\})/y;
  pair.lastIndex = at + 1;
  if (line[at + 1] === "}") return { labels, end: at + 2 };
  for (;;) {
    const match = pair.exec(line);
    if (!match) throw new Error(`bad labels: ${line}`);
    const [, name = "", value = "", next] = match;
    if (name in labels) throw new Error(`label ${name} twice: ${line}`);
    labels[name] = unescaped(value, true);
    if (next === "}") return { labels, end: pair.lastIndex };
  }
}

function number(text: string, line: string): number {
  if (!NUMBER.test(text)) throw new Error(`not a number, "${text}": ${line}`);
  if (text.endsWith("Inf")) return text.startsWith("-") ? -Infinity : Infinity;
  return Number(text);
}

function unescaped(text: string, quotes: boolean): string {
  const bad = quotes ? /\\(?![\\n"])|(?<!\\)(?:\\\\)*"/ : /\\(?![\\n])/;
  const stripped = text.replace(/\\\\/g, "");
  if (bad.test(stripped)) throw new Error(`bad escape: ${text}`);
  return text.replace(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
}

/** Total of a family in a scrape, over series whose labels match. */
export function totalIn(
  scrape: string,
  metric: string,
  where: Readonly<Record<string, string>> = {},
): number {
  const { samples } = parseText(scrape).get(metric) ?? { samples: [] };
  const matching = samples.filter(({ labels }) =>
    Object.entries(where).every(([name, value]) => labels[name] === value),
  );
  return matching.reduce((sum, { value }) => sum + value, 0);
}
