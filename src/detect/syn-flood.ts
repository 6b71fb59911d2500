// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import type { Handshakes } from "./handshake-balance.ts";
import {
  cusumFields,
  isHopeless,
  mainSource,
  type Service,
  Services,
  serviceEntity,
  serviceFilter,
} from "./services.ts";
import { count, endpoint, number } from "./text.ts";

const settings = z.strictObject({
  ...cusumFields,
  gate: z
    .number()
    .gt(0)
    .default(4)
    .describe(
      "A surplus is called a flood when the attempts are also this many standard deviations above their baseline.",
    ),
  floor: z
    .number()
    .gt(0)
    .default(100)
    .describe(
      "Unfinished handshakes a second of one service that are a flood without any history.",
    ),
  retry_floor: z
    .number()
    .gt(0)
    .default(500)
    .describe(
      "Below this many a second, attempts that the service refuses are its clients while it is down, who try again, and not a flood.",
    ),
});
type Settings = z.infer<typeof settings>;

/** A service drowned in half-open connections. */
export const synFlood: DetectorDefinition<Settings> = {
  name: "syn_flood",
  class: "flood",
  help: "Connection attempts to a service far beyond the handshakes it completes: by CUSUM and volume, or by an absolute floor from the first second on.",
  severities: ["critical"],
  settings,
  quietSeconds: 30,
  create: (own) => new SynFlood(own),
};

class SynFlood implements Detector {
  readonly #settings: Settings;
  readonly #services: Services;

  constructor(own: Settings) {
    this.#settings = own;
    this.#services = new Services(own, own.floor);
  }

  evaluate(tick: Tick): Finding[] {
    const findings: Finding[] = [];
    for (const service of this.#services.update(tick)) {
      if (this.#isRetrying(service)) continue;
      if (this.#exceedsFloor(service, tick.seconds)) {
        findings.push(this.#finding(service, tick, "floor"));
      } else if (this.#exceedsHistory(service)) {
        findings.push(this.#finding(service, tick, "gate"));
      }
    }
    return findings;
  }

  /**
   * Handshakes that began just before the tick ended look unfinished, too. So more than half must be, and either
   * their end is known, or they come from everywhere, as spoofed ones do, or it was the same in the tick before.
   * Of a service that is known, its usual clients may fail; a flood brings more than those.
   */
  #exceedsFloor(service: Service, seconds: number): boolean {
    const { floor, gate } = this.#settings;
    const { balance, handshakes, unfinishedBefore } = service;
    if (!isHopeless(service, floor) || (balance.ready && balance.score < gate)) return false;
    const { syn, refused, aborted, unanswered, sources } = handshakes;
    const ended = (refused + aborted + unanswered) / seconds;
    return ended >= floor || sources * 2 >= syn || unfinishedBefore >= floor;
  }

  #exceedsHistory({ balance, unfinished }: Service): boolean {
    return balance.alarm && balance.score >= this.#settings.gate && unfinished > balance.tolerated;
  }

  #isRetrying({ handshakes, unfinished }: Service): boolean {
    const { syn, established, refused } = handshakes;
    const mostlyRefused = refused >= 0.9 * (syn - established);
    return mostlyRefused && unfinished < this.#settings.retry_floor;
  }

  #finding(service: Service, tick: Tick, setting: "floor" | "gate"): Finding {
    const { handshakes, balance, unfinished } = service;
    return {
      entity: serviceEntity(handshakes),
      severity: "critical",
      protocol: "tcp",
      observed: unfinished,
      expected: balance.tolerated,
      ...(balance.ready ? { z: balance.score } : {}),
      threshold: { value: this.#settings[setting], setting: `detectors.syn_flood.${setting}` },
      windowSeconds: tick.seconds,
      samples: handshakes.syn,
      evidence: evidenceOf(service),
      explanation: explain(handshakes, tick.seconds),
      suggestion: {
        wireshark_filter: serviceFilter(handshakes),
        promql: 'rate(nam_tcp_segments_total{flag="syn"}[1m])',
      },
    };
  }
}

function evidenceOf({ handshakes, balance }: Service): string[] {
  const { syn, established, refused, aborted, unanswered, sources } = handshakes;
  const source = mainSource(handshakes);
  return [
    `${count(syn, "SYN")}, ${count(established, "completed handshake")}`,
    `${number(refused)} refused, ${number(aborted)} reset by the sender, ${number(unanswered)} unanswered so far`,
    `about ${count(sources, "source address", "source addresses")}${source === "" ? "" : `, most from ${source}`}`,
    balance.ready
      ? `usually ${number(balance.usual)} completed handshakes/s`
      : "this service was not watched long enough to know what is usual",
  ];
}

function explain(handshakes: Handshakes, seconds: number): string {
  const { destination, port, syn, established, sources } = handshakes;
  const source = mainSource(handshakes);
  const origin = source === "" ? `about ${count(sources, "address", "addresses")}` : source;
  const spoofed = sources > 100 ? ", probably spoofed" : "";
  const completed = Math.round(established / seconds);
  const few = completed === 0 ? "none of them is" : `only ${number(completed)}/s are`;
  return `${endpoint(destination, port)} gets ${number(Math.round(syn / seconds))} connection attempts/s from ${origin}${spoofed}, and ${few} completed: this is a SYN flood, meant to keep real clients out.`;
}
