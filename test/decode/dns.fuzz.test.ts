// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applicationNames } from "../../src/decode/families.ts";
import { WireText } from "../../src/decode/wire-text.ts";
import { Decoding } from "./decoding.ts";
import { hostileMessage, labels, plainQuery } from "./dns-messages.ts";
import { FlowDecoding } from "./flow-decoding.ts";
import { type Bytes, bytes, frameOf, tcpFrame, u16, udpFrame } from "./frames.ts";

const RUNS = Number(process.env.NAM_FUZZ_FRAMES ?? 2_000_000) / 100;
const DOT = 0x2e;
const PORTS = [53, 5353, 5355, 137, 40_000];
const LONGEST_NAME = 255;

/** What must hold after any packet whatever. */
function expectSane(decoding: Decoding, packets: number): void {
  const sums = decoding.sums();
  expect(sums.packets).toEqual([packets, packets, packets]);
  const { facts, number } = decoding.packet;
  const { dns } = facts;
  if (!dns || dns.packet !== number) return;
  for (const message of dns.messages.slice(0, dns.count)) {
    expect(message.name.length).toBeLessThanOrEqual(LONGEST_NAME);
    expect(dns.domainAt(message)).toBeLessThanOrEqual(Math.max(0, message.name.length - 1));
    expect(message.name.text()).toMatch(/^[\x21-\x7e]*$/);
  }
}

describe("DNS messages that lie", () => {
  it("over UDP break nothing and reach nothing outside their frame", () => {
    const decoding = new FlowDecoding();
    let packets = 0;
    fc.assert(
      fc.property(
        hostileMessage,
        fc.constantFrom(...PORTS),
        fc.boolean(),
        (payload, port, isCut) => {
          const content = udpFrame({ sourcePort: 5000, destinationPort: port, payload });
          decoding.take(frameOf(content, { wireLength: content.length + (isCut ? 9 : 0) }));
          expectSane(decoding, ++packets);
        },
      ),
      { numRuns: RUNS },
    );
    expect(decoding.value("nam_dns_messages_total")).toBeGreaterThan(0);
  });

  it("over TCP, cut anywhere, break nothing either", () => {
    const decoding = new FlowDecoding();
    let packets = 0;
    let sequence = 0;
    const pieces = fc.tuple(hostileMessage, hostileMessage, fc.nat(400), fc.nat(20));
    fc.assert(
      fc.property(pieces, ([first, second, at, lost]) => {
        const stream = bytes(u16(first.length), first, u16(second.length), second);
        for (const payload of [stream.subarray(0, at), stream.subarray(at)] as Bytes[]) {
          decoding.take(frameOf(tcpFrame({ destinationPort: 53, payload, sequence })));
          expectSane(decoding, ++packets);
          sequence = (sequence + payload.length) >>> 0;
        }
        if (lost === 0) sequence = (sequence + 1) >>> 0;
      }),
      { numRuns: RUNS },
    );
    expect(decoding.value("nam_dns_messages_total")).toBeGreaterThan(0);
  });
});

describe("DNS messages that do not lie", () => {
  it("are counted, and their names read back", () => {
    const text = new WireText(LONGEST_NAME);
    fc.assert(
      fc.property(labels, fc.constantFrom(1, 16, 28, 65), (list, type) => {
        const decoding = new Decoding();
        const payload = plainQuery(list, type);
        const packet = decoding.takeBytes(udpFrame({ destinationPort: 53, payload }));
        expect(packet.fault).toBe(0);
        expect(applicationNames[packet.application]).toBe("dns");
        const expected = list.map((label) => {
          const view = new DataView(label.buffer, label.byteOffset, label.length);
          text.append(view, 0, label.length, DOT);
          return text.take();
        });
        const name = expected.length === 0 ? "." : expected.join(".");
        expect(decoding.tally("dns.names")).toEqual({ [name]: 1 });
      }),
      { numRuns: 200 },
    );
  });
});
