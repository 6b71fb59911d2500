// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ApplicationProtocol } from "./protocol.ts";

/** NTP (RFC 5905); counted by port. */
export const ntp: ApplicationProtocol = {
  name: "ntp",
  help: "NTP",
  layer: "application",
  ports: { udp: [123] },
  create: () => ({}),
};
