// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHash } from "node:crypto";
import { type Anomaly, SEVERITIES, type Severity } from "../detect/detector.ts";
import type { Alert, Digest } from "./alert.ts";
import { isAbove, type Telling } from "./ledger.ts";
import type { Entry } from "./queue.ts";

/** Anomalies told by name in one message; the formatters of every vendor have room for this many. */
const NAMED_MAX = 10;
const TOP_SOURCES = 3;

/** How the entries of a message are chosen. */
export interface GroupingOptions {
  /** `detector`: those of one detector in one state. `all`: everything that waits. */
  readonly scope: "detector" | "all";
  readonly namesAll: boolean;
  /** Also what has not waited for its group yet. */
  readonly isEager: boolean;
  /** What telling this anomaly now would be to the reader. */
  telling(anomaly: Anomaly): Telling;
}

/** The entries of one message, most severe first, split into those it names and those it only counts. */
export interface Group {
  readonly state: Telling;
  readonly severity: Severity;
  readonly named: readonly Entry[];
  readonly counted: readonly Entry[];
  readonly isDigest: boolean;
}

/** What the next message tells: the most pressing due entry and all that go with it; undefined if nothing is due. */
export function nextGroup(
  waiting: readonly Entry[],
  nowMs: number,
  options: GroupingOptions,
): Group | undefined {
  const free = waiting.filter(({ heldUntilMs }) => heldUntilMs <= nowMs);
  const due = options.isEager ? free : free.filter(({ dueMs }) => dueMs <= nowMs);
  const first = due.sort(byPressure)[0];
  if (!first) return undefined;
  const keyOf = ({ anomaly }: Entry): string => `${anomaly.detector} ${options.telling(anomaly)}`;
  const members = options.scope === "all" ? free : free.filter((e) => keyOf(e) === keyOf(first));
  const sorted = [...members].sort(byPressure);
  const named = chooseNamed(sorted, options.namesAll ? sorted.length : NAMED_MAX);
  const tellings = new Set(sorted.map(({ anomaly }) => options.telling(anomaly)));
  const isMixed = new Set(sorted.map(keyOf)).size > 1;
  return {
    state: (["open", "update", "resolved"] as const).find((state) => tellings.has(state)) ?? "open",
    severity: sorted.reduce<Severity>(
      (top, { severity }) => (isAbove(severity, top) ? severity : top),
      "info",
    ),
    named: sorted.filter((entry) => named.has(entry)),
    counted: sorted.filter((entry) => !named.has(entry)),
    isDigest:
      !options.namesAll && (isMixed || (options.scope === "all" && sorted.length > named.size)),
  };
}

/** One of every detector, so that none goes under in the noise of another, then the most pressing. */
function chooseNamed(sorted: readonly Entry[], max: number): Set<Entry> {
  const detectors = new Set<string>();
  const firsts = sorted.filter(({ anomaly }) => {
    const isFirst = !detectors.has(anomaly.detector);
    detectors.add(anomaly.detector);
    return isFirst;
  });
  return new Set([...new Set([...firsts, ...sorted])].slice(0, max));
}

/** Every entry of a group, the named ones first. */
export function entriesOf(group: Group | undefined): readonly Entry[] {
  return group ? [...group.named, ...group.counted] : [];
}

/** When the first event of a group came. */
export function acceptedMs(group: Group): number {
  return entriesOf(group).reduce(
    (first, entry) => Math.min(first, entry.acceptedMs),
    Number.POSITIVE_INFINITY,
  );
}

/** When and by whom a group is told. Times are milliseconds since 1970. */
export interface Envelope {
  readonly channel: string;
  readonly agent: string;
  readonly createdMs: number;
  readonly sentMs: number;
}

/** The message for one group. Its id depends on what it tells only, so a retry of the same content keeps it. */
export function alertOf(group: Group, envelope: Envelope): Alert {
  const told = entriesOf(group);
  const content = told
    .map(({ anomaly }) => `${anomaly.id} ${anomaly.state} ${anomaly.time}`)
    .sort();
  const id = createHash("sha256")
    .update([envelope.channel, ...content].join("\n"))
    .digest("hex");
  return {
    id: id.slice(0, 16),
    state: group.state,
    severity: group.severity,
    anomalies: group.named.map(({ anomaly }) => anomaly),
    more: group.counted.length,
    createdMs: envelope.createdMs,
    sentMs: envelope.sentMs,
    agent: envelope.agent,
    test: false,
    ...(group.isDigest ? { digest: digestOf(told) } : {}),
  };
}

function digestOf(entries: readonly Entry[]): Digest {
  const times = entries.map(({ acceptedMs }) => acceptedMs);
  const earliest = times.reduce((a, b) => Math.min(a, b));
  const latest = times.reduce((a, b) => Math.max(a, b));
  const sources = entries.flatMap(({ anomaly }) => anomaly.entity.source ?? []);
  return {
    count: entries.length,
    seconds: (latest - earliest) / 1_000,
    detectors: tally(entries.map(({ anomaly }) => anomaly.detector)),
    topSources: tally(sources).slice(0, TOP_SOURCES),
  };
}

/** How often each name occurs, most frequent first. */
function tally(names: readonly string[]): { name: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}

/** Most severe first, then in order of arrival. */
function byPressure(a: Entry, b: Entry): number {
  const severity = SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity);
  return severity || a.acceptedMs - b.acceptedMs;
}
