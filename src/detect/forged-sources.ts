// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import type { DetectorDefinition, Finding, Tick } from "./detector.ts";
import {
  floodFinding,
  hostRows,
  isForged,
  protocolName,
  rateFloor,
  TARGET_CAPACITY,
  type TargetRow,
  TCP,
  UDP,
} from "./flood-targets.ts";
import { Surges } from "./surge.ts";

const spoofedSettings = z.strictObject({
  floor: rateFloor(
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
  supersededBy: ["syn_flood", "udp_flood", "icmp_flood", "tcp_flag_flood"],
  create: (own) => {
    // Never at once: a detector that knows what kind of flood it is speaks first.
    const surges = new Surges(TARGET_CAPACITY, Number.POSITIVE_INFINITY);
    return {
      evaluate: (tick) =>
        hostRows(tick, null).flatMap((row) => {
          const { flows, destination, ipProtocol } = row;
          const seconds = Math.max(1, tick.seconds);
          const rate = isForged(row) ? flows / seconds : 0;
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

const landSettings = z.strictObject({
  floor: rateFloor(
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
    evaluate: (tick) => hostRows(tick, null).flatMap((row) => landFinding(row, tick, own.floor)),
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
