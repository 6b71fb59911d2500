// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ApplicationProtocol } from "./protocol.ts";

/** LLMNR (RFC 4795); counted by port, apart from DNS. */
export const llmnr: ApplicationProtocol = {
  name: "llmnr",
  help: "Link-local name resolution",
  layer: "application",
  ports: { tcp: [5355], udp: [5355] },
  create: () => ({}),
};
