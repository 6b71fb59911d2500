// SPDX-License-Identifier: AGPL-3.0-or-later

import { messageOf, NamError } from "../util/errors.ts";
import { z } from "../util/zod.ts";
import { namesToLookUp } from "./filter-names.ts";
import type { LiveOptions } from "./live-options.ts";
import type { CaptureSource } from "./source.ts";

/** Which live source, and what it is told; plain data, so that it can be sent to a sensor process. */
export interface SourceSettings extends LiveOptions {
  readonly source: "auto" | LiveSource["name"];
  /** True where capturing may send nothing, not even to look a name up, and must leave the interface as it is. */
  readonly stealth: boolean;
}

/** One way to capture live. */
export interface LiveSource {
  readonly name: "afpacket" | "cap";
  /** True where `auto` takes it. */
  suits(platform: NodeJS.Platform): boolean;
  /** Loads the source's code only now: its native part may be missing. */
  create(options: LiveOptions): Promise<CaptureSource>;
  /** Why the interface cannot be opened and what would help, or null; opens nothing on it. */
  check(interfaceName: string): Promise<string | null>;
}

const afpacket: LiveSource = {
  name: "afpacket",
  suits: (platform) => platform === "linux",
  create: async (options) => {
    const { AfPacketSource } = await import("./afpacket.ts");
    return new AfPacketSource(options);
  },
  check: (name) => problem(async () => (await import("./afpacket.ts")).checkAfPacket(name)),
};

const cap: LiveSource = {
  name: "cap",
  suits: () => true,
  create: async (options) => {
    const { CapSource } = await import("./cap.ts");
    return new CapSource(options);
  },
  check: (name) => problem(async () => (await import("./cap.ts")).checkCap(name)),
};

/** The live sources, best first. */
export const liveSources: readonly LiveSource[] = [afpacket, cap];

async function problem(check: () => Promise<void>): Promise<string | null> {
  try {
    await check();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * The source that the settings ask for, not yet open. Throws CAPTURE_SOURCE_UNAVAILABLE where it cannot be loaded or
 * cannot do what is asked, and CAPTURE_FILTER for a filter with names in it in stealth mode.
 */
export async function createSource(settings: SourceSettings): Promise<CaptureSource> {
  const chosen =
    liveSources.find(({ name, suits }) =>
      settings.source === "auto" ? suits(process.platform) : settings.source === name,
    ) ?? cap;
  const refusal = refusalOf(chosen, settings);
  if (refusal !== null) throw refusal;
  try {
    return await chosen.create(settings);
  } catch (error) {
    if (error instanceof NamError) throw error;
    throw new NamError(
      "CAPTURE_SOURCE_UNAVAILABLE",
      `the capture source ${chosen.name} cannot be loaded (npm install may help): ${messageOf(error)}`,
      error,
    );
  }
}

function refusalOf(
  chosen: LiveSource,
  { stealth, filter, fanoutGroup }: SourceSettings,
): NamError | null {
  const names = stealth ? namesToLookUp(filter) : [];
  if (names.length > 0) {
    const reason = `would look up ${names.join(", ")}, which stealth mode rules out: use addresses and numbers`;
    return new NamError("CAPTURE_FILTER", `the capture filter ${reason}`);
  }
  if (chosen !== cap) return null;
  const unavailable = (reason: string): NamError =>
    new NamError("CAPTURE_SOURCE_UNAVAILABLE", `the capture source cap ${reason}: use afpacket`);
  if (stealth) return unavailable("is always promiscuous, which stealth mode rules out");
  return fanoutGroup === null ? null : unavailable("cannot share an interface between sensors");
}

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
