// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { FirstContacts } from "../../src/flow/sketch/first-contacts.ts";
import {
  candidateVotes,
  candidateWord,
  MAJORITY_WORDS,
  vote,
} from "../../src/flow/sketch/majority.ts";
import type { FlowKey } from "../../src/flow/tracker.ts";

const MINUTE = 60_000;
const MEMORY_MS = 15 * MINUTE;
const T0 = 1_700_000_000_000;

function flow(fields: Partial<FlowKey> = {}): FlowKey {
  return {
    ...{ slot: 1, ipProtocol: 6, ipVersion: 4 },
    ...{ client0: 0, client1: 0, client2: 0xffff, client3: 0x0a000001 },
    ...{ server0: 0, server1: 0, server2: 0xffff, server3: 0x0a000002 },
    ...{ clientPort: 40_000, serverPort: 80, timeMs: T0 },
    ...{ side: 0, tcpFlags: 0, lengthBytes: 60, state: 0 },
    ...fields,
  };
}

describe("FirstContacts", () => {
  it("takes the first attempt only, whatever port the client uses", () => {
    const contacts = new FirstContacts(1024, MEMORY_MS, 1);
    expect(contacts.begin(flow())).toBe(true);
    expect(contacts.begin(flow({ clientPort: 40_001, slot: 2 }))).toBe(false);
  });

  it.each([
    ["destination", { server3: 0x0a000003 }],
    ["port", { serverPort: 81 }],
    ["protocol", { ipProtocol: 17 }],
    ["source", { client3: 0x0a000009 }],
    ["direction", { client3: 0x0a000002, server3: 0x0a000001 }],
  ])("tells contacts apart by %s", (_, fields) => {
    const contacts = new FirstContacts(1 << 16, MEMORY_MS, 1);
    contacts.begin(flow());
    expect(contacts.begin(flow(fields))).toBe(true);
  });

  it("settles once, by the flow that began", () => {
    const contacts = new FirstContacts(1024, MEMORY_MS, 1);
    contacts.begin(flow());
    contacts.begin(flow({ slot: 2 }));
    expect(contacts.settle(flow({ slot: 2 }))).toBe(false);
    expect(contacts.settle(flow())).toBe(true);
    expect(contacts.settle(flow())).toBe(false);
    expect(contacts.settle(flow({ serverPort: 81 }))).toBe(false);
  });

  it("forgets a contact that nobody tried for the time of its memory", () => {
    const contacts = new FirstContacts(1024, MEMORY_MS, 1);
    contacts.begin(flow());
    expect(contacts.begin(flow({ timeMs: T0 + 14 * MINUTE, slot: 5 }))).toBe(false);
    expect(contacts.begin(flow({ timeMs: T0 + 28 * MINUTE, slot: 6 }))).toBe(false);
    expect(contacts.begin(flow({ timeMs: T0 + 43 * MINUTE, slot: 7 }))).toBe(true);
    expect(contacts.settle(flow())).toBe(false);
    expect(contacts.settle(flow({ slot: 7 }))).toBe(true);
    expect(contacts.begin(flow({ timeMs: T0 + 44 * MINUTE, slot: 8 }))).toBe(false);
    expect(contacts.settle(flow({ slot: 8 }))).toBe(false);
  });

  it("takes far fewer known contacts for new than it has places", () => {
    const contacts = new FirstContacts(1 << 16, MEMORY_MS, 1);
    const ports = Array.from({ length: 6000 }, (_, port) => flow({ serverPort: port }));
    for (const port of ports) contacts.begin(port);
    const repeated = ports.filter((port) => contacts.begin(port));
    // Two contacts fight for a place with probability n / 2^16, and only the later one is remembered.
    expect(repeated.length).toBeLessThan(1000);
  });
});

describe("majority vote", () => {
  const elect = (votes: readonly number[]) => {
    const rows = new Int32Array(MAJORITY_WORDS + 2);
    for (const voted of votes) vote(rows, 1, 0, 0, voted, voted);
    expect([rows[0], rows.at(-1)]).toEqual([0, 0]);
    return { winner: candidateWord(rows, 1), votes: candidateVotes(rows, 1) };
  };

  it("finds who has more than half", () => {
    expect(elect([1, 2, 3, 2, 2, 4, 2, 2]).winner).toBe(2);
    expect(elect([5, 5, 5])).toEqual({ winner: 5, votes: 3 });
  });

  it("never claims more votes than there were", () => {
    const votes = Array.from({ length: 500 }, (_, i) => (i * i) % 7);
    const elected = elect(votes);
    expect(elected.votes).toBeLessThanOrEqual(votes.filter((one) => one === elected.winner).length);
  });
});
