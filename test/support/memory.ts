// SPDX-License-Identifier: AGPL-3.0-or-later
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes that are really held after a full collection: what was let go, by whomever, neither hides nor adds anything. */
export function heldMemory(): { readonly arrayBuffers: number; readonly all: number } {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { arrayBuffers, all: heapUsed + arrayBuffers };
}
