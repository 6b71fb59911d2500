// SPDX-License-Identifier: AGPL-3.0-or-later
// Scans and floods with the tools that attackers have: nmap, hping3, curl, slowhttptest.
import { attacker, REFUSING, SILENT, victim } from "./attack-topology.ts";
import { inA, type LiveAttack, SOON_SECONDS, script } from "./live-attack.ts";

/** A flood is some thousand packets at up to 2,000 a second: far above every floor, also on a busy machine. */
const FLOOD = ["-q", "-i", "u500", "-c", "6000"];

function nmap(number: number, ...args: string[]): LiveAttack["launch"] {
  const source = ["-S", attacker(number), "-e", "lab0"];
  return (lab) => inA(lab, "nmap", "-n", "-T4", "--max-retries", "1", ...source, ...args);
}

function hping(...args: string[]): LiveAttack["launch"] {
  return (lab) => inA(lab, "hping3", ...args);
}

const scans: LiveAttack[] = [
  {
    detector: "port_scan",
    entity: { source: attacker(1), destination: victim(1) },
    packets: `src host ${attacker(1)}`,
    withinSeconds: SOON_SECONDS,
    launch: nmap(1, "-Pn", "-sS", "-p1-1000", victim(1)),
  },
  {
    detector: "host_sweep",
    entity: { source: attacker(2), port: 22 },
    packets: `src host ${attacker(2)}`,
    withinSeconds: SOON_SECONDS,
    launch: nmap(2, "-Pn", "-sS", "-p22", REFUSING, SILENT),
  },
  {
    detector: "stealth_scan",
    entity: { source: attacker(3) },
    packets: `src host ${attacker(3)}`,
    withinSeconds: SOON_SECONDS,
    launch: nmap(3, "-Pn", "-sX", "-p1-200", victim(3)),
  },
  {
    detector: "ping_sweep",
    entity: { source: attacker(4) },
    packets: `src host ${attacker(4)}`,
    withinSeconds: SOON_SECONDS,
    launch: nmap(4, "-sn", "-PE", "--disable-arp-ping", SILENT),
  },
  {
    detector: "arp_sweep",
    entity: { source: attacker(5) },
    packets: `arp src host ${attacker(5)}`,
    withinSeconds: SOON_SECONDS,
    launch: nmap(5, "-sn", "-PR", "10.99.0.64/26"),
  },
];

const floods: LiveAttack[] = [
  {
    detector: "syn_flood",
    entity: { destination: victim(6), port: 80 },
    packets: `dst host ${victim(6)}`,
    withinSeconds: SOON_SECONDS,
    launch: hping(...FLOOD, "-S", "-p", "80", "--rand-source", victim(6)),
  },
  {
    detector: "udp_flood",
    entity: { destination: victim(7) },
    packets: `dst host ${victim(7)}`,
    withinSeconds: SOON_SECONDS,
    launch: hping(...FLOOD, "--udp", "-p", "++2000", "-a", attacker(7), victim(7)),
  },
  {
    detector: "icmp_flood",
    entity: { destination: victim(8) },
    packets: `dst host ${victim(8)}`,
    withinSeconds: SOON_SECONDS,
    launch: hping(...FLOOD, "--icmp", "-a", attacker(8), victim(8)),
  },
  {
    detector: "tcp_flag_flood",
    entity: { destination: victim(9) },
    packets: `dst host ${victim(9)}`,
    withinSeconds: SOON_SECONDS,
    launch: hping(...FLOOD, "-A", "-p", "80", "-a", attacker(9), victim(9)),
  },
  {
    detector: "spoofed_flood",
    entity: { destination: victim(10) },
    packets: `dst host ${victim(10)}`,
    withinSeconds: SOON_SECONDS,
    launch: hping(...FLOOD, "--rawip", "--ipproto", "47", "--rand-source", victim(10)),
  },
  {
    detector: "land",
    entity: { source: victim(11) },
    packets: `src host ${victim(11)} and dst host ${victim(11)}`,
    withinSeconds: SOON_SECONDS,
    launch: hping(
      ...["-q", "-i", "u50000", "-c", "20", "-S", "-k", "-s", "80", "-p", "80"],
      ...["-a", victim(11), victim(11)],
    ),
  },
  {
    detector: "http_flood",
    entity: { source: attacker(12), destination: victim(12), port: 8080 },
    packets: `src host ${attacker(12)}`,
    withinSeconds: SOON_SECONDS,
    launch: script(
      `curl -s -o /dev/null --parallel --parallel-max 10 'http://${victim(12)}:8080/?bytes=100&n=[1-4000]'`,
    ),
  },
  {
    detector: "slow_dos",
    entity: { source: attacker(13), destination: victim(13), port: 8080 },
    packets: `src host ${attacker(13)} and tcp[tcpflags] & tcp-syn != 0`,
    withinSeconds: 14,
    launch: (lab) =>
      inA(
        ...([lab, "slowhttptest", "-H", "-c", "40", "-r", "40", "-i", "30", "-l", "16"] as const),
        ...["-u", `http://${victim(13)}:8080/`],
      ),
  },
];

/** Every scan and flood. */
export const toolAttacks: readonly LiveAttack[] = [...scans, ...floods];
