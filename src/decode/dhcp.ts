// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ApplicationProtocol } from "./protocol.ts";

/** DHCP and BOOTP (RFC 2131); counted by port. */
export const dhcp: ApplicationProtocol = {
  name: "dhcp",
  help: "DHCP",
  layer: "application",
  ports: { udp: [67, 68] },
  create: () => ({}),
};
