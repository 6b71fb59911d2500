// SPDX-License-Identifier: AGPL-3.0-or-later
import type { CaptureSource } from "../../src/capture/source.ts";

/** A source that delivers nothing: its pipeline is handed frames by the caller. */
export const IDLE_SOURCE: CaptureSource = {
  name: "pcap-file",
  interfaceName: "idle0",
  open: async () => {},
  run: async () => {},
  stop: () => {},
  close: () => {},
  stats: () => ({
    ...{ received: 0, droppedKernel: 0, droppedRing: 0, duplicates: 0, ringFreezes: 0 },
    ...{ ringFill: 0, dropCounterSupported: true },
  }),
};
