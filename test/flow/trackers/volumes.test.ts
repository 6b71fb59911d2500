// SPDX-License-Identifier: AGPL-3.0-or-later
import { expect, it } from "vitest";
import { FlowHarness } from "../../support/flow-harness.ts";
import { Protocol, v4 } from "../../support/packets.ts";

const CLIENT = v4("10.0.0.1", 40_000);
const SERVER = v4("198.51.100.7", 443);

function send(harness: FlowHarness, up: number, down: number): void {
  const fields = { ipProtocol: Protocol.UDP, payload: 940, lengthBytes: 1000 };
  for (let at = 0; at < up; at++) harness.send(CLIENT, SERVER, fields);
  for (let at = 0; at < down; at++) harness.send(SERVER, CLIENT, fields);
}

it("tells what a flow that lasts carried in each window", () => {
  const harness = new FlowHarness();
  send(harness, 100, 20);
  const ends = { client: "10.0.0.1", server: "198.51.100.7", port: 443 };
  expect(harness.close(1000).volumes).toEqual([{ ...ends, upBytes: 100_000, downBytes: 20_000 }]);
  expect(harness.close(1000).volumes).toEqual([]);
  send(harness, 50, 0);
  expect(harness.close(1000).volumes).toEqual([{ ...ends, upBytes: 50_000, downBytes: 0 }]);
});

it("tells small amounts once they add up, and begins anew with another flow in the same place", () => {
  const harness = new FlowHarness();
  send(harness, 10, 0);
  expect(harness.close(1000).volumes).toEqual([]);
  send(harness, 10, 0);
  expect(harness.close(1000).volumes).toMatchObject([{ upBytes: 20_000 }]);
  harness.close(3_600_000);
  harness.close(1000);
  send(harness, 17, 0);
  expect(harness.close(1000).volumes).toMatchObject([{ upBytes: 17_000 }]);
});

it("tells it in the same window while ever new flows begin", () => {
  const harness = new FlowHarness();
  send(harness, 20, 0);
  harness.close(1000);
  for (let window = 1; window <= 3; window++) {
    harness.udp(v4("10.0.0.2", window), SERVER);
    send(harness, 20 * window, 0);
    expect(harness.close(1000).volumes).toMatchObject([{ upBytes: 20_000 * window }]);
  }
});
