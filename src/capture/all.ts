// SPDX-License-Identifier: AGPL-3.0-or-later
import { messageOf, NamError } from "../util/errors.ts";
import { namesToLookUp } from "./filter-names.ts";
import type { LiveOptions } from "./live-options.ts";
import type { CaptureSource } from "./source.ts";

export { captureSettings } from "./settings.ts";

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
