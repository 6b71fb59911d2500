// SPDX-License-Identifier: AGPL-3.0-or-later
// Where clients of language models go, from packets; and what is made of it.
import { describe, expect, it } from "vitest";
import { aiNewDestination } from "../../../src/detect/ai-new-destination.ts";
import { CallBench } from "../../support/ai-calls.ts";
import { DetectionBench } from "../../support/detection-bench.ts";
import { type TalkOptions, TlsTalk } from "../../support/encrypted-talk.ts";
import { TalkClock } from "../../support/talk.ts";

const OPENAI = { serverName: "api.openai.com" };

/** Packets of several hosts in one time. */
class Network {
  readonly bench = new CallBench();
  readonly clock = new TalkClock();
  #port = 40_000;

  talk(options: TalkOptions): TlsTalk {
    return new TlsTalk(this.bench, { clientPort: this.#port++, ...options }, this.clock);
  }

  /** A client calls a model, which the end of its connection tells. */
  call(client = "10.0.0.5"): void {
    const talk = this.talk({ ...OPENAI, client });
    talk.up(1000);
    talk.wait(300);
    talk.down(2000);
    talk.wait(20);
    talk.close();
  }

  /** A client carries something somewhere. */
  carry(options: TalkOptions, bytes: number): void {
    const talk = this.talk({ server: "198.51.100.40", ...options });
    for (let sent = 0; sent < bytes; sent += 1400) talk.up(1400);
    talk.wait(50);
    talk.down(300);
    talk.close();
  }

  rows() {
    this.bench.finish();
    return this.bench.windows.flatMap(({ ai_destinations }) => ai_destinations);
  }
}

describe("destinations of clients that call models", () => {
  it("are told by registrable domain, with what was carried there", () => {
    const network = new Network();
    network.call();
    network.clock.nowMs += 2000;
    network.carry({ serverName: "a.drop.evil.co.uk" }, 20_000);
    const rows = network.rows().filter(({ isProvider }) => !isProvider);
    expect(rows).toMatchObject([
      {
        ...{ client: "10.0.0.5", destination: "evil.co.uk", isNamed: true, clients: 1 },
        ...{ server: "198.51.100.40", port: 443, begun: 1, answered: 1 },
      },
    ]);
    expect(rows[0]?.upBytes).toBeGreaterThan(20_000);
    expect(rows[0]?.startMs).toBeGreaterThanOrEqual(2300);
  });

  it("are nobody's concern before a client calls one, but then known to be shared", () => {
    const network = new Network();
    network.call("10.0.0.9");
    network.carry({ serverName: "www.example.org" }, 3000);
    expect(network.rows().filter(({ client }) => client === "10.0.0.5")).toEqual([]);
    network.call();
    network.carry({ serverName: "api.example.org" }, 3000);
    network.carry({ serverName: "api.example.org", client: "10.0.0.9" }, 3000);
    const shared = network.rows().filter(({ isProvider }) => !isProvider);
    expect(shared.map(({ client, clients }) => `${client} ${clients}`).sort()).toEqual([
      "10.0.0.5 1",
      "10.0.0.9 2",
    ]);
  });

  it("without a name are addresses, over TLS and over anything else", () => {
    const network = new Network();
    network.call();
    network.carry({}, 5000);
    const raw = network.talk({ server: "198.51.100.41", serverName: "x.example" });
    raw.close();
    const rows = network.rows().filter(({ isProvider }) => !isProvider);
    expect(rows.map(({ destination, isNamed }) => `${destination} ${isNamed}`)).toEqual([
      "198.51.100.40 false",
      "x.example true",
    ]);
  });

  it("are told of by ai_new_destination when it is soon after the reply", () => {
    const network = new Network();
    for (let at = 0; at < 4; at++) {
      network.call();
      network.carry({ serverName: "www.example.org" }, 2000);
      network.clock.nowMs += 20_000;
    }
    network.call();
    network.clock.nowMs += 3000;
    network.carry({ serverName: "evil.example" }, 30_000);
    network.rows();
    const detection = new DetectionBench({
      detectors: [aiNewDestination],
      settings: { ai_new_destination: { learn_seconds: 60, chance: 0.9 } },
    });
    for (const rows of network.bench.windows) detection.step({ rows });
    expect(detection.events.filter(({ state }) => state === "open")).toMatchObject([
      { entity: { key: "10.0.0.5 evil.example", domain: "evil.example" }, samples: 1 },
    ]);
  });
});
