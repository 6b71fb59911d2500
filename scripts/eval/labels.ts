// SPDX-License-Identifier: AGPL-3.0-or-later
// What the labelled captures hold, in one form.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface LabelledCapture {
  readonly path: string;
  /** Null: harmless, any warning is false. */
  readonly kind: string | null;
  /** Addresses that a true event names at least one of; empty where the label does not say. */
  readonly addresses: readonly string[];
  /** First attack packet, UTC seconds; null where the label does not say. */
  readonly start: number | null;
  /** Thresholds may be chosen on one half, and are reported on both apart. */
  readonly half: "tuning" | "report";
}

interface AttackLabel {
  readonly benign_only: boolean;
  readonly first_packet: number;
  readonly events: readonly {
    readonly kind: string;
    readonly attacker: string;
    readonly victim: string;
    readonly start: number;
  }[];
}

interface CaptureLabels {
  readonly captures: readonly {
    readonly path: string;
    readonly kind: string;
    readonly attacker: string | null;
    readonly victim: string | null;
    readonly benign: boolean;
  }[];
}

/** Every labelled capture under the folder of shared data; halves alternate in the order of kinds, then names. */
export function labelledCaptures(data: string): LabelledCapture[] {
  const all = [...attackCaptures(data), ...publicCaptures(data)];
  all.sort((a, b) => order(a).localeCompare(order(b)));
  return all.map((capture, at) => ({ ...capture, half: at % 2 === 0 ? "tuning" : "report" }));
}

function order({ kind, path }: Omit<LabelledCapture, "half">): string {
  return `${kind ?? "benign"} ${path}`;
}

function attackCaptures(data: string): Omit<LabelledCapture, "half">[] {
  const folder = join(data, "attacks");
  const names = readdirSync(folder).filter((name) => name.endsWith(".label.json"));
  return names.map((name) => {
    const label = JSON.parse(readFileSync(join(folder, name), "utf8")) as AttackLabel;
    const [event] = label.events;
    return {
      path: `attacks/${name.replace(".label.json", ".pcap")}`,
      kind: label.benign_only ? null : (event?.kind ?? "unknown"),
      addresses: addressesIn(event?.attacker, event?.victim),
      start: Math.max(event?.start ?? 0, label.first_packet),
    };
  });
}

function publicCaptures(data: string): Omit<LabelledCapture, "half">[] {
  const file = join(data, "captures/labels.json");
  const { captures } = JSON.parse(readFileSync(file, "utf8")) as CaptureLabels;
  return captures
    .filter(({ path }) => existsSync(join(data, "captures", path)))
    .map(({ path, kind, attacker, victim, benign }) => ({
      path: `captures/${path}`,
      kind: benign ? null : kind,
      addresses: addressesIn(attacker, victim),
      start: null,
    }));
}

/** A label may also be a remark such as "many, port 23". */
function addressesIn(...texts: (string | null | undefined)[]): string[] {
  return texts.flatMap((text) => text?.match(/\d+\.\d+\.\d+\.\d+/g) ?? []);
}
