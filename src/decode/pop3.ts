// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ApplicationProtocol } from "./protocol.ts";

/** POP3 (RFC 1939); counted by port. */
export const pop3: ApplicationProtocol = {
  name: "pop3",
  help: "POP3",
  layer: "application",
  ports: { tcp: [110] },
  create: () => ({}),
};
