// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { CONVERSATIONS, Conversations } from "../../src/decode/conversations.ts";
import { emptyPacket, type Packet } from "../../src/decode/packet.ts";
import type { DecodeContext } from "../../src/decode/protocol.ts";

function create() {
  const counters = new Float64Array(1);
  const context: DecodeContext = {
    counters,
    base: () => 0,
    position: () => 0,
    tally: () => () => {},
    facts: {},
    echPublicNames: new Set<string>(),
    shared: () => {
      throw new Error("not asked for");
    },
  };
  return { conversations: new Conversations(2, context), forgotten: () => counters[0] };
}

function packet(
  flow: number,
  flowPackets: number,
  sourcePort = 50_000,
  destinationPort = 80,
): Packet {
  return Object.assign(emptyPacket({}), { flow, flowPackets, sourcePort, destinationPort });
}

describe("conversations", () => {
  it("keep the state of a flow, whichever side sends", () => {
    const { conversations, forgotten } = create();
    const at = conversations.of(packet(7, 1));
    conversations.state[at + 1] = 5;
    expect(conversations.of(packet(7, 2, 80, 50_000))).toBe(at);
    expect(conversations.state[at + 1]).toBe(5);
    expect(forgotten()).toBe(0);
  });

  it.each([
    ["between other ports", packet(7, 3, 50_001)],
    ["that has had no more packets", packet(7, 2)],
  ])("begin anew for a flow in the same slot %s", (_what, next) => {
    const { conversations, forgotten } = create();
    const at = conversations.of(packet(7, 2));
    conversations.state[at] = 5;
    expect(conversations.of(next)).toBe(at);
    expect(conversations.state[at]).toBe(0);
    expect(forgotten()).toBe(0);
  });

  it("count a flow that another one pushes out", () => {
    const { conversations, forgotten } = create();
    const at = conversations.of(packet(7, 1));
    conversations.state[at] = 5;
    expect(conversations.of(packet(7 + CONVERSATIONS, 1))).toBe(at);
    expect(conversations.state[at]).toBe(0);
    expect(forgotten()).toBe(1);
    expect(conversations.of(packet(8, 1))).not.toBe(at);
    expect(forgotten()).toBe(1);
  });

  it("have none for a packet without a flow", () => {
    expect(create().conversations.of(packet(-1, 1))).toBe(-1);
  });
});
