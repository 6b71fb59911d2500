// SPDX-License-Identifier: AGPL-3.0-or-later
import { LinkType } from "../../src/capture/source.ts";
import { protocols } from "../../src/decode/all.ts";
import {
  type ApplicationProtocol,
  type HeaderProtocol,
  KeySpace,
  type Protocol,
} from "../../src/decode/protocol.ts";
import { code, page, sentence, table } from "./markdown.ts";
import { DEPTH, LIMITS } from "./protocol-depth.ts";

const { LINK, ETHER, IP } = KeySpace;
const SPACE_SHIFT = 16;
const NUMBER_MASK = 0xffff;
/** Keys of this space below the first EtherType are SAPs of LLC, but for those without a number on the wire. */
const FIRST_ETHER_TYPE = 0x0600;
const FIRST_SAP = 0x0100;

const LAYERS: readonly (readonly [HeaderProtocol["layer"], title: string, counted: string])[] = [
  ["link", "Link layers", "They are walked through, and counted as what they carry."],
  [
    "network",
    "Network",
    "`nam_network_packets_total` and `nam_network_bytes_total` count each packet once.",
  ],
  [
    "transport",
    "Transport",
    "`nam_transport_packets_total` and `nam_transport_bytes_total` count each packet once, by what the IP header names.",
  ],
  [
    "tunnel",
    "Tunnels",
    "A packet in a tunnel counts as what is inside, once; `nam_tunnel_packets_total` and `nam_tunnel_bytes_total` count " +
      "what carried it. GRE and AH are among them where they carry a packet.",
  ],
];

/** Every protocol that is decoded, how it is found, and what is counted of it. */
export function protocolsDocument(): string {
  return page(
    "# Protocols",
    "What is decoded, how it is found, and which metrics and signals it has of its own: [metrics.md](metrics.md) explains " +
      "them. What cannot be decoded to the end is counted in `nam_frame_errors_total`: truncated where the capture cut " +
      "the frame, malformed where the sender lied about a length or broke the format, unsupported where it is " +
      "well-formed but not read here.",
    ...LAYERS.map(([layer, title, counted]) => headerSection(layer, title, counted)),
    applicationSection(),
    "## How deep",
    DEPTH.map(([what, read]) => `- **${what}**: ${read}`).join("\n"),
    "## What is not decoded",
    LIMITS.map((limit) => `- ${limit}`).join("\n"),
  );
}

function headerSection(layer: string, title: string, counted: string): string {
  const rows = protocols
    .filter((protocol): protocol is HeaderProtocol => protocol.layer === layer)
    .map((protocol) => [
      code(protocol.name),
      sentence(protocol.help),
      foundBy(protocol.keys),
      ...own(protocol),
    ]);
  const headings = ["Name", "What", "Found by", "Metrics", "Signals"];
  // Columns that no row fills say nothing.
  const used = headings.map((_, column) => rows.some((row) => row[column] !== ""));
  const kept = (cells: readonly string[]) => cells.filter((_, column) => used[column]);
  return [`## ${title}`, counted, table(kept(headings), rows.map(kept))].join("\n\n");
}

function applicationSection(): string {
  const rows = protocols
    .filter((protocol): protocol is ApplicationProtocol => protocol.layer === "application")
    .map((protocol) => [
      code(protocol.name),
      sentence(protocol.help),
      byPayload(protocol),
      ports(protocol),
      ...own(protocol),
    ]);
  return [
    "## Applications",
    "`nam_application_packets_total` and `nam_application_bytes_total` count each packet once. Payloads are believed " +
      "first, on any port, among the first packets of a flow; a port counts only while no payload has proved anything. " +
      "The verdict stays with the flow. `unusual_port`, `rare_combo` and `service_probe` rest on payloads alone, never on " +
      "a port.",
    table(["Name", "What", "By payload", "Else by port", "Metrics", "Signals"], rows),
  ].join("\n\n");
}

function byPayload({ firstBytes, ports }: ApplicationProtocol): string {
  if (firstBytes === undefined) {
    return Object.keys(ports).length === 0 ? "handed over by another one" : "no";
  }
  return `${Object.keys(firstBytes).join(", ").toUpperCase()}`;
}

function ports({ ports }: ApplicationProtocol): string {
  return Object.entries(ports)
    .map(([transport, numbers]) => `${transport.toUpperCase()} ${numbers.join(", ")}`)
    .join("; ");
}

function own({ metrics = [], signals = [] }: Protocol): [metrics: string, signals: string] {
  return [
    metrics.map(({ name }) => code(name)).join(", "),
    signals.map(({ name }) => code(name)).join(", "),
  ];
}

function foundBy(keys: readonly number[]): string {
  return keys
    .map(keyText)
    .filter((text) => text !== "")
    .join(", ");
}

function keyText(key: number): string {
  const number = key & NUMBER_MASK;
  switch (key >>> SPACE_SHIFT) {
    case LINK: {
      const [name = number] = Object.entries(LinkType).find(([, type]) => type === number) ?? [];
      return `LINKTYPE_${name}`;
    }
    case ETHER:
      if (number >= FIRST_ETHER_TYPE) return `EtherType ${hex(number, 4)}`;
      return number < FIRST_SAP ? "an 802.3 length" : `SAP ${hex(number - FIRST_SAP, 2)}`;
    case IP:
      return `IP protocol ${number}`;
    default:
      return `UDP port ${number}`;
  }
}

function hex(number: number, digits: number): string {
  return `0x${number.toString(16).padStart(digits, "0")}`;
}
