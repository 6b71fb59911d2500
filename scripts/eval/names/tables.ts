// SPDX-License-Identifier: AGPL-3.0-or-later
// Names that machines make, told from those that people choose: one by one, ten together, and by the detector.
import { dga } from "../../../src/detect/dga.ts";
import { oddness } from "../../../src/detect/odd-names.ts";
import { DetectionBench, randomOf } from "../../../test/support/detection-bench.ts";
import { dnsDomainRow, dnsHostRow } from "../../../test/support/windows.ts";
import { percent, table } from "../section.ts";
import { CHOSEN } from "./chosen.ts";
import { GENERATORS } from "./generators.ts";

const NAMES = 5000;
const TOGETHER = 10;
const GROUPS = 2000;
const CLIENTS = 100;
/** Missing names of a client, a new one every ten seconds. */
const ASKED = 25;
const SHARES = [0.05, 0.01];
const SHARE_TOGETHER = 0.001;

const [tuning, report] = [0, 1].map((half) => CHOSEN.filter((_, at) => at % 2 === half)) as [
  string[],
  string[],
];

/** Found by limits that keep a share of the chosen names of the tuning half below them. */
export function nameTable(): string {
  const limits = SHARES.map((share) => quantile(tuning.map(oddness), 1 - share));
  const random = randomOf(71);
  const together = quantile(
    groupMeans(() => pick(tuning, random)),
    1 - SHARE_TOGETHER,
  );
  const rows = GENERATORS.map(({ name, half, make }) => {
    const scores = Array.from({ length: NAMES }, () => oddness(make(random)));
    const means = groupMeans(() => make(random));
    return [name, half, ...limits.map((limit) => above(scores, limit)), above(means, together)];
  });
  const chosen = report.map(oddness);
  const means = groupMeans(() => pick(report, random));
  rows.push([
    ...["chosen by people (wrongly found)", "report"],
    ...limits.map((limit) => above(chosen, limit)),
    above(means, together),
  ]);
  const head = SHARES.map((share) => `Found at ${100 * share} % false`);
  return table(
    ["Names", "Half", ...head, `Mean of ${TOGETHER} at ${100 * SHARE_TOGETHER} % false`],
    rows,
  );
}

/** Clients that ask for such names, judged by the detector at its defaults. */
export function clientTable(): string {
  const random = randomOf(72);
  const kinds: readonly (readonly [string, string, () => string])[] = [
    ...GENERATORS.map(({ name, half, make }) => [name, half, () => make(random)] as const),
    ["chosen by people, misspelt", "report", () => misspelt(pick(report, random), random)],
  ];
  const rows = kinds.map(([name, half, make]) => {
    const told = Array.from({ length: CLIENTS }, () => namesUntilTold(make));
    const found = told.filter((count) => count !== null).sort((a, b) => a - b);
    return [name, half, percent(found.length, CLIENTS), found[found.length >> 1] ?? "–"];
  });
  return table(["Clients that ask for", "Half", "Told", "Names until then, median"], rows);
}

/** How many names the tables are about. */
export const CHOSEN_NAMES = `${tuning.length} names in the tuning half, ${report.length} in the other`;

function namesUntilTold(make: () => string): number | null {
  const bench = new DetectionBench({ detectors: [dga], protocols: 0 });
  for (let asked = 1; asked <= ASKED; asked++) {
    const changes = bench.step({
      seconds: 10,
      rows: {
        dns_domains: [dnsDomainRow({ domain: `${make()}.example`, queries: 1, nxdomain: 1 })],
        dns_hosts: [dnsHostRow({ responses: 2, nxdomain: 1 })],
      },
    });
    if (changes.some(({ severity }) => severity !== "info")) return asked;
  }
  return null;
}

function groupMeans(make: () => string): number[] {
  return Array.from({ length: GROUPS }, () => {
    const scores = Array.from({ length: TOGETHER }, () => oddness(make()));
    return scores.reduce((sum, score) => sum + score, 0) / TOGETHER;
  });
}

/** Two letters changed places. */
function misspelt(name: string, random: () => number): string {
  const at = Math.floor(random() * (name.length - 1));
  return name.slice(0, at) + (name[at + 1] ?? "") + (name[at] ?? "") + name.slice(at + 2);
}

function above(scores: readonly number[], limit: number): string {
  return percent(scores.filter((score) => score > limit).length, scores.length);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
}

function pick(list: readonly string[], random: () => number): string {
  return list[Math.floor(random() * list.length)] ?? "";
}
