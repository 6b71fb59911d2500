// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ApplicationProtocol } from "./protocol.ts";

/** SSDP of UPnP; counted by port. */
export const ssdp: ApplicationProtocol = {
  name: "ssdp",
  help: "SSDP",
  layer: "application",
  ports: { udp: [1900] },
  create: () => ({}),
};
