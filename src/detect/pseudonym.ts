// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHash } from "node:crypto";

/** 96 bits: that two of the few ten thousand texts that are remembered have the same one is out of the question. */
const LENGTH = 16;

/**
 * What is remembered in place of a text with a name in it: enough to know the text again, and no more. It hides the
 * name from whoever reads the state file or a copy of it, and not from whoever guesses the name.
 */
export function pseudonymOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, LENGTH);
}
