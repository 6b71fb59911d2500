// SPDX-License-Identifier: AGPL-3.0-or-later
import { sapKey } from "./llc.ts";
import { type HeaderProtocol, Stop } from "./protocol.ts";

/** Spanning tree (IEEE 802.1D) on LLC service access point 0x42; counted, not read. */
export const stp: HeaderProtocol = {
  name: "stp",
  help: "Spanning tree",
  layer: "network",
  keys: [sapKey(0x42)],
  create: () => () => Stop.DONE,
};
