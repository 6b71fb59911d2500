// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorContext, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { RecentSums } from "./recent-sums.ts";
import { addressFilter } from "./suggestions.ts";
import { bytes, number } from "./text.ts";

const settings = z.strictObject({
  bytes: z
    .number()
    .min(1e6)
    .default(1e8)
    .describe(
      "Bytes sent from a home host to one destination outside within an hour, below which nothing is told.",
    ),
  ratio: z.number().gt(1).default(5).describe("How many times more must be sent than is received."),
  factor: z
    .number()
    .min(1)
    .default(3)
    .describe(
      "How many times the most that the host sent in any hour before it must be, once a day of it is known.",
    ),
});
type Settings = z.infer<typeof settings>;
type Row = TrackerRows["volumes"][number];

const PAIRS = 4096;
const HOSTS = 4096;
const HOUR_MS = 3_600_000;
const HOURS_TO_KNOW = 24;
/** What an hour's record still counts an hour later: half of it after three days. */
const FADING = 0.99;
const MULTICAST = /^(?:22[4-9]|23\d|255)\.|^ff/;

/** The most a host sent in one hour. */
class History {
  hours = 0;
  most = 0;
  #hour = -1;
  #sent = 0;

  add(sentBytes: number, elapsedMs: number): void {
    const hour = Math.floor(elapsedMs / HOUR_MS);
    if (this.#hour >= 0 && hour > this.#hour) {
      this.most = Math.max(this.most * FADING ** (hour - this.#hour), this.#sent);
      this.hours += hour - this.#hour;
      this.#sent = 0;
    }
    this.#hour = hour;
    this.#sent += sentBytes;
  }
}

/** Much data goes out, and little comes back. */
export const exfiltration: DetectorDefinition<Settings> = {
  name: "exfiltration",
  class: "exfiltration",
  help: "A home host sends far more to one destination outside than it gets from it, beyond an absolute floor and, once a day of it is known, beyond what it ever sent in an hour: data is carried out, or a backup is new.",
  severities: ["warning"],
  settings,
  quietSeconds: 60,
  create: (own, context) => new Exfiltration(own, context),
};

class Exfiltration implements Detector {
  readonly #settings: Settings;
  readonly #context: DetectorContext;
  readonly #pairs = new BoundedMap<RecentSums<"up" | "down">>(PAIRS);
  readonly #hosts = new BoundedMap<History>(HOSTS);

  constructor(own: Settings, context: DetectorContext) {
    this.#settings = own;
    this.#context = context;
  }

  evaluate(tick: Tick): Finding[] {
    return tick.window.rows.volumes
      .filter(({ client, server }) => this.#goesOut(client, server))
      .flatMap((row) => this.#judge(row, tick));
  }

  #goesOut(client: string, server: string): boolean {
    const { isHome } = this.#context;
    return isHome(client) && !isHome(server) && !MULTICAST.test(server);
  }

  #judge(row: Row, tick: Tick): Finding[] {
    const { client, server, upBytes, downBytes } = row;
    const pair = `${client} ${server}`;
    const sums = this.#pairs.use(pair, () => new RecentSums(["up", "down"] as const, HOUR_MS, 12));
    sums.add(tick.elapsedMs, { up: upBytes, down: downBytes });
    const host = this.#hosts.use(client, () => new History());
    const own = this.#settings;
    const [up, down] = [sums.total("up"), sums.total("down")];
    const isKnown = host.hours >= HOURS_TO_KNOW;
    const usual = isKnown ? own.factor * host.most : 0;
    if (!tick.tainted) host.add(upBytes, tick.elapsedMs);
    if (up < Math.max(own.bytes, usual) || up < own.ratio * down) return [];
    return [this.#finding(row, { up, down, most: host.most, isKnown })];
  }

  #finding(
    { client, server, port }: Row,
    { up, down, most, isKnown }: { up: number; down: number; most: number; isKnown: boolean },
  ): Finding {
    const own = this.#settings;
    const isUsual = isKnown && own.factor * most > own.bytes;
    return {
      entity: {
        ...{ kind: "pair", key: `${client} ${server}`, source: client },
        ...{ destination: server, port },
      },
      severity: "warning",
      protocol: "all",
      observed: up,
      expected: most,
      threshold: isUsual
        ? { value: own.factor, setting: "detectors.exfiltration.factor" }
        : { value: own.bytes, setting: "detectors.exfiltration.bytes" },
      windowSeconds: HOUR_MS / 1000,
      samples: 1,
      evidence: [
        `${bytes(up)} sent and ${bytes(down)} received within an hour, ${number(up / Math.max(1, down))} times as much`,
        `last to port ${port}`,
        isKnown
          ? `the most that the host sent in an hour before is ${bytes(most)}`
          : "the host has been known for less than a day",
      ],
      explanation: `${client} sent ${bytes(up)} to ${server}, outside the home networks, within an hour and got ${bytes(down)} back: data is carried out, or a backup is new.`,
      suggestion: {
        wireshark_filter: `${addressFilter("src", client)} && ${addressFilter("dst", server)}`,
        promql: 'sum(rate(nam_network_bytes_total{direction="out"}[5m]))',
      },
    };
  }
}
