// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import {
  cusumFields,
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
    .default(2)
    .describe(
      "Once a service is known, its attempts must be this many standard deviations above their baseline.",
    ),
});
type Settings = z.infer<typeof settings>;

/** A service whose handshakes fail, without the volume of a flood. */
export const handshakeFailure: DetectorDefinition<Settings> = {
  name: "tcp_handshake_failure",
  class: "failure",
  help: "Connection attempts to a service run ahead of the handshakes it completes: it is down, overloaded or blocked. Silent about a service while syn_flood speaks of it.",
  severities: ["warning"],
  settings,
  quietSeconds: 30,
  alarmsPerWeek: 5,
  supersededBy: ["syn_flood"],
  create: (own) => new HandshakeFailure(own),
};

class HandshakeFailure implements Detector {
  readonly #settings: Settings;
  readonly #services: Services;

  constructor(own: Settings) {
    this.#settings = own;
    this.#services = new Services(own);
  }

  evaluate(tick: Tick): Finding[] {
    return this.#services
      .update(tick)
      .filter((service) => this.#isFailing(service))
      .map((service) => this.#finding(service, tick));
  }

  /** Two ticks in a row, since handshakes that began just before a tick ended look unfinished, too. */
  #isFailing({ balance, unfinished, unfinishedBefore }: Service): boolean {
    const loud = !balance.ready || balance.score >= this.#settings.gate;
    return balance.alarm && Math.min(unfinished, unfinishedBefore) > balance.tolerated && loud;
  }

  #finding(service: Service, tick: Tick): Finding {
    const { handshakes, balance, unfinished } = service;
    return {
      entity: serviceEntity(handshakes),
      severity: "warning",
      protocol: "tcp",
      observed: unfinished,
      expected: balance.tolerated,
      ...(balance.ready ? { z: balance.score } : {}),
      threshold: {
        value: this.#settings.limit,
        setting: "detectors.tcp_handshake_failure.limit",
      },
      windowSeconds: tick.seconds,
      samples: handshakes.syn,
      evidence: evidenceOf(service),
      explanation: explain(service, tick.seconds),
      suggestion: {
        wireshark_filter: serviceFilter(handshakes),
        promql: 'rate(nam_tcp_handshakes_total{outcome!="established"}[1m])',
      },
    };
  }
}

function evidenceOf({ handshakes, balance }: Service): string[] {
  const { syn, established, refused, aborted, unanswered, sources } = handshakes;
  const source = mainSource(handshakes);
  return [
    `${count(syn, "SYN")}, ${count(established, "completed handshake")}`,
    `${number(refused)} refused, ${number(unanswered)} unanswered, ${number(aborted)} reset by the client`,
    `about ${count(sources, "client")}${source === "" ? "" : `, most attempts from ${source}`}`,
    `usually ${number(balance.usual)} completed handshakes/s`,
  ];
}

function explain({ handshakes, unfinished }: Service, seconds: number): string {
  const { destination, port, syn, refused, unanswered } = handshakes;
  const how =
    refused > unanswered
      ? "the service refuses them, so it is probably not running"
      : "they get no answer, so the service is probably down, overloaded or blocked";
  return `${number(Math.round(unfinished))} of ${number(Math.round(syn / seconds))} connection attempts/s to ${endpoint(destination, port)} fail: ${how}.`;
}
