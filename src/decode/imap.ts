// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ApplicationProtocol } from "./protocol.ts";

/** IMAP (RFC 9051); counted by port. */
export const imap: ApplicationProtocol = {
  name: "imap",
  help: "IMAP",
  layer: "application",
  ports: { tcp: [143] },
  create: () => ({}),
};
