// SPDX-License-Identifier: AGPL-3.0-or-later
import { etherKey, type HeaderProtocol, Stop } from "./protocol.ts";

/** Link Layer Discovery Protocol (IEEE 802.1AB); counted, not read. */
export const lldp: HeaderProtocol = {
  name: "lldp",
  help: "LLDP",
  layer: "network",
  keys: [etherKey(0x88cc)],
  create: () => () => Stop.DONE,
};
