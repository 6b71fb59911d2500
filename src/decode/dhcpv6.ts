// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ApplicationProtocol } from "./protocol.ts";

/** DHCPv6 (RFC 8415); counted by port. */
export const dhcpv6: ApplicationProtocol = {
  name: "dhcpv6",
  help: "DHCPv6",
  layer: "application",
  ports: { udp: [546, 547] },
  create: () => ({}),
};
