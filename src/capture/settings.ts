// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";

const MIN_SNAPLEN = 64;
const MAX_SNAPLEN = 262_144;
const MAX_FILTER_LENGTH = 4096;

/** The section `capture` of the configuration. */
export const captureSettings = z
  .strictObject({
    interfaces: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Interfaces to capture on; "any" for all of them. Default: the interface of the default route.',
      ),
    source: z
      .enum(["auto", "afpacket", "cap"])
      .default("auto")
      .describe(
        "How packets are taken: afpacket on Linux, cap (libpcap) elsewhere; auto chooses between them.",
      ),
    filter: z
      .string()
      .max(MAX_FILTER_LENGTH)
      .default("")
      .describe(
        'Filter in tcpdump\'s syntax, for example "not port 22". What it leaves out is not counted anywhere.',
      ),
    snaplen: z
      .int()
      .min(MIN_SNAPLEN)
      .max(MAX_SNAPLEN)
      .default(2048)
      .describe("Bytes kept of each frame, enough by default for whole hellos and DNS answers."),
    promiscuous: z
      .boolean()
      .default(false)
      .describe(
        "Take frames for other stations too, as on a mirror port that is not promiscuous already. Never in stealth mode; the source cap always does.",
      ),
    ring_mib: z
      .int()
      .min(1)
      .max(1024)
      .default(32)
      .describe(
        "Size in MiB of the buffer between the kernel and a sensor: how long a burst may be while the sensor is busy.",
      ),
    user: z
      .string()
      .min(1)
      .default("nobody")
      .describe(
        "Account that a sensor started as root changes to once its socket is open: a name, or numbers like 65534:65534.",
      ),
  })
  .prefault({})
  .describe("What is captured, and how.");
