// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ApplicationProtocol } from "./protocol.ts";

/** Remote Desktop (MS-RDPBCGR, MS-RDPEUDP); counted by port. */
export const rdp: ApplicationProtocol = {
  name: "rdp",
  help: "Remote Desktop",
  layer: "application",
  ports: { tcp: [3389], udp: [3389] },
  create: () => ({}),
};
