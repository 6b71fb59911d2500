// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { AGENT_PROTOCOLS } from "../../../src/decode/agents/kinds.ts";
import { emptyPacket } from "../../../src/decode/packet.ts";
import type { TrackerContext } from "../../../src/flow/tracker.ts";
import { agentTalks } from "../../../src/flow/trackers/agent-talks.ts";
import { Protocol, setPacket, v4 } from "../../support/packets.ts";

const FACTS = {
  ...{ packet: 0, isFromServer: false, protocol: 0, messages: 1, calls: 0, errors: 0 },
  ...{
    mismatches: 0,
    open: 0,
    granted: 0,
    denied: 0,
    toAddress: 0,
    asks: 0,
    askStart: 0,
    modelCalls: 0,
    metadata: 0,
    bareMetadata: 0,
  },
};

describe("talks with agents", () => {
  it("are named as the metric names them, whoever sent the packet", () => {
    const context = { hashSeed: 1, evicted: () => {} } as unknown as TrackerContext;
    const tracker = agentTalks.create(context);
    for (const [protocol] of AGENT_PROTOCOLS.entries()) {
      for (const isFromServer of [false, true]) {
        const packet = emptyPacket({ agents: { ...FACTS, protocol, isFromServer } });
        const ends = [v4("10.0.0.5", 4000), v4("10.0.0.80", 8000)] as const;
        const [from, to] = isFromServer ? [ends[1], ends[0]] : ends;
        setPacket(packet, from, to, { ipProtocol: Protocol.TCP, flags: 16, payload: 10 });
        packet.number = 0;
        tracker.onPacket?.(packet, 0);
      }
    }
    const rows = tracker.close(1000);
    expect(rows.map(({ protocol }) => protocol).sort()).toEqual([...AGENT_PROTOCOLS].sort());
    for (const row of rows) {
      expect(row).toMatchObject({
        client: "10.0.0.5",
        server: "10.0.0.80",
        port: 8000,
        messages: 2,
      });
    }
  });
});
