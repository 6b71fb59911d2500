// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ApplicationProtocol } from "./protocol.ts";

/** FTP control connections (RFC 959); counted by port. */
export const ftp: ApplicationProtocol = {
  name: "ftp",
  help: "FTP control",
  layer: "application",
  ports: { tcp: [21] },
  create: () => ({}),
};
