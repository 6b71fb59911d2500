// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { Agreements } from "./agreements.ts";
import type { DetectorDefinition } from "./detector.ts";
import {
  floodFinding,
  hostRows,
  protocolName,
  rateFloor,
  TARGET_CAPACITY,
  TCP,
  UDP,
} from "./flood-targets.ts";
import { Surges } from "./surge.ts";

const ICMP: readonly number[] = [1, 58];
/** Where logs, metrics, traps and flow records are sent to: syslog, statsd, SNMP, NetFlow, IPFIX, sFlow, GELF, collectd. */
const ONE_WAY_PORTS = [
  ...[162, 514, 1514, 2055, 4739, 5140, 6343, 8089, 8092, 8094, 8125, 9995, 9996, 12_201, 25_826],
];

const udpSettings = z.strictObject({
  floor: rateFloor(
    5000,
    "Packets a second that one address gets over UDP and never answers, beyond which it is a flood whatever they are.",
  ),
  scattered_floor: rateFloor(
    200,
    "The same where the packets are refused, or come in ever new flows, as no stream of data does.",
  ),
  one_way_ports: z
    .array(z.int().min(1).max(65_535))
    .default(ONE_WAY_PORTS)
    .describe("UDP ports of services that never answer: new flows to them are no sign of a flood."),
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
    const surges = new Surges(TARGET_CAPACITY);
    const agreements = new Agreements();
    const oneWay = new Set(own.one_way_ports);
    return {
      evaluate: (tick) => {
        agreements.update(tick);
        return hostRows(tick, [UDP]).flatMap((row) => {
          const isScattered = row.refused > 0 || row.flows * 2 >= row.unanswered;
          const isCollected = row.refused === 0 && oneWay.has(row.topPort);
          const setting = isScattered && !isCollected ? "scattered_floor" : "floor";
          if (!isScattered && agreements.covers(row)) return [];
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
        });
      },
    };
  },
};

const icmpSettings = z.strictObject({
  floor: rateFloor(200, "ICMP packets a second to one address that are a flood."),
});

/** Ping floods, and errors that forged packets bring back to their alleged sender. */
export const icmpFlood: DetectorDefinition<z.infer<typeof icmpSettings>> = {
  name: "icmp_flood",
  class: "flood",
  help: "One address gets more ICMP packets than any diagnosis sends; answers and errors about what it sent itself do not count.",
  severities: ["critical"],
  settings: icmpSettings,
  quietSeconds: 30,
  create: (own) => {
    const surges = new Surges(TARGET_CAPACITY);
    return {
      evaluate: (tick) =>
        hostRows(tick, ICMP).flatMap((row) => {
          // What it asked for itself comes at the rate at which it asks: a flood is about whom it asks.
          const rate = (row.packets - row.replies) / Math.max(1, tick.seconds);
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
  floor: rateFloor(
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
    const surges = new Surges(TARGET_CAPACITY);
    return {
      evaluate: (tick) =>
        hostRows(tick, [TCP]).flatMap((row) => {
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
