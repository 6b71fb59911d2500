// SPDX-License-Identifier: AGPL-3.0-or-later
import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { seededRandom } from "../scripts/fixtures/bytes.ts";

/** A capture of the kind that replay is timed on. */
export interface Mix {
  readonly path: string;
  readonly packets: number;
  readonly flows: number;
}

/** The capture that replay is timed on. */
export const MIX: Mix = {
  path: fileURLToPath(new URL("../.cache/bench/mix.pcap", import.meta.url)),
  packets: 2_000_000,
  flows: 50_000,
};

const PORTS = [443, 80, 53, 22, 8080, 123] as const;
const UDP_PORTS: readonly number[] = [53, 123];
const PAYLOADS = [0, 0, 0, 32, 120, 600, 1400] as const;
const INTERVAL_US = 10;
const START_SECONDS = 1_700_000_000;
const RECORD_BYTES_MAX = 16 + 14 + 20 + 20 + 1400;
const CHUNK_BYTES = 8 << 20;

/** Columns of the flows, so that 50,000 of them are a few arrays. */
interface Flows {
  readonly source: Uint32Array;
  readonly destination: Uint32Array;
  readonly sourcePort: Uint16Array;
  readonly destinationPort: Uint16Array;
}

/**
 * Writes the capture, unless it is there already: IPv4 over Ethernet, both directions,
 * 10 µs apart; popularity of the flows ~ u², so a few are hot and most are cold; ports 443, 80, 53, 22, 8080 and
 * 123; payloads of 0 (three in seven), 32, 120, 600 and 1,400 bytes. It stresses a flow table more than real
 * traffic does. 2,000,000 packets are 746 MB.
 */
export function writeMix({ path, packets, flows: flowCount }: Mix): void {
  if (statSync(path, { throwIfNoEntry: false })) return;
  mkdirSync(dirname(path), { recursive: true });
  const random = seededRandom(1);
  const flows = makeFlows(flowCount, random);
  const file = openSync(`${path}.part`, "w");
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let at = fileHeader(chunk);
  for (let packet = 0; packet < packets; packet++) {
    if (at + RECORD_BYTES_MAX > CHUNK_BYTES) {
      writeSync(file, chunk, 0, at);
      at = 0;
    }
    const flow = Math.floor(flowCount * (random(2 ** 31) / 2 ** 31) ** 2);
    const payload = PAYLOADS[random(PAYLOADS.length)] ?? 0;
    at = record(chunk, at, { packet, flow, payload, backwards: random(2) === 1 }, flows);
  }
  writeSync(file, chunk, 0, at);
  closeSync(file);
  renameSync(`${path}.part`, path);
}

function makeFlows(count: number, random: (below: number) => number): Flows {
  const flows = {
    source: new Uint32Array(count),
    destination: new Uint32Array(count),
    sourcePort: new Uint16Array(count),
    destinationPort: new Uint16Array(count),
  };
  for (let flow = 0; flow < count; flow++) {
    flows.source[flow] = random(2 ** 32);
    flows.destination[flow] = random(2 ** 32);
    flows.destinationPort[flow] = PORTS[random(PORTS.length)] ?? 443;
    flows.sourcePort[flow] = 1024 + random(64512);
  }
  return flows;
}

function fileHeader(chunk: Buffer): number {
  chunk.writeUInt32LE(0xa1b2c3d4, 0);
  chunk.writeUInt16LE(2, 4);
  chunk.writeUInt16LE(4, 6);
  chunk.writeUInt32LE(65535, 16);
  chunk.writeUInt32LE(1, 20);
  return 24;
}

/** One packet record at `at`; returns where the next one begins. */
function record(
  chunk: Buffer,
  at: number,
  sent: { packet: number; flow: number; payload: number; backwards: boolean },
  flows: Flows,
): number {
  const service = flows.destinationPort[sent.flow] ?? 0;
  const client = [flows.source[sent.flow] ?? 0, flows.sourcePort[sent.flow] ?? 0] as const;
  const server = [flows.destination[sent.flow] ?? 0, service] as const;
  const [from, to] = sent.backwards ? [server, client] : [client, server];
  const udp = UDP_PORTS.includes(service);
  const transportBytes = udp ? 8 : 20;
  const length = 14 + 20 + transportBytes + sent.payload;
  const timeUs = sent.packet * INTERVAL_US;
  chunk.writeUInt32LE(START_SECONDS + Math.floor(timeUs / 1e6), at);
  chunk.writeUInt32LE(timeUs % 1e6, at + 4);
  chunk.writeUInt32LE(length, at + 8);
  chunk.writeUInt32LE(length, at + 12);
  const ethernet = at + 16;
  chunk.write("020000000002020000000001" + "0800", ethernet, "hex");
  const ip = ethernet + 14;
  chunk.writeUInt32BE((0x4500 << 16) | (length - 14), ip);
  chunk.writeUInt32BE(((sent.packet & 0xffff) * 0x10000 + 0x4000) >>> 0, ip + 4);
  chunk.writeUInt32BE((64 << 24) | ((udp ? 17 : 6) << 16), ip + 8);
  chunk.writeUInt32BE(from[0], ip + 12);
  chunk.writeUInt32BE(to[0], ip + 16);
  const transport = ip + 20;
  chunk.writeUInt16BE(from[1], transport);
  chunk.writeUInt16BE(to[1], transport + 2);
  if (udp) {
    chunk.writeUInt32BE((8 + sent.payload) << 16, transport + 4);
  } else {
    chunk.writeUInt32BE(sent.packet, transport + 4);
    chunk.writeUInt32BE(sent.packet, transport + 8);
    chunk.writeUInt32BE(
      (0x50 << 24) | ((sent.payload === 0 ? 0x10 : 0x18) << 16) | 1024,
      transport + 12,
    );
    chunk.writeUInt32BE(0, transport + 16);
  }
  chunk.fill(0x41, transport + transportBytes, transport + transportBytes + sent.payload);
  return ethernet + length;
}
