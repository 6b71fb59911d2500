// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition, SignalDefinition } from "../metrics/metric.ts";
import { protocols } from "./all.ts";
import { LAYERS, type Layer } from "./protocol.ts";

/**
 * Label values of the three layer families; positions are `packet.network`, `packet.transport` and
 * `packet.application`. A packet belongs to the protocol that the header before names, whether or not its own
 * header can be read; to `other` where the name is unknown or the link header is not understood; to `none`
 * where nothing is named: no transport behind ARP or an unreadable IP header, no application in a packet
 * without TCP or UDP payload. Where one packet carries another it belongs to what is inside, if that can be named;
 * the carrier is counted in the tunnel family. So each family counts every packet exactly once.
 */
export const networkNames: readonly string[] = ["other", ...namesOf("network")];
export const transportNames: readonly string[] = ["none", "other", ...namesOf("transport")];
export const applicationNames: readonly string[] = ["none", "other", ...namesOf("application")];

/** Positions that every family of two extra names shares. */
export const NONE = 0;
export const OTHER = 1;

/** Label values of `direction`, in the order of Direction (capture/source.ts). */
export const DIRECTIONS = ["in", "out", "other"] as const;
/** Label values of `reason`, in the order of the error Stops. */
export const REASONS = ["truncated", "malformed", "unsupported"] as const;

export interface Family {
  readonly names: readonly string[];
  readonly packets: MetricDefinition;
  readonly bytes: MetricDefinition;
}

export const networkFamily = family("network", networkNames);
export const transportFamily = family("transport", transportNames);
export const applicationFamily = family("application", applicationNames);
/** Packets found inside others, by what carried them; nested ones count once for each. */
export const tunnelNames: readonly string[] = protocols
  .filter((protocol) => protocol.layer === "tunnel" || ("carries" in protocol && protocol.carries))
  .map(({ name }) => name);
export const tunnelPackets: MetricDefinition = {
  name: "nam_tunnel_packets_total",
  help: "Packets found inside others, by what carried them; in the other families they count as what they are inside.",
  type: "counter",
  labels: { protocol: tunnelNames },
};
export const tunnelBytes: MetricDefinition = {
  name: "nam_tunnel_bytes_total",
  help: "Bytes on the wire of packets that carried another inside, by what carried it.",
  type: "counter",
  labels: { protocol: tunnelNames },
};

const families = [networkFamily, transportFamily, applicationFamily];

export const frameErrors: MetricDefinition = {
  name: "nam_frame_errors_total",
  help: "Frames not decoded to the end, by the layer that stopped and why: the capture cut it, a length or value is wrong, or it is not understood here.",
  type: "counter",
  labels: { layer: LAYERS, reason: REASONS },
};

export const packetSize: MetricDefinition = {
  name: "nam_packet_size_bytes",
  help: "Length of packets on the wire.",
  type: "histogram",
  buckets: [64, 128, 256, 512, 1024, 1518, 9000],
};

/** Every family of the decoders, in the order of their cells; protocols may share one. */
export const decodeMetrics: readonly MetricDefinition[] = [
  ...families.flatMap(({ packets, bytes }) => [packets, bytes]),
  tunnelPackets,
  tunnelBytes,
  frameErrors,
  packetSize,
  ...new Set(protocols.flatMap(({ metrics = [] }) => metrics)),
];

/** Elsewhere packets and bytes rise together; one signal each leaves room in the series budget. */
const BYTE_SIGNALS: ReadonlySet<string> = new Set(["ipv4", "ipv6", "tcp", "udp"]);

/** Packets of each protocol, bytes of the main ones, malformed frames, and what the protocols declare themselves. */
export const decodeSignals: readonly SignalDefinition[] = [
  ...families.flatMap(familySignals),
  {
    name: "tunnel_packets",
    help: "packets in tunnels",
    metric: tunnelPackets,
    unit: "packets",
  },
  {
    name: "frames_malformed",
    help: "malformed frames",
    metric: frameErrors,
    where: { reason: "malformed" },
    unit: "packets",
  },
  ...new Set(protocols.flatMap(({ signals = [] }) => signals)),
];

function namesOf(layer: Layer): string[] {
  return protocols.filter((protocol) => protocol.layer === layer).map(({ name }) => name);
}

function family(layer: "network" | "transport" | "application", names: readonly string[]): Family {
  const labels = { protocol: names, direction: DIRECTIONS };
  return {
    names,
    packets: {
      name: `nam_${layer}_packets_total`,
      help: `Packets by ${layer} protocol and direction; every packet counts once.`,
      type: "counter",
      labels,
    },
    bytes: {
      name: `nam_${layer}_bytes_total`,
      help: `Bytes on the wire by ${layer} protocol and direction; every packet counts once.`,
      type: "counter",
      labels,
    },
  };
}

function familySignals({ names, packets, bytes }: Family): SignalDefinition[] {
  const prefix = packets.name.replace(/^nam_|_packets_total$/g, "");
  return names
    .filter((name) => name !== "none")
    .flatMap((protocol) =>
      (BYTE_SIGNALS.has(protocol) ? [packets, bytes] : [packets]).map(
        (metric): SignalDefinition => {
          const unit = metric === packets ? "packets" : "bytes";
          return {
            name: `${prefix}_${protocol}_${unit}`,
            help: `${unit} of ${prefix} protocol ${protocol}`,
            metric,
            where: { protocol },
            unit,
          };
        },
      ),
    );
}
