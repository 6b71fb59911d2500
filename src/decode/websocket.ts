// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ApplicationProtocol } from "./protocol.ts";

/** WebSocket (RFC 6455): what follows the upgrade of an HTTP/1.1 connection; counted, not read. */
export const websocket: ApplicationProtocol = {
  name: "websocket",
  help: "WebSocket in clear text",
  layer: "application",
  ports: {},
  create: () => ({}),
};
