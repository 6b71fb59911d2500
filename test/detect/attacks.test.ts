// SPDX-License-Identifier: AGPL-3.0-or-later
// From built packets to findings: the flow stage with its trackers, and the detectors behind it.
import { describe, expect, it } from "vitest";
import { detectors } from "../../src/detect/all.ts";
import { httpFlood } from "../../src/detect/http-flood.ts";
import { pairRow } from "../support/attack-rows.ts";
import { DetectionBench } from "../support/detection-bench.ts";
import { FlowHarness } from "../support/flow-harness.ts";
import { ACK, FIN, Protocol, PSH, RST, SYN, v4 } from "../support/packets.ts";

const ATTACKER = "198.51.100.9";
const VICTIM = "10.0.0.80";

/** Runs seconds of packets, after some of silence; returns the detectors that spoke. */
function run(
  seconds: number,
  second: (flows: FlowHarness, at: number) => void,
  silence = 3,
): string[] {
  const flows = new FlowHarness(16_384);
  const bench = new DetectionBench({ detectors });
  bench.run(silence);
  for (let at = 0; at < seconds; at++) {
    second(flows, at);
    bench.step({ rows: flows.close(1000) });
  }
  return [...new Set(bench.events.map(({ detector }) => detector))];
}

function many(count: number, each: (index: number) => void): void {
  for (let index = 0; index < count; index++) each(index);
}

describe("an attack, from the first second on", () => {
  it.each([
    ["NULL", 0],
    ["FIN", FIN],
    ["Xmas", FIN | PSH | 32],
  ])("is found: %s scan, answered and unanswered", (_, flags) => {
    const found = run(2, (flows, at) =>
      many(20, (port) => {
        const [from, to] = [v4(ATTACKER, 50_000), v4(VICTIM, 1 + port + 20 * at)];
        flows.tcp(from, to, flags);
        if (port % 2 === 0) flows.tcp(to, from, RST | ACK);
      }),
    );
    expect(found).toEqual(["stealth_scan"]);
  });

  it("is found: ACK scan", () => {
    const found = run(2, (flows, at) =>
      many(20, (port) => {
        const [from, to] = [v4(ATTACKER, 50_000), v4(VICTIM, 1 + port + 20 * at)];
        flows.tcp(from, to, ACK);
        flows.tcp(to, from, RST);
      }),
    );
    expect(found).toEqual(["stealth_scan"]);
  });

  it.each([
    ["udp_flood", Protocol.UDP, 0],
    ["icmp_flood", Protocol.ICMP, 0],
    ["tcp_flag_flood", Protocol.TCP, ACK],
    ["tcp_flag_flood", Protocol.TCP, RST],
    ["tcp_flag_flood", Protocol.TCP, FIN | ACK],
  ])("is found: %s", (detector, ipProtocol, flags) => {
    const found = run(4, (flows, at) =>
      many(640, (index) => {
        const port = ipProtocol === Protocol.ICMP ? 0 : 2000 + index + 640 * at;
        const to = v4(VICTIM, ipProtocol === Protocol.ICMP ? 0 : 80);
        flows.send(v4(ATTACKER, port), to, { ipProtocol, flags });
      }),
    );
    expect(found).toContain(detector);
  });

  it("is found: forged sources", () => {
    const flood = (perSecond: number): string[] =>
      run(6, (flows, at) =>
        many(perSecond, (index) =>
          flows.udp(v4(`203.${at}.${index >> 8}.${index & 255}`, 4000), v4(VICTIM, 80)),
        ),
      );
    expect(flood(150)).toEqual(["spoofed_flood"]);
    // A detector that knows more tells it alone.
    for (const perSecond of [300, 900]) expect(flood(perSecond)).toEqual(["udp_flood"]);
  });

  it("is found: a packet that claims to come from its target", () => {
    expect(run(1, (flows) => flows.tcp(v4(VICTIM, 80), v4(VICTIM, 80), SYN))).toEqual(["land"]);
  });

  it("is found: the same, while a flood's victim answers thousands of forged sources", () => {
    const found = run(1, (flows) => {
      many(3000, (index) =>
        flows.tcp(v4(VICTIM, 80), v4(`203.0.${index >> 8}.${index & 255}`, 9), SYN),
      );
      flows.tcp(v4("10.0.0.81", 80), v4("10.0.0.81", 80), SYN);
      many(3000, (index) =>
        flows.tcp(v4(VICTIM, 80), v4(`203.1.${index >> 8}.${index & 255}`, 9), SYN),
      );
    });
    expect(found).toContain("land");
  });

  it("is found: connections that starve a server", () => {
    const found = run(15, (flows, at) => {
      if (at > 0) return;
      many(30, (index) => {
        const [from, to] = [v4(ATTACKER, 2000 + index), v4(VICTIM, 80)];
        flows.tcp(from, to, SYN);
        flows.tcp(to, from, SYN | ACK);
        flows.tcp(from, to, ACK);
      });
    });
    expect(found).toEqual(["slow_dos"]);
  });

  it.each([
    ["bodies of posts that come in drops", 60, ["slow_dos"]],
    ["uploads, which the server takes without a word", 1400, []],
  ])("is told from work by what the client sends: %s", (_, bytes, expected) => {
    const found = run(15, (flows, at) => {
      many(30, (index) => {
        const [from, to] = [v4(ATTACKER, 2000 + index), v4(VICTIM, 80)];
        if (at === 0) {
          flows.tcp(from, to, SYN);
          flows.tcp(to, from, SYN | ACK);
        }
        many(10, () => flows.tcp(from, to, ACK | PSH, bytes));
        flows.tcp(to, from, ACK);
      });
    });
    expect(found).toEqual(expected);
  });

  it.each([
    ["connections of which a request came over each, 150 a second", 150, 150, []],
    ["connections, 150 a second", 150, 0, []],
    ["connections, 250 a second", 250, 0, ["http_flood"]],
    ["requests, 250 a second", 5, 250, ["http_flood"]],
  ])("is judged once for one act: %s", (_, connections, requests, expected) => {
    const bench = new DetectionBench({ detectors: [httpFlood] });
    bench.run(3);
    bench.run(10, { rows: { pairs: [pairRow({ client: "10.0.0.9", connections, requests })] } });
    expect([...new Set(bench.events.map(({ detector }) => detector))]).toEqual(expected);
  });
});

describe("one incident", () => {
  it("is a SYN flood from forged sources", () => {
    const found = run(6, (flows, at) =>
      many(400, (index) =>
        flows.tcp(v4(`203.${at}.${index >> 8}.${index & 255}`, 4000), v4(VICTIM, 80), SYN),
      ),
    );
    expect(found).toEqual(["syn_flood"]);
  });

  it("is a ping flood that its target answers", () => {
    const [attacker, victim] = [v4(ATTACKER), v4(VICTIM)];
    const flows = new FlowHarness(16_384);
    const bench = new DetectionBench({ detectors });
    bench.run(3);
    for (let second = 0; second < 5; second++) {
      many(640, () => {
        flows.send(attacker, victim, { ipProtocol: Protocol.ICMP });
        flows.send(victim, attacker, { ipProtocol: Protocol.ICMP });
      });
      bench.step({ rows: flows.close(1000) });
    }
    expect(bench.events.map(({ entity }) => entity.destination)).toEqual([VICTIM]);
  });
});

describe("what is no attack", () => {
  it("is left alone: a stream of answered datagrams, and connections that are used", () => {
    const found = run(5, (flows, at) => {
      many(2000, (index) => {
        const [client, server] = [v4(VICTIM, 4000), v4(ATTACKER, 443)];
        if (index % 50 === 0) flows.udp(client, server);
        else flows.udp(server, client);
      });
      many(20, (index) => {
        const [from, to] = [v4("10.0.0.7", 2000 + index + 20 * at), v4(VICTIM, 80)];
        flows.tcp(from, to, SYN);
        flows.tcp(to, from, SYN | ACK);
        flows.tcp(from, to, ACK | PSH, 100);
        flows.send(to, from, { ipProtocol: Protocol.TCP, flags: ACK | PSH, payload: 900 });
        flows.tcp(from, to, FIN | ACK);
        flows.tcp(to, from, FIN | ACK);
      });
    });
    expect(found).toEqual([]);
  });

  it("is left alone: a capture that begins in the middle of a thousand connections", () => {
    const begin = (flows: FlowHarness): void =>
      many(1000, (index) => {
        const [from, to] = [v4(`10.1.${index >> 8}.${index & 255}`, 5000), v4(VICTIM, 443)];
        flows.tcp(from, to, ACK);
        flows.tcp(to, from, ACK);
      });
    const found = run(3, begin, 0);
    expect(found).toEqual([]);
  });
});
