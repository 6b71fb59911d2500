// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ApplicationProtocol } from "./protocol.ts";

/** Telnet (RFC 854); counted by port. */
export const telnet: ApplicationProtocol = {
  name: "telnet",
  help: "Telnet",
  layer: "application",
  ports: { tcp: [23] },
  create: () => ({}),
};
