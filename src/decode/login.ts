// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition, SignalDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import { Login, type Packet } from "./packet.ts";
import { type DecodeContext, Stop } from "./protocol.ts";
import { replyCode } from "./text-line.ts";

/** Protocols whose servers say in clear text that a login failed. */
export const LOGIN_PROTOCOLS = [
  ...["ftp", "imap", "kerberos", "ldap", "mqtt", "mysql"],
  ...["pop3", "postgresql", "radius", "smb", "smtp", "telnet"],
] as const;

/** What a protocol that sees logins lists among its metrics. */
export const loginFailures: MetricDefinition = {
  name: "nam_login_failures_total",
  help: "Logins that a server refused in clear text, by protocol.",
  type: "counter",
  labels: { protocol: LOGIN_PROTOCOLS },
};

/** What the same protocols list among their signals. */
export const loginFailuresSignal: SignalDefinition = {
  name: "login_failures",
  help: "Logins that a server refused",
  metric: loginFailures,
  unit: "messages",
};

/** Notes the outcome of logins of one protocol on packets of the server, and counts those that failed. */
export class Logins {
  readonly #counters: Float64Array;
  readonly #cell: number;

  constructor(protocol: (typeof LOGIN_PROTOCOLS)[number], context: DecodeContext) {
    this.#counters = context.counters;
    this.#cell = context.base(loginFailures) + LOGIN_PROTOCOLS.indexOf(protocol);
  }

  failed(packet: Packet): void {
    if (!isFromServer(packet)) return;
    packet.login = Login.FAILED;
    add(this.#counters, this.#cell, 1);
  }

  succeeded(packet: Packet): void {
    if (isFromServer(packet)) packet.login = Login.SUCCEEDED;
  }
}

/** A client may send text that looks like a reply. In a flow met mid-way the sides are not sure, but the ports are. */
function isFromServer({ flowSide, sourcePort, destinationPort }: Packet): boolean {
  return flowSide === 1 || sourcePort < destinationPort;
}

/** A decoder for protocols whose server tells the outcome of a login in a reply code: SMTP, FTP. */
export function byReplyCode(
  logins: Logins,
  refused: number,
  accepted: number,
): (packet: Packet) => number {
  return (packet) => {
    const code = replyCode(packet.view, packet.payloadAt, packet.payloadEnd);
    if (code === refused) logins.failed(packet);
    else if (code === accepted) logins.succeeded(packet);
    return Stop.DONE;
  };
}
