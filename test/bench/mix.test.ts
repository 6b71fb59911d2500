// SPDX-License-Identifier: AGPL-3.0-or-later
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeMix } from "../../bench/mix.ts";

const PACKETS = 20_000;
const FLOWS = 500;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;

interface Sent {
  readonly timeUs: number;
  readonly lengthBytes: number;
  readonly protocol: number;
  /** Both ends, the smaller first, so that the directions of a flow are alike. */
  readonly flow: string;
  readonly service: number;
  readonly payloadBytes: number;
}

const folder = mkdtempSync(join(tmpdir(), "nam-mix-"));
const path = join(folder, "mix.pcap");
let sent: Sent[];

beforeAll(() => {
  writeMix({ path, packets: PACKETS, flows: FLOWS });
  sent = parse(readFileSync(path));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the capture that replay is timed on", () => {
  it("holds as many packets as asked for, 10 µs apart", () => {
    expect(sent).toHaveLength(PACKETS);
    const last = sent.at(-1)?.timeUs ?? 0;
    expect(last - (sent[0]?.timeUs ?? 0)).toBe((PACKETS - 1) * 10);
  });

  it("uses the six services, 53 and 123 over UDP", () => {
    const services = new Set(sent.map((packet) => `${packet.protocol}:${packet.service}`));
    expect([...services].sort()).toEqual(["17:123", "17:53", "6:22", "6:443", "6:80", "6:8080"]);
  });

  it("has the payload sizes in their shares", () => {
    const share = (bytes: number): number =>
      sent.filter((packet) => packet.payloadBytes === bytes).length / PACKETS;
    expect(new Set(sent.map((packet) => packet.payloadBytes))).toEqual(
      new Set([0, 32, 120, 600, 1400]),
    );
    expect(share(0)).toBeCloseTo(3 / 7, 1);
    expect(share(1400)).toBeCloseTo(1 / 7, 1);
  });

  it("gives a few flows most of the packets, as u² does", () => {
    const counts = new Map<string, number>();
    for (const { flow } of sent) counts.set(flow, (counts.get(flow) ?? 0) + 1);
    const sorted = [...counts.values()].sort((left, right) => right - left);
    const quarter = sorted.slice(0, FLOWS / 4).reduce((total, count) => total + count, 0);
    // u² < 1/4 for half of all u.
    expect(quarter / PACKETS).toBeCloseTo(1 / 2, 1);
  });

  it("leaves a file alone that is there already", () => {
    writeMix({ path, packets: 1, flows: 1 });
    expect(parse(readFileSync(path))).toHaveLength(PACKETS);
  });
});

function parse(file: Buffer): Sent[] {
  const packets: Sent[] = [];
  for (let at = FILE_HEADER_BYTES; at < file.length; ) {
    const lengthBytes = file.readUInt32LE(at + 8);
    const timeUs = file.readUInt32LE(at) * 1e6 + file.readUInt32LE(at + 4);
    packets.push({ timeUs, lengthBytes, ...headers(file.subarray(at + RECORD_HEADER_BYTES)) });
    at += RECORD_HEADER_BYTES + lengthBytes;
  }
  return packets;
}

function headers(frame: Buffer): Omit<Sent, "timeUs" | "lengthBytes"> {
  const ip = frame.subarray(14);
  const protocol = ip.readUInt8(9);
  const transport = ip.subarray(20);
  const ends = [
    { end: `${ip.readUInt32BE(12)}:${transport.readUInt16BE(0)}`, port: transport.readUInt16BE(0) },
    { end: `${ip.readUInt32BE(16)}:${transport.readUInt16BE(2)}`, port: transport.readUInt16BE(2) },
  ];
  const services = [443, 80, 53, 22, 8080, 123];
  return {
    protocol,
    flow: ends
      .map(({ end }) => end)
      .sort()
      .join(" "),
    service: ends.find(({ port }) => services.includes(port))?.port ?? 0,
    payloadBytes: ip.readUInt16BE(2) - 20 - (protocol === 17 ? 8 : 20),
  };
}
