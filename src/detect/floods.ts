// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "zod";
import type { DetectorDefinition, Finding, Tick } from "./detector.ts";
import { floodFinding, isHost, protocolName, type TargetRow } from "./flood-targets.ts";
import { Surges } from "./surge.ts";

const CAPACITY = 1024;
const TCP = 6;
const UDP = 17;
const ICMP: readonly number[] = [1, 58];
/** Of sources that each send one packet, the estimate may miss some. */
const SPOOFED_SHARE = 0.6;

const floor = (packets: number, what: string) => z.number().gt(0).default(packets).describe(what);

const udpSettings = z.strictObject({
  floor: floor(
    5000,
    "Packets a second that one address gets over UDP and never answers, beyond which it is a flood whatever they are.",
  ),
  scattered_floor: floor(
    200,
    "The same where the packets are refused, or come in ever new flows, as no stream of data does.",
  ),
});

/** UDP packets that nobody at the target wants. */
export const udpFlood: DetectorDefinition<z.infer<typeof udpSettings>> = {
  name: "udp_flood",
  class: "flood",
  help: "One address gets very many UDP packets that it does not answer; fewer are enough where it refuses them or each comes in a flow of its own.",
  severities: ["critical"],
  settings: udpSettings,
  quietSeconds: 30,
  create: (own) => {
    const surges = new Surges(CAPACITY);
    return {
      evaluate: (tick) =>
        rowsOf(tick, [UDP]).flatMap((row) => {
          const scattered = row.refused > 0 || row.flows * 2 >= row.unanswered;
          const setting = scattered ? "scattered_floor" : "floor";
          const pending = row.unanswered - Math.min(row.answered, row.flows);
          const rate = pending / Math.max(1, tick.seconds);
          if (!surges.update(row.destination, rate, own[setting], tick)) return [];
          return [
            floodFinding(tick, row, {
              severity: "critical",
              rate,
              threshold: { value: own[setting], setting: `detectors.udp_flood.${setting}` },
              what: "UDP packets",
              meaning: "it answers none of them, so they only fill the line",
              filter: "udp",
              promql: 'rate(nam_transport_packets_total{protocol="udp"}[1m])',
            }),
          ];
        }),
    };
  },
};

const icmpSettings = z.strictObject({
  floor: floor(200, "ICMP packets a second to one address that are a flood."),
});

/** Ping floods, and errors that forged packets bring back to their alleged sender. */
export const icmpFlood: DetectorDefinition<z.infer<typeof icmpSettings>> = {
  name: "icmp_flood",
  class: "flood",
  help: "One address gets more ICMP packets than any diagnosis sends.",
  severities: ["critical"],
  settings: icmpSettings,
  quietSeconds: 30,
  create: (own) => {
    const surges = new Surges(CAPACITY);
    return {
      evaluate: (tick) =>
        rowsOf(tick, ICMP).flatMap((row) => {
          const rate = row.packets / Math.max(1, tick.seconds);
          if (!surges.update(row.destination, rate, own.floor, tick)) return [];
          return [
            floodFinding(tick, row, {
              severity: "critical",
              rate,
              threshold: { value: own.floor, setting: "detectors.icmp_flood.floor" },
              what: "ICMP packets",
              meaning: "no diagnosis needs so many",
              filter: protocolName(row.ipProtocol),
              promql: `rate(nam_transport_packets_total{protocol="${protocolName(row.ipProtocol)}"}[1m])`,
            }),
          ];
        }),
    };
  },
};

const flagSettings = z.strictObject({
  floor: floor(
    200,
    "TCP packets a second to one address that belong to no connection and are a flood.",
  ),
});

/** TCP floods without SYN: ACK, RST, FIN, SYN-ACK and odd flags. */
export const tcpFlagFlood: DetectorDefinition<z.infer<typeof flagSettings>> = {
  name: "tcp_flag_flood",
  class: "flood",
  help: "One address gets very many TCP packets with ACK, RST, FIN or odd flags that belong to no connection, most of them to one port.",
  severities: ["critical"],
  settings: flagSettings,
  quietSeconds: 30,
  create: (own) => {
    const surges = new Surges(CAPACITY);
    return {
      evaluate: (tick) =>
        rowsOf(tick, [TCP]).flatMap((row) => {
          const { ack, rst, fin, synAck, odd } = row;
          const kinds = { ACK: ack, RST: rst, FIN: fin, "SYN-ACK": synAck, "odd-flag": odd };
          const stray = ack + rst + fin + synAck + odd;
          const rate = stray / Math.max(1, tick.seconds);
          // A scan spreads over ports; replies that a forged source gets do not come to one port either.
          const aimed = row.topPortVotes * 2 >= row.packets || synAck + rst > stray / 2;
          if (!surges.update(row.destination, aimed ? rate : 0, own.floor, tick)) return [];
          const [main = "TCP"] = Object.entries(kinds).sort((a, b) => b[1] - a[1])[0] ?? [];
          return [
            floodFinding(tick, row, {
              severity: "critical",
              rate,
              threshold: { value: own.floor, setting: "detectors.tcp_flag_flood.floor" },
              what: `TCP packets outside any connection, mostly ${main},`,
              meaning: "they cost it work and carry nothing",
              filter: "tcp && tcp.len == 0",
              promql: "sum by (flag) (rate(nam_tcp_segments_total[1m]))",
            }),
          ];
        }),
    };
  },
};

const spoofedSettings = z.strictObject({
  floor: floor(
    100,
    "New flows a second to one address, nearly each from a source of its own and without an answer, that are a flood.",
  ),
});

/** Packets with forged sources: nobody sends twice. */
export const spoofedFlood: DetectorDefinition<z.infer<typeof spoofedSettings>> = {
  name: "spoofed_flood",
  class: "flood",
  help: "One address gets packets from very many sources of which each is seen once and gets no answer, as with forged sources.",
  severities: ["critical"],
  settings: spoofedSettings,
  quietSeconds: 30,
  create: (own) => {
    const surges = new Surges(CAPACITY);
    return {
      evaluate: (tick) =>
        rowsOf(tick, null).flatMap((row) => {
          const { flows, sources, answered, destination, ipProtocol } = row;
          const seconds = Math.max(1, tick.seconds);
          const scattered = sources >= SPOOFED_SHARE * flows && answered * 2 < flows;
          const rate = scattered ? flows / seconds : 0;
          if (!surges.update(`${destination} ${ipProtocol}`, rate, own.floor, tick)) return [];
          const protocol = protocolName(ipProtocol);
          return [
            floodFinding(tick, row, {
              severity: "critical",
              rate: flows / seconds,
              threshold: { value: own.floor, setting: "detectors.spoofed_flood.floor" },
              what: `new ${protocol === "other" ? "" : `${protocol.toUpperCase()} `}flows`,
              meaning: "so many senders that each come once are forged",
              filter: protocol === "other" ? `ip.proto == ${ipProtocol}` : protocol,
              promql: "sum by (protocol) (rate(nam_flows_started_total[1m]))",
            }),
          ];
        }),
    };
  },
};

function rowsOf(tick: Tick, protocols: readonly number[] | null): TargetRow[] {
  return tick.window.rows.targets.filter(
    ({ destination, ipProtocol }) =>
      isHost(destination) && (protocols?.includes(ipProtocol) ?? true),
  );
}

const landSettings = z.strictObject({
  floor: floor(
    10,
    "Unanswered TCP connection attempts a second from an address to itself that are an attack; between one and the same port, any is.",
  ),
});

/** Packets that claim to come from their own destination (CVE-1999-0016). */
export const land: DetectorDefinition<z.infer<typeof landSettings>> = {
  name: "land",
  class: "spoofing",
  help: "Packets whose source and destination are the same address, which only a forger sends over a network (land attack).",
  severities: ["critical"],
  settings: landSettings,
  quietSeconds: 30,
  create: (own) => ({
    evaluate: (tick) => rowsOf(tick, null).flatMap((row) => landFinding(row, tick, own.floor)),
  }),
};

function landFinding(row: TargetRow, tick: Tick, floorRate: number): Finding[] {
  const { destination, ipProtocol, land: own, landSamePort, answered } = row;
  if (/^127\.|^::1$/.test(destination) || (ipProtocol !== TCP && ipProtocol !== UDP)) return [];
  const unanswered = ipProtocol === TCP ? Math.max(0, own - answered) : 0;
  if (landSamePort === 0 && unanswered < floorRate * tick.seconds) return [];
  const rate = Math.max(own, landSamePort) / Math.max(1, tick.seconds);
  const finding = floodFinding(tick, row, {
    severity: "critical",
    rate,
    threshold: { value: floorRate, setting: "detectors.land.floor" },
    what: "packets that claim to come from itself",
    meaning: "only a forger sends such packets over a network",
    filter: `${destination.includes(":") ? "ipv6" : "ip"}.src == ${destination}`,
    promql: "rate(nam_tcp_handshakes_total[1m])",
  });
  return [finding];
}
