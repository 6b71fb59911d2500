// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add, u8 } from "../util/typed.ts";
import {
  ASSEMBLY_BYTES,
  Assembly,
  assemblyMetric,
  GivenUp,
  NO_BUFFER,
  payloadSequence,
} from "./assembly.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  SETTLED,
  Stop,
} from "./protocol.ts";
import { ReadStreams } from "./read-streams.ts";
import {
  BannerReader,
  lineEnd,
  MAX_BANNER_BYTES,
  SOFTWARE_LABELS,
  softwareFamily,
} from "./ssh-banner.ts";
import { hassh, KexinitFault, kexinitEnd } from "./ssh-kexinit.ts";
import { fourBytes } from "./wire-text.ts";

const { DONE, MALFORMED } = Stop;
const BANNER = fourBytes("SSH-");
const BANNER_LENGTH = 4;
const PORT = 22;
/** Packets of a flow among which its banners and KEXINITs are. */
const HANDSHAKE_PACKETS = 32;
/** Streams at once: 1 MiB. */
const BUFFERS = 64;
/** In the order of `flowSide`. */
const SIDES = ["client", "server"] as const;

const handshakes: MetricDefinition = {
  name: "nam_ssh_handshakes_total",
  help: "SSH key exchanges begun (KEXINIT messages in clear text) by side.",
  type: "counter",
  labels: { side: SIDES },
};
const banners: MetricDefinition = {
  name: "nam_ssh_banners_total",
  help: "SSH identification strings by side and family of software.",
  type: "counter",
  labels: { side: SIDES, software: SOFTWARE_LABELS },
};
const assembly: MetricDefinition = assemblyMetric("ssh", "Banners and key exchanges");

declare module "./packet.ts" {
  interface PacketFacts {
    /** What an SSH side last said of itself; this packet's while `ssh.packet === packet.number`. */
    readonly ssh?: Readonly<SshFacts>;
  }
}

/** What one side of an SSH connection tells, for trackers. */
export interface SshFacts {
  packet: number;
  side: (typeof SIDES)[number];
  /** From the banner, where the packet completes it, lower case and escaped; else empty. */
  version: string;
  software: string;
  /** HASSH of a client, hasshServer of a server, where the packet completes the KEXINIT; else empty. */
  hassh: string;
}

/** SSH (RFC 4253), known by its identification string: banners and fingerprints of both sides. */
export const ssh: ApplicationProtocol = {
  name: "ssh",
  help: "SSH",
  layer: "application",
  ports: { tcp: [PORT] },
  firstBytes: { tcp: [0x53] },
  metrics: [handshakes, banners, assembly],
  signals: [
    {
      name: "ssh_handshakes",
      help: "SSH key exchanges begun by clients",
      metric: handshakes,
      where: { side: "client" },
      unit: "messages",
    },
  ],
  create,
};

function recognises({ view, payloadAt, payloadEnd }: Packet): boolean {
  return payloadEnd - payloadAt >= BANNER_LENGTH && view.getInt32(payloadAt) === BANNER;
}

function create(context: DecodeContext): ApplicationDecoder {
  const { counters } = context;
  const handshakeCells = context.base(handshakes);
  const bannerCells = context.base(banners);
  const tallies = [context.tally("ssh.hassh"), context.tally("ssh.hassh_server")] as const;
  const pool = new Assembly(BUFFERS, counters, context.base(assembly));
  /** By buffer: 1 where the banner was read. */
  const isBannerRead = new Uint8Array(pool.capacity);
  const read = new ReadStreams();
  const reader = new BannerReader();
  const facts: SshFacts = { packet: -1, side: "client", version: "", software: "", hassh: "" };

  function decode(packet: Packet): number {
    if (packet.flowPackets > HANDSHAKE_PACKETS) return SETTLED;
    let buffer = pool.find(packet);
    if (buffer === NO_BUFFER) {
      if (!recognises(packet) || read.isRepeated(packet)) return DONE;
      read.add(packet, payloadSequence(packet));
      buffer = pool.open(packet, payloadSequence(packet));
      isBannerRead[buffer] = 0;
    }
    const { payloadAt, payloadEnd } = packet;
    const length = pool.add(buffer, packet, payloadAt, payloadEnd, pool.offset(buffer, packet));
    return length < 0 ? DONE : messages(packet, buffer, length);
  }

  /** The banner, and behind it the KEXINIT, once they are whole. */
  function messages(packet: Packet, buffer: number, length: number): number {
    const view = pool.view(buffer);
    const bannerEnd = lineEnd(view, 0, length);
    if (bannerEnd < 0) {
      if (length < MAX_BANNER_BYTES) return DONE;
      pool.close(buffer);
      return MALFORMED;
    }
    begin(packet);
    if (u8(isBannerRead, buffer) === 0) banner(view, bannerEnd);
    isBannerRead[buffer] = 1;
    const end = kexinitEnd(view, bannerEnd, length);
    if (end === KexinitFault.SHORT || (end > length && end <= ASSEMBLY_BYTES)) return DONE;
    if (end > ASSEMBLY_BYTES) pool.giveUp(buffer, GivenUp.BYTES);
    else pool.close(buffer);
    return end >= 0 && end <= length ? kexinit(view, bannerEnd, end) : DONE;
  }

  function begin(packet: Packet): void {
    facts.packet = packet.number;
    facts.side = SIDES[sideOf(packet)] ?? "client";
    facts.version = "";
    facts.software = "";
    facts.hassh = "";
  }

  function banner(view: DataView, end: number): void {
    reader.read(view, 0, end);
    facts.version = reader.version;
    facts.software = reader.software;
    const row = SIDES.indexOf(facts.side) * SOFTWARE_LABELS.length;
    add(counters, bannerCells + row + SOFTWARE_LABELS.indexOf(softwareFamily(facts.software)), 1);
  }

  function kexinit(view: DataView, at: number, end: number): number {
    const side = SIDES.indexOf(facts.side);
    const value = hassh(view, at, end, side === 1);
    if (value === null) return MALFORMED;
    facts.hassh = value;
    add(counters, handshakeCells + side, 1);
    tallies[side]?.(value);
    return DONE;
  }

  return { recognises, decode, facts: { ssh: facts } };
}

/** The port tells where it is the usual one; else the client is who began the flow. */
function sideOf({ sourcePort, destinationPort, flowSide }: Packet): number {
  if (sourcePort === destinationPort) return flowSide;
  if (sourcePort === PORT) return 1;
  return destinationPort === PORT ? 0 : flowSide;
}
