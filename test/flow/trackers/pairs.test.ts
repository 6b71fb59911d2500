// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { FlowHarness } from "../../support/flow-harness.ts";
import { ACK, type End, FIN, Protocol, PSH, RST, SYN, v4, v6 } from "../../support/packets.ts";

/** A handshake, what is said, and the end; returns what the tracker makes of it. */
function talk(
  { from = v4("10.0.0.1", 40_000), to = v4("10.0.0.2", 80), closing = FIN as number } = {},
  say: (flows: FlowHarness, from: End, to: End) => void = () => {},
): { connections: number; brief: number; empty: number } | undefined {
  const flows = new FlowHarness();
  const options = from.words[2] === v6(1).words[2] ? 40 : 0;
  const send = (sender: End, receiver: End, flags: number, lengthBytes: number): void =>
    void flows.send(sender, receiver, {
      ipProtocol: Protocol.TCP,
      flags,
      lengthBytes: lengthBytes + options / 2,
    });
  send(from, to, SYN, 74);
  send(to, from, SYN | ACK, 74);
  send(from, to, ACK, 66);
  say(flows, from, to);
  if (closing === RST) send(from, to, RST | ACK, 66);
  else {
    send(from, to, FIN | ACK, 66);
    send(to, from, FIN | ACK, 66);
    send(from, to, ACK, 66);
  }
  const [row] = flows.close().pairs;
  return row && { connections: row.connections, brief: row.brief, empty: row.empty };
}

const data =
  (length: number) =>
  (flows: FlowHarness, from: End, to: End): void =>
    void flows.send(from, to, {
      ipProtocol: Protocol.TCP,
      flags: PSH | ACK,
      payload: length,
      lengthBytes: 66 + length,
    });

describe("a connection in which nothing is said", () => {
  it.each([
    ["is closed", {}],
    ["is reset", { closing: RST }],
    ["is closed over IPv6", { from: v6(1, 40_000), to: v6(2, 80) }],
    ["is reset over IPv6", { from: v6(1, 40_000), to: v6(2, 80), closing: RST }],
  ])("is empty when it %s", (_, ends) => {
    expect(talk(ends)).toEqual({ connections: 1, brief: 1, empty: 1 });
  });
});

describe("a connection in which something is said", () => {
  it("is not empty where the client asks", () => {
    expect(talk({}, data(40))).toEqual({ connections: 1, brief: 1, empty: 0 });
    expect(talk({ closing: RST }, data(40))?.empty).toBe(0);
  });

  it("is not empty where the server greets", () => {
    expect(talk({}, (flows, from, to) => data(40)(flows, to, from))?.empty).toBe(0);
  });

  it("is not empty where what little was said proved what it is", () => {
    const proved = (flows: FlowHarness, from: End, to: End): void => {
      const packet = flows.tcp(from, to, PSH | ACK, 4);
      flows.stage.keep(Object.assign(packet, { application: 3, guessed: false }), 3, flows.nowMs);
    };
    expect(talk({}, proved)?.empty).toBe(0);
  });
});
