// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Alert } from "../alert/alert.ts";
import { clean, formatDuration, formatNumber, safe } from "./text.ts";

export type Anomaly = Alert["anomalies"][number];

const CODE_MAX = 256;
const FOOTER_PART_MAX = 64;

/** A labelled value; a time is left to the vendor's own form, which readers see in their time zone. */
export type Fact =
  | { readonly label: string; readonly value: string }
  | { readonly label: string; readonly timeMs: number };

/** Text to copy, shown as code. */
export interface Snippet {
  readonly label: string;
  readonly code: string;
}

/** How long an anomaly that is over lasted, and how often it was seen. */
export function overSentence(anomaly: Anomaly): string {
  const lasted = formatDuration(anomaly.time - anomaly.first_seen);
  const times = anomaly.count === 1 ? "once" : `${formatNumber(anomaly.count)} times`;
  return `It is over. It lasted ${lasted} and was seen ${times}.`;
}

/** The numbers an anomaly stands on. */
export function factsOf(anomaly: Anomaly): Fact[] {
  const { observed, expected, z, threshold, state, first_seen, time } = anomaly;
  const score = z === null ? "" : ` (z-score ${formatNumber(z)})`;
  const facts: Fact[] = [
    {
      label: state === "resolved" ? "At its worst" : "Observed",
      value: formatNumber(observed) + score,
    },
    { label: "Expected", value: formatNumber(expected) },
    { label: "Threshold", value: formatNumber(threshold.value) },
    { label: state === "resolved" ? "Began" : "Since", timeMs: first_seen * 1_000 },
  ];
  if (state === "resolved") facts.push({ label: "Ended", timeMs: time * 1_000 });
  return facts;
}

/** What to change so that it does not fire, and where to look on. */
export function snippetsOf({ threshold, suggestion }: Anomaly): Snippet[] {
  return [
    { label: "If this is normal, change", code: threshold.setting },
    { label: "Wireshark", code: suggestion.wireshark_filter },
    { label: "PromQL", code: suggestion.promql },
  ].flatMap(({ label, code }) => {
    const text = clean(code, CODE_MAX).replaceAll("`", "'");
    return text === "" ? [] : [{ label, code: text }];
  });
}

/** Where it was seen, and its name in the log. */
export function footerOf(anomaly: Anomaly): string {
  const parts = [anomaly.interface, anomaly.protocol, `incident ${anomaly.id}`];
  return parts
    .map((part) => safe(part, FOOTER_PART_MAX))
    .filter((part) => part !== "")
    .join(" · ");
}
