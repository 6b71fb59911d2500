// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ApplicationProtocol } from "./protocol.ts";

/** SNMP (RFC 3411); counted by port, traps included. */
export const snmp: ApplicationProtocol = {
  name: "snmp",
  help: "SNMP",
  layer: "application",
  ports: { tcp: [161, 162], udp: [161, 162] },
  create: () => ({}),
};
