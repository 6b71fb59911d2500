// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ApplicationProtocol } from "./protocol.ts";

/** NetBIOS name service (RFC 1002); counted by port, apart from DNS. */
export const nbns: ApplicationProtocol = {
  name: "nbns",
  help: "NetBIOS name service",
  layer: "application",
  ports: { udp: [137] },
  create: () => ({}),
};
