// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { packetSize } from "../../src/decode/families.ts";
import { HeaderWalk } from "../../src/decode/header-walk.ts";
import { ipv4 as ipv4Protocol } from "../../src/decode/ipv4.ts";
import type { DecodeContext } from "../../src/decode/protocol.ts";
import { Recognition } from "../../src/decode/recognition.ts";
import { ssh } from "../../src/decode/ssh.ts";
import { NamError } from "../../src/util/errors.ts";
import { Decoding } from "./decoding.ts";
import { ethernet, frameOf, hex, tcpFrame, udpFrame } from "./frames.ts";

describe("count", () => {
  it.each([
    [0, 0],
    [64, 0],
    [65, 1],
    [128, 1],
    [129, 2],
    [1024, 4],
    [1025, 5],
    [1518, 5],
    [1519, 6],
    [9000, 6],
    [9001, 7],
    [70_000, 7],
  ])("puts a packet of %i bytes into bucket %i", (wireLength, bucket) => {
    const decoding = new Decoding();
    decoding.take(frameOf(hex(""), { wireLength }));
    const { counts, sum } = decoding.histogram(packetSize);
    expect(counts.indexOf(1)).toBe(bucket);
    expect(sum).toBe(wireLength);
  });

  it("counts one error a packet, that of the first decoder that stopped", () => {
    const decoding = new Decoding();
    // The IP header says more bytes than there are, and so then does UDP.
    const content = udpFrame({ length: 500, destinationPort: 53 });
    content[17] = 0xff;
    decoding.takeBytes(content);
    const errors = (layer: string, reason: string) =>
      decoding.value("nam_frame_errors_total", { layer, reason });
    expect(decoding.value("nam_frame_errors_total")).toBe(1);
    expect(errors("network", "malformed")).toBe(1);
  });

  it("tells what the capture cut from what the sender got wrong", () => {
    const decoding = new Decoding();
    const content = tcpFrame({});
    decoding.takeBytes(content.subarray(0, 40), { wireLength: content.length });
    decoding.takeBytes(ethernet(0x0800, hex("4500")));
    const errors = (layer: string, reason: string) =>
      decoding.value("nam_frame_errors_total", { layer, reason });
    expect(errors("transport", "truncated")).toBe(1);
    expect(errors("network", "malformed")).toBe(1);
  });
});

describe("construction", () => {
  const context: DecodeContext = {
    counters: new Float64Array(0),
    base: () => 0,
    position: () => 0,
    tally: () => () => {},
    facts: {},
    echPublicNames: new Set(),
    shared: (make) => make(context),
  };

  it("refuses two header protocols with one key", () => {
    expect(() => new HeaderWalk([ipv4Protocol, ipv4Protocol], context)).toThrow(NamError);
  });

  it("refuses two application protocols with one port", () => {
    const application = { position: 2, protocol: ssh, decoder: ssh.create(context) };
    expect(() => new Recognition([application, { ...application, position: 3 }], "tcp")).toThrow(
      NamError,
    );
  });
});
