// SPDX-License-Identifier: AGPL-3.0-or-later
// The whole pipeline over every shared capture: it ends, counts to the packet, judges the labelled ones right, and takes
// nothing for AI that is none.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { Replay, type ReplayResult } from "../../src/replay.ts";
import { createLog } from "../../src/util/log.ts";
import { answeredCaptures, answerPath } from "../decode/captures.ts";
import { readReference } from "../decode/reference.ts";
import { providersNamed, saidBy, trueOf } from "../support/ai-captures.ts";
import { sharedData } from "../support/shared-data.ts";

const data = sharedData();
const captures = data === null ? [] : answeredCaptures(data);

/** Some files of this folder hold custom or journal blocks, which tshark counts as packets. */
const WITH_OTHER_BLOCKS = "captures/pcapng-test-generator";

/** What a fresh agent must say first of a capture of attacks/. */
const ATTACKS: Readonly<Record<string, { detector: string; severity: string }>> = {
  "arpscan.pcap": { detector: "arp_sweep", severity: "warning" },
  "arpspoof.pcap": { detector: "arp_spoof", severity: "critical" },
  "beacon_http.pcap": { detector: "beacon", severity: "warning" },
  "bruteforce_ssh.pcap": { detector: "brute_force", severity: "warning" },
  "dns_exfil.pcap": { detector: "dns_tunnel", severity: "warning" },
  "dns_tunnel_iodine_null.pcap": { detector: "dns_tunnel", severity: "warning" },
  "portscan_connect.pcap": { detector: "port_scan", severity: "critical" },
  "portscan_syn.pcap": { detector: "port_scan", severity: "critical" },
  "synflood_first6000.pcap": { detector: "syn_flood", severity: "critical" },
};
/** Seconds from the first packet of an attack to its alarm, where they are more than 5. */
const SLOW: Readonly<Record<string, number>> = {
  // Sixteen intervals of four seconds.
  "beacon_http.pcap": 80,
  // Four attempts, half a minute of silence, four more.
  "bruteforce_ssh.pcap": 40,
  // Its client probes record types for nine seconds before it carries data.
  "dns_tunnel_iodine_null.pcap": 15,
};
const BENIGN = ["benign_dns.pcap", "benign_mixed_75s.pcap", "benign_ssh.pcap"];

const { config } = loadConfig({ env: {}, flags: [] });

async function replayed(...paths: string[]): Promise<ReplayResult> {
  const replay = new Replay({
    detect: config.detectors,
    home: config.networks.home,
    agent: "oracle",
    flowCapacity: 16_384,
    top: 10,
    speed: null,
    log: createLog({ level: "silent", format: "json" }),
  });
  return replay.run(paths.map((path) => join(data ?? "", path)));
}

function packetsOf(layer: Readonly<Record<string, { packets: number }>>): number {
  return Object.values(layer).reduce((sum, { packets }) => sum + packets, 0);
}

describe.skipIf(data === null)("replay of the shared captures", () => {
  it.each(captures)(
    "%s ends, its counts are the reference's, and its AI is what is there",
    async (capture) => {
      const { report } = await replayed(capture);
      const [file] = report.files;
      const { container, answer } = readReference(join(data ?? "", answerPath(capture)));
      expect(file?.packets).toBe(Number(container.packets));
      if (!capture.startsWith(WITH_OTHER_BLOCKS)) expect(file?.bytes).toBe(answer.bytes);
      for (const layer of Object.values(report.protocols)) {
        expect(packetsOf(layer)).toBe(file?.packets);
      }
      const { received, processed, dropped } = report.loss;
      expect(processed).toBe(file?.packets);
      expect(received).toBe(
        processed + Object.values(dropped).reduce((sum, count) => sum + count, 0),
      );
      expect(saidBy(report)).toEqual(trueOf(capture));
      expect(providersNamed(answer), "names that tshark reads").toEqual([]);
    },
  );

  it.each(Object.entries(ATTACKS))("finds the attack in %s", async (name, attack) => {
    const wanted = attack;
    const { report } = await replayed(`attacks/${name}`);
    const { events } = JSON.parse(
      readFileSync(join(data ?? "", "attacks", name.replace(/\.pcap$/, ".label.json")), "utf8"),
    ) as { events: { attacker: string; start: number }[] };
    const [alarm] = report.events.filter(({ severity }) => severity !== "info");
    expect(alarm).toMatchObject({ ...wanted, state: "open" });
    expect((alarm?.time ?? 0) - (events[0]?.start ?? 0)).toBeLessThan(SLOW[name] ?? 5);
  });

  it.each(BENIGN)("raises nothing on %s", async (name) => {
    expect((await replayed(`attacks/${name}`)).report.events).toEqual([]);
  });

  it("takes several files as one run", async () => {
    const { report } = await replayed("attacks/benign_dns.pcap", "attacks/benign_ssh.pcap");
    expect(report.files.map(({ packets }) => packets)).toEqual([244, 250]);
    expect(packetsOf(report.protocols.network)).toBe(494);
  });
});
