// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ApplicationProtocol } from "./protocol.ts";

/** Syslog (RFC 5424) over UDP (RFC 5426) and TCP (RFC 6587); counted by port. */
export const syslog: ApplicationProtocol = {
  name: "syslog",
  help: "Syslog",
  layer: "application",
  ports: { tcp: [601], udp: [514] },
  create: () => ({}),
};
