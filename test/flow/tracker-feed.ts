// SPDX-License-Identifier: AGPL-3.0-or-later
// Entities without end for whatever a tracker asks for.
import { emptyPacket, type Packet } from "../../src/decode/packet.ts";
import { type AiCall, emptyAiCall } from "../../src/flow/ai/ai-call.ts";
import { DnsAnswers } from "../../src/flow/ai/dns-answers.ts";
import { FlowNames, type NameListener } from "../../src/flow/ai/flow-names.ts";
import { AiProviders } from "../../src/flow/ai/providers.ts";
import { flowGauges, flowMetrics } from "../../src/flow/families.ts";
import { FlowRows } from "../../src/flow/flow-rows.ts";
import {
  FlowEvent,
  type FlowKey,
  type Tracker,
  type TrackerDefinition,
} from "../../src/flow/tracker.ts";
import { CellLayout } from "../../src/metrics/cells.ts";
import { arpPacket } from "../support/arp-packets.ts";
import { dnsPacket } from "../support/dns-packets.ts";
import { APPLICATION_NAMES } from "../support/flow-harness.ts";
import { v4 } from "../support/packets.ts";

const FLOWS = 65_536;
/** When entity number 0 is seen. */
export const T0 = 1_700_000_000_000;

/** A tracker under test. */
export interface Subject {
  readonly tracker: Tracker;
  evicted: number;
  /** A flow number `index` greets an AI provider. */
  name(index: number, timeMs: number): void;
}

const HELLO_FACTS = {
  ...{ packet: 0, transport: "tcp" as const, version: "1.3", sni: "api.openai.com" },
  ...{ alpn: "", ja3: "", ja4: "", family: "python", ech: false, resumes: false },
};
const HELLO = emptyPacket({ hello: HELLO_FACTS });

/** A tracker of its own, over a table of flows and their names. */
export function create(definition: TrackerDefinition): Subject {
  const layout = new CellLayout(flowMetrics);
  const levels = new CellLayout(flowGauges);
  const providers = new AiProviders();
  const names = new FlowNames(providers, new DnsAnswers(providers, 5, () => {}), FLOWS);
  const flowRows = new FlowRows(FLOWS);
  const subject: Subject = {
    evicted: 0,
    tracker: definition.create({
      counters: new Float64Array(layout.size),
      base: (metric) => layout.base(metric),
      evicted(count) {
        subject.evicted += count;
      },
      applicationNames: APPLICATION_NAMES,
      hashSeed: 5,
      names,
      flowRows,
      levels: new Float64Array(levels.size),
      levelBase: (metric) => levels.base(metric),
    }),
    name(index, timeMs) {
      HELLO.flow = index % FLOWS;
      HELLO.ipVersion = 4;
      HELLO.source3 = Math.imul(index + 1, 0x9e3779b1);
      HELLO.destination3 = ~HELLO.source3;
      flowRows.begin(HELLO.flow, HELLO, 0, 0, 0);
      names.forget(HELLO.flow);
      names.onPacket(HELLO, timeMs);
    },
  };
  if (definition.named) names.listen(subject.tracker as NameListener);
  return subject;
}

/** Fills `flow` with flow number `index`, between ends that never come twice. */
export function setFlow(flow: FlowKey, index: number, ipProtocol: number): FlowKey {
  flow.slot = index % FLOWS;
  flow.ipProtocol = ipProtocol;
  flow.client3 = Math.imul(index + 1, 0x9e3779b1);
  flow.server3 = ~flow.client3;
  flow.clientPort = 50_000 + (index % 15_000);
  flow.serverPort = ipProtocol === 17 ? 53 : (index * 7) % 50_000;
  flow.timeMs = T0 + index / 100;
  return flow;
}

/** To be filled by `setFlow`. */
export function emptyFlow(): FlowKey {
  return {
    ...{ slot: 0, ipProtocol: 0, ipVersion: 4, clientPort: 0, serverPort: 0, timeMs: 0 },
    ...{ side: 0, tcpFlags: 0, lengthBytes: 60, state: 0 },
    ...{ client0: 0, client1: 0, client2: 0xffff, client3: 0 },
    ...{ server0: 0, server1: 0, server2: 0xffff, server3: 0 },
  };
}

/** Makes `packet` the claim of an address by a MAC, neither seen before. */
function setClaim(packet: Packet, index: number): Packet {
  packet.view.setInt32(packet.networkAt + 14, Math.imul(index + 1, 0x9e3779b1));
  packet.view.setInt32(packet.networkAt + 10, index);
  if (packet.ethernetAt >= 0) packet.view.setInt32(packet.ethernetAt + 8, index);
  return packet;
}

/** An ARP reply, to be filled by `setClaim`. */
export function emptyClaim(): Packet {
  const ends = { senderIp: "10.0.0.1", targetIp: "10.0.0.2" };
  return arpPacket({ operation: 2, senderMac: "02:00:00:00:00:00", ...ends });
}

const ECHO = Object.assign(emptyPacket({}), {
  ...{ view: new DataView(new ArrayBuffer(42)), transportAt: 34, end: 42, sentEnd: 42, network: 2 },
  ...{ ipVersion: 4, ipProtocol: 1, icmpType: 8, source2: 0xffff, destination2: 0xffff },
});

/** A ping between ends not seen before. */
function setEcho(index: number): Packet {
  ECHO.source3 = Math.imul(index + 1, 0x9e3779b1);
  ECHO.destination3 = ~ECHO.source3;
  return ECHO;
}

const ADVERTISEMENT = Object.assign(emptyPacket({}), {
  ...{ view: new DataView(new ArrayBuffer(70)), ethernetAt: 0, transportAt: 54 },
  ...{ end: 70, sentEnd: 70, network: 3, ipVersion: 6, ipProtocol: 58, icmpType: 134 },
  source0: 0xfe800000 | 0,
});

/** A router advertisement of a router not seen before. */
function setAdvertisement(index: number): Packet {
  ADVERTISEMENT.source3 = Math.imul(index + 1, 0x9e3779b1);
  return ADVERTISEMENT;
}

const DHCP_FACTS = {
  ...{ packet: 0, isReply: true, type: 2, clientMac0: 0, clientMac1: 0, yourAddress: 0 },
  ...{ relayAddress: 0, serverAddress: 0, router: 0, dnsServer: 0 },
};
const DHCP = emptyPacket({ dhcp: DHCP_FACTS });

/** An offer of a DHCP server not seen before, through a relay agent of its own. */
function setDhcp(index: number): Packet {
  DHCP_FACTS.serverAddress = Math.imul(index + 1, 0x9e3779b1);
  DHCP_FACTS.relayAddress = DHCP_FACTS.serverAddress;
  return DHCP;
}

const NEW_HELLO = emptyPacket({
  hello: { ...HELLO_FACTS, sni: "", ja4: "t13d1516h2_8daaf6152771_02713d6af862" },
});

/** A ClientHello between ends not seen before. */
function setHello(index: number): Packet {
  NEW_HELLO.source3 = Math.imul(index + 1, 0x9e3779b1);
  NEW_HELLO.destination3 = ~NEW_HELLO.source3;
  return NEW_HELLO;
}

const AGENT_FACTS = {
  ...{ packet: 0, isFromServer: false, protocol: 1, messages: 1, calls: 1, errors: 0 },
  ...{ mismatches: 0, open: 0, granted: 0, denied: 0, toAddress: 0 },
  ...{ asks: 0, askStart: 0, modelCalls: 0, metadata: 1, bareMetadata: 0 },
};
const AGENT = emptyPacket({ agents: AGENT_FACTS });

/** A request to a metadata service and to a tool server at once, of a client not seen before. */
function setAgent(index: number): Packet {
  AGENT.source3 = Math.imul(index + 1, 0x9e3779b1);
  return AGENT;
}

/** DNS packets made from one, with ends and a name not seen before: a query, and a response that nobody asked for. */
export function emptyDns(): readonly Packet[] {
  const [client, server] = [v4("10.0.0.1", 4000), v4("10.0.0.2", 53)];
  return [
    dnsPacket(client, server, { name: "data.00000000.com", type: 16 }),
    dnsPacket(server, client, { name: "data.00000000.com", rcode: 3 }),
  ];
}

/** Makes `packet`, one of `emptyDns`, that of entity number `index`. */
function setDns(packet: Packet, index: number): Packet {
  const own = Math.imul(index + 1, 0x9e3779b1);
  const message = packet.facts.dns?.messages[0];
  packet.source3 = message?.isResponse ? ~own : own;
  packet.destination3 = ~packet.source3;
  for (let i = 0; i < 8; i++) message?.name.bytes.set([0x61 + ((own >>> (4 * i)) & 15)], 6 + i);
  return packet;
}

const CALL: AiCall = {
  ...emptyAiCall(),
  ...{ client2: 0xffff, server2: 0xffff, serverPort: 443 },
  ...{ upBytes: 1000, downBytes: 9000, isStream: true },
};

/** A call of a client not seen before. */
function setCall(index: number): AiCall {
  CALL.client3 = Math.imul(index + 1, 0x9e3779b1);
  CALL.server3 = ~CALL.client3;
  CALL.startMs = T0 + index / 100;
  CALL.endMs = CALL.startMs;
  return CALL;
}

/** Gives the tracker what it asked for, about entities number `first` to `last`. */
export function feed(
  { tracker, name }: Subject,
  definition: TrackerDefinition,
  first: number,
  last = first,
  flow = emptyFlow(),
  packet = emptyClaim(),
  dns = emptyDns(),
): void {
  for (let index = first; index <= last; index++) {
    for (const event of definition.events ?? []) {
      tracker.onFlow?.(event, setFlow(flow, index, event === FlowEvent.STARTED ? 17 : 6));
    }
    const timeMs = T0 + index / 100;
    if (definition.volumes) tracker.onVolume?.(setFlow(flow, index, 6), 50_000, 1000);
    if (definition.calls) tracker.onCall?.(setCall(index));
    if (definition.recognised) tracker.onRecognised?.(setDns(dns[0] as Packet, index), timeMs);
    if (definition.named) name(index, timeMs);
    if (definition.packets) {
      setClaim(packet, index).view.setUint16(packet.networkAt + 6, 1);
      tracker.onPacket?.(packet, timeMs);
      packet.view.setUint16(packet.networkAt + 6, 2);
      tracker.onPacket?.(setEcho(index), timeMs);
    }
    if (definition.packets) tracker.onPacket?.(setClaim(packet, index), timeMs);
    if (definition.packets) tracker.onPacket?.(setAdvertisement(index), timeMs);
    if (definition.agents) tracker.onPacket?.(setAgent(index), timeMs);
    if (definition.application) {
      tracker.onPacket?.(setDhcp(index), timeMs);
      tracker.onPacket?.(setHello(index), timeMs);
      for (const one of dns) tracker.onPacket?.(setDns(one, index), timeMs);
    }
  }
}
