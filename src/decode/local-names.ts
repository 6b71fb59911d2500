// SPDX-License-Identifier: AGPL-3.0-or-later
// Name services of the local link: messages in the form of DNS, known by their port, counted apart from DNS.
import type { MetricDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import { DNS_HEADER_LENGTH, DnsMessage } from "./dns-message.ts";
import type { DnsName } from "./dns-name.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  Stop,
  short,
} from "./protocol.ts";
import { UDP_NUMBER } from "./udp.ts";

const KINDS = ["query", "response"];
const UDP = UDP_NUMBER;

export interface LocalNameService {
  readonly name: string;
  readonly help: string;
  readonly ports: ApplicationProtocol["ports"];
  /** The name that a message asks for, as it is shown. */
  readonly text: (name: DnsName) => string;
}

/** Declares such a protocol: its messages over UDP are counted by kind, the names asked for in `NAME.names`. */
export function localNameService(service: LocalNameService): ApplicationProtocol {
  const { name, help, ports, text } = service;
  const messages: MetricDefinition = {
    name: `nam_${name}_messages_total`,
    help: `Messages of ${help} over UDP by kind.`,
    type: "counter",
    labels: { kind: KINDS },
  };
  return {
    ...{ name, help, ports, layer: "application", metrics: [messages] },
    create: (context) => decoder(context, messages, context.tally(`${name}.names`), text),
  };
}

function decoder(
  { counters, base }: DecodeContext,
  messages: MetricDefinition,
  tallyName: (name: string) => void,
  text: (name: DnsName) => string,
): ApplicationDecoder {
  const cells = base(messages);
  const message = new DnsMessage();

  function decode(packet: Packet): number {
    if (packet.ipProtocol !== UDP) return Stop.DONE;
    const { payloadAt, payloadEnd, payloadLength } = packet;
    if (payloadEnd - payloadAt < DNS_HEADER_LENGTH) return short(packet);
    const stop = message.read(packet.view, payloadAt, payloadEnd, payloadLength, packet.cut);
    add(counters, cells + (message.isResponse ? 1 : 0), 1);
    if (!message.isResponse && message.name.length > 0) tallyName(text(message.name));
    return stop;
  }

  return { decode };
}
