// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { FlowHarness } from "../support/flow-harness.ts";
import { ACK, FIN, Protocol, PSH, RST, SYN, v4 } from "../support/packets.ts";

const CLIENT = v4("198.51.100.9", 40_000);
const SERVER = v4("10.0.0.80", 80);

/** A flow table of one place, so that connections follow each other in it. */
class Connection extends FlowHarness {
  #sent = 1;

  constructor() {
    super(64);
    this.open();
  }

  open(): void {
    this.tcp(CLIENT, SERVER, SYN);
    this.tcp(SERVER, CLIENT, SYN | ACK);
    this.tcp(CLIENT, SERVER, ACK);
    this.tcp(CLIENT, SERVER, ACK | PSH, 100);
  }

  /** The client says how much it takes, as often as told, `everyMs` apart. */
  announce(window: number, times = 1, everyMs = 0): void {
    for (let at = 0; at < times; at++) {
      this.wait(everyMs);
      this.send(CLIENT, SERVER, { ipProtocol: Protocol.TCP, flags: ACK, window });
    }
  }

  serve(bytes: number): void {
    for (let left = bytes; left > 0; left -= 1400) {
      this.send(SERVER, CLIENT, {
        ...{ ipProtocol: Protocol.TCP, flags: ACK, payload: 1400, sequence: this.#sent },
        window: 1000,
      });
      this.#sent += 1400;
    }
  }

  /** Connections of the client that were found to take nothing. */
  stalled(): number {
    return this.close().pairs.reduce((sum, { stalled }) => sum + stalled, 0);
  }
}

describe("a client that keeps its window shut", () => {
  it.each([0, 5, 15])("is told once, with a window of %i", (window) => {
    const connection = new Connection();
    connection.announce(window, 3, 5001);
    expect(connection.stalled()).toBe(1);
    connection.announce(window, 6, 5001);
    expect(connection.stalled()).toBe(0);
  });

  it.each([
    ["for less than ten seconds", (own: Connection) => own.announce(0, 10, 900)],
    ["and says so but twice", (own: Connection) => own.announce(0, 2, 20_000)],
    ["nearly", (own: Connection) => own.announce(16, 5, 5000)],
  ])("is not told: %s", (_, happens) => {
    const connection = new Connection();
    happens(connection);
    expect(connection.stalled()).toBe(0);
  });

  it("is slow only, while it takes what it asked for", () => {
    const connection = new Connection();
    for (let at = 0; at < 6; at++) {
      connection.announce(0, 1, 5000);
      connection.serve(70_000);
    }
    expect(connection.stalled()).toBe(0);
  });

  it("is not the server", () => {
    const connection = new Connection();
    for (let at = 0; at < 6; at++) {
      connection.wait(5000);
      connection.send(SERVER, CLIENT, { ipProtocol: Protocol.TCP, flags: ACK, window: 0 });
    }
    expect(connection.stalled()).toBe(0);
  });

  it("is not one that has closed the connection", () => {
    const connection = new Connection();
    connection.tcp(CLIENT, SERVER, FIN | ACK);
    connection.announce(0, 6, 5000);
    expect(connection.stalled()).toBe(0);
  });

  it("is not blamed for the connection that had its place before", () => {
    const connection = new Connection();
    connection.announce(0, 2, 5000);
    connection.tcp(SERVER, CLIENT, RST);
    connection.wait(60_000);
    connection.close();
    connection.open();
    connection.announce(0);
    expect(connection.stalled()).toBe(0);
  });
});
