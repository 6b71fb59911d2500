// SPDX-License-Identifier: AGPL-3.0-or-later
// Labelled captures through the whole pipeline, at the defaults of a fresh agent.
import { join } from "node:path";
import { detectors } from "../../src/detect/all.ts";
import type { Anomaly } from "../../src/detect/detector.ts";
import { type LabelledCapture, labelledCaptures } from "./labels.ts";
import { replayCapture } from "./replay-capture.ts";
import { percent, quantileText, type Section, table } from "./section.ts";

/** Detectors that are right about a kind of attack, by name. */
const RIGHT: Readonly<Record<string, RegExp>> = {
  portscan: /port_scan|slow_scan|flag_scan|syn_scan/,
  hostscan: /sweep|slow_scan/,
  arp_scan: /sweep|arp_scan/,
  arp_spoof: /^arp_spoof$/,
  syn_flood: /^syn_flood$|^tcp_handshake_failure$/,
  brute_force: /brute_force|login/,
  dns_tunnel: /^dns_|txt_ratio/,
  dns_exfil: /^dns_|nxdomain|dga/,
  beaconing: /^beacon/,
};

interface Judged {
  readonly capture: LabelledCapture;
  readonly right: readonly Anomaly[];
  readonly wrong: readonly Anomaly[];
  readonly seconds: number;
}

/** Precision, recall, time to detect and false alarms, by kind of attack and by detector. */
export async function captureSection(data: string): Promise<Section> {
  const judged: Judged[] = [];
  for (const capture of labelledCaptures(data)) judged.push(await judge(data, capture));
  return {
    title: "Labelled captures",
    parts: [
      "Real tools against real services, and public captures, each replayed into a fresh agent with default settings. " +
        "Counted are warnings and criticals, once for each incident; right is one of a detector that is about the kind of " +
        "attack, and that names the attacker or the victim where the label does. The time runs from the first packet of the " +
        "attack. The captures are split alternately into a half that may be looked at when a threshold is chosen, and " +
        "a half that may not. Most thresholds come from the literature, but all of these captures were seen while the " +
        "detectors were written, so neither half is evidence as good as captures nobody has seen. The two that are not " +
        "found hold ten SYNs within 0.2 ms each and end there: what becomes of a connection attempt is known when it is " +
        "answered, or not answered for three seconds, and ten that nobody had time to answer prove nothing.",
      table(
        ["Capture", "Half", "Kind", "First right event", "After", "Right", "Wrong"],
        judged.map(row),
      ),
      halves(judged),
      "By detector, over all captures; recall is over the captures of the kinds that the detector is about:",
      table(
        ["Detector", "Right", "Wrong", "Precision", "Recall", "Time to detect"],
        detectors.map(({ name }) => detectorRow(name, judged)),
      ),
    ],
  };
}

/** Harmless captures: nothing above info may appear. */
export function falseAlarms(judged: readonly Judged[]): { alarms: number; seconds: number } {
  const harmless = judged.filter(({ capture }) => capture.kind === null);
  return {
    alarms: harmless.reduce((sum, { wrong }) => sum + wrong.length, 0),
    seconds: harmless.reduce((sum, { seconds }) => sum + seconds, 0),
  };
}

async function judge(data: string, capture: LabelledCapture): Promise<Judged> {
  const report = await replayCapture(join(data, capture.path));
  const told = report.events.filter(
    ({ state, severity }) => state === "open" && severity !== "info",
  );
  const [file] = report.files;
  return {
    capture,
    right: told.filter((event) => isRight(event, capture)),
    wrong: told.filter((event) => !isRight(event, capture)),
    seconds: (file?.lastTimestamp ?? 0) - (file?.firstTimestamp ?? 0),
  };
}

function isRight(
  { detector, entity, evidence }: Anomaly,
  { kind, addresses }: LabelledCapture,
): boolean {
  if (kind === null || !RIGHT[kind]?.test(detector)) return false;
  const text = JSON.stringify([entity, evidence]);
  return addresses.length === 0 || addresses.some((address) => text.includes(address));
}

function delay({ capture, right }: Judged): number | null {
  const [first] = right;
  return first && capture.start !== null ? Math.max(0, first.time - capture.start) : null;
}

function row(judged: Judged): (string | number)[] {
  const { capture, right, wrong } = judged;
  const after = delay(judged);
  return [
    capture.path.replace(/^(attacks|captures)\//, ""),
    capture.half,
    capture.kind ?? "none (harmless)",
    right[0]
      ? `${right[0].detector}, ${right[0].severity}`
      : capture.kind === null
        ? "–"
        : "**none**",
    after === null ? "–" : `${after.toFixed(1)} s`,
    right.length,
    wrong.length === 0
      ? 0
      : `${wrong.length} (${[...new Set(wrong.map(({ detector }) => detector))].join(", ")})`,
  ];
}

function halves(judged: readonly Judged[]): string {
  const rows = (["tuning", "report"] as const).map((half) => {
    const own = judged.filter(({ capture }) => capture.half === half);
    const attacks = own.filter(({ capture }) => capture.kind !== null);
    const found = attacks.filter(({ right }) => right.length > 0);
    const { alarms, seconds } = falseAlarms(own);
    const delays = own.map(delay).filter((value) => value !== null);
    return [
      half,
      `${found.length} of ${attacks.length} (${percent(found.length, attacks.length)})`,
      `${quantileText(delays, 0.5)} / ${quantileText(delays, 1)}`,
      `${alarms} in ${Math.round(seconds)} s`,
    ];
  });
  return table(
    [
      "Half",
      "Attacks found",
      "Time to detect, median / worst",
      "False alarms in harmless captures",
    ],
    rows,
  );
}

function detectorRow(name: string, judged: readonly Judged[]): (string | number)[] {
  const own = (events: readonly Anomaly[]): number =>
    events.filter(({ detector }) => detector === name).length;
  const right = judged.reduce((sum, each) => sum + own(each.right), 0);
  const wrong = judged.reduce((sum, each) => sum + own(each.wrong), 0);
  const about = judged.filter(({ capture }) => RIGHT[capture.kind ?? ""]?.test(name));
  const found = about.filter((each) => own(each.right) > 0);
  const delays = found
    .map((each) =>
      delay({ ...each, right: each.right.filter(({ detector }) => detector === name) }),
    )
    .filter((value) => value !== null);
  return [
    `\`${name}\``,
    right,
    wrong,
    percent(right, right + wrong),
    about.length === 0 ? "–" : `${found.length} of ${about.length}`,
    quantileText(delays, 0.5),
  ];
}
