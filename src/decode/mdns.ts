// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ApplicationProtocol } from "./protocol.ts";

/** Multicast DNS (RFC 6762); counted by port, apart from DNS. */
export const mdns: ApplicationProtocol = {
  name: "mdns",
  help: "Multicast DNS",
  layer: "application",
  ports: { udp: [5353] },
  create: () => ({}),
};
