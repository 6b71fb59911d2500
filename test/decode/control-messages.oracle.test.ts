// SPDX-License-Identifier: AGPL-3.0-or-later
// ICMP, ICMPv6, ARP and DHCP messages by type of every shared capture against the reference answers.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { messageExceptions } from "../support/reference-exceptions.ts";
import { sharedData } from "../support/shared-data.ts";
import { hasTool } from "../support/tool.ts";
import { askCounts, askFields } from "./ask-tshark.ts";
import { answeredCaptures, answerPath, readCapture } from "./captures.ts";
import type { Counts } from "./decoding.ts";
import { FlowDecoding } from "./flow-decoding.ts";

type Labels = Readonly<Record<string, string>>;

/** Our labels by the reference's types: a number, a type and code, or an operation. */
const FAMILIES: Readonly<Record<string, readonly [metric: string, labels: Labels]>> = {
  icmp: [
    "nam_icmp_messages_total",
    { "0/": "echo_reply", "8/": "echo_request", "3/": "unreachable", "11/": "time_exceeded" },
  ],
  icmpv6: [
    "nam_icmpv6_messages_total",
    {
      ...{ "1": "unreachable", "2": "packet_too_big", "3": "time_exceeded" },
      ...{ "4": "parameter_problem", "128": "echo_request", "129": "echo_reply" },
      ...{ "130": "mld_query", "131": "mld_report", "132": "mld_done", "143": "mld_report" },
      ...{ "133": "router_solicitation", "134": "router_advertisement", "137": "redirect" },
      ...{ "135": "neighbor_solicitation", "136": "neighbor_advertisement" },
    },
  ],
  arp: ["nam_arp_messages_total", { op1: "request", op2: "reply" }],
  dhcp_messages: [
    "nam_dhcp_messages_total",
    {
      ...{ "1": "discover", "2": "offer", "3": "request", "4": "decline", "5": "ack" },
      ...{ "6": "nak", "7": "release", "8": "inform" },
    },
  ],
};
/** Captures whose messages are asked for anew, and why. */
const ASKED_AGAIN: Readonly<
  Record<string, { ask: (path: string) => Readonly<Record<string, Counts>>; why: string }>
> = {
  "captures/pcapng-test-generator/output_le__basic__test012.pcapng": {
    why: "tshark tells no type of a DHCP message of which the capture cut the last option: here the first option is looked at",
    ask: (path) => ({ dhcp_messages: askFirstOption(path) }),
  },
  "captures/tcpdump/vxlan_port_8472.pcap": {
    why: "VXLAN on the port that Linux took before there was one, which tshark has to be told",
    ask: (path) => askTypes(path, ["-d", "udp.port==8472,vxlan"]),
  },
};
/** Behind the cookie, as most clients and servers have it: the type of the message, of one byte (RFC 2132 §9.6). */
const TYPE_FIRST = "dhcp[240:3] == 35:01";
const DHCP_TYPES = 8;

/** Not a type of message, but a property that requests and replies may have. */
const NO_TYPE = "gratuitous";

const folder = sharedData();

describe.skipIf(folder === null)("control messages of real captures", () => {
  const root = folder ?? "";
  const captures = folder === null ? [] : answeredCaptures(root);

  it.each(captures)("%s", async (capture) => {
    const { answer } = JSON.parse(readFileSync(join(root, answerPath(capture)), "utf8"));
    const again = ASKED_AGAIN[capture];
    if (again !== undefined) {
      if (!hasTool("tshark")) return;
      Object.assign(answer, again.ask(join(root, capture)));
    }
    const decoding = new FlowDecoding();
    await readCapture(join(root, capture), (frame) => decoding.take(frame));
    const found: Record<string, Counts> = {};
    const expected: Record<string, Counts> = {};
    for (const [family, [metric, labels]] of Object.entries(FAMILIES)) {
      found[family] = decoding.series(metric);
      expected[family] = named(answer[family], labels);
    }
    if (capture in messageExceptions) expect(found).not.toEqual(expected);
    else expect(found).toEqual(expected);
  });
});

function askFirstOption(path: string): Counts {
  const counts: Counts = {};
  for (let type = 1; type <= DHCP_TYPES; type++) {
    const { length } = askFields(path, [], `${TYPE_FIRST}:0${type}`, ["frame.number"]);
    if (length > 0) counts[type] = length;
  }
  return counts;
}

function askTypes(path: string, options: readonly string[]): Record<string, Counts> {
  const ask = (field: string): Counts => askCounts(path, options, field, field);
  const by = (counts: Counts, name: (type: string) => string): Counts =>
    Object.fromEntries(Object.entries(counts).map(([type, count]) => [name(type), count]));
  return {
    icmp: by(ask("icmp.type"), (type) => `${type}/`),
    icmpv6: ask("icmpv6.type"),
    arp: by(ask("arp.opcode"), (operation) => `op${operation}`),
    dhcp_messages: ask("dhcp.option.dhcp"),
  };
}

function named(counts: Counts, labels: Labels): Counts {
  const sums: Counts = {};
  for (const [type, count] of Object.entries(counts)) {
    if (type === NO_TYPE) continue;
    const label = labels[type] ?? labels[`${type.split("/")[0]}/`] ?? "other";
    sums[label] = (sums[label] ?? 0) + count;
  }
  return sums;
}
