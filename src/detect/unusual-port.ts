// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { count, endpoint } from "./text.ts";

/** Ports that firewalls let through, and what belongs on them. */
const OPEN_PORTS: Readonly<Record<number, readonly string[]>> = {
  53: ["dns", "mdns", "llmnr"],
  80: ["http", "http2", "websocket", "tls", "bittorrent"],
  123: ["ntp"],
  443: ["tls", "quic", "http", "http2", "websocket", "dtls", "stun", "bittorrent"],
};
/** Applications through which a machine can be ruled, or another connection carried. */
const TUNNELLING = ["ssh", "telnet", "rdp", "smb", "ftp"];

const settings = z.strictObject({
  flows: z
    .int()
    .min(1)
    .default(1)
    .describe("Flows of a service with a foreign application within a second that are told."),
  tunnelling: z
    .array(z.string().min(1))
    .default(TUNNELLING)
    .describe(
      "Applications that are a warning on a port of another one; the rest is only worth knowing.",
    ),
});
type Settings = z.infer<typeof settings>;
type Row = TrackerRows["applications"][number];

/** A known application on a port that is another's. */
export const unusualPort: DetectorDefinition<Settings> = {
  name: "unusual_port",
  class: "protocol",
  help: "Payloads prove an application on a port that firewalls let through for another one: SSH on 443 or 53, for example, is how connections get past a firewall.",
  severities: ["info", "warning"],
  settings,
  quietSeconds: 60,
  create: (own) => new UnusualPort(own),
};

class UnusualPort implements Detector {
  readonly #settings: Settings;

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    return tick.window.rows.applications
      .filter((row) => isForeign(row) && row.flows >= this.#settings.flows)
      .map((row) => this.#finding(row, tick));
  }

  #finding(row: Row, tick: Tick): Finding {
    const { server, port, protocol, application, flows, topClient } = row;
    const own = this.#settings;
    const usual = OPEN_PORTS[port] ?? [];
    return {
      entity: {
        ...{ kind: "service", key: `${server} ${port} ${application}` },
        ...{ source: topClient, destination: server, port },
      },
      severity: own.tunnelling.includes(application) ? "warning" : "info",
      protocol: application,
      observed: flows,
      expected: 0,
      threshold: { value: own.flows, setting: "detectors.unusual_port.flows" },
      windowSeconds: tick.seconds,
      samples: flows,
      evidence: [
        `${count(flows, "flow")} of ${application} (by payload) to ${protocol} port ${port}, the last seen from ${topClient}`,
        `usual on this port: ${usual.join(", ")}`,
      ],
      explanation: `${topClient} speaks ${application} with ${endpoint(server, port)}, a port of ${usual[0]}: that is how a connection gets past a firewall.`,
      suggestion: {
        wireshark_filter: `${addressFilter("dst", server)} && ${protocol}.dstport == ${port}`,
        promql: `rate(nam_application_packets_total{protocol="${application}"}[5m])`,
      },
    };
  }
}

function isForeign({ port, protocol, application }: Row): boolean {
  const usual = OPEN_PORTS[port];
  return usual !== undefined && protocol !== "other" && !usual.includes(application);
}
