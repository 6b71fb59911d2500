// SPDX-License-Identifier: AGPL-3.0-or-later
// Which client families User-Agent values name (RFC 9110 §10.1.5), as far as their TLS can be told apart.
import { valueAt } from "./http-line.ts";
import { ascii, holdsWord, startsWith } from "./text-line.ts";

const NAME = ascii("USER-AGENT:");
const MOZILLA = ascii("MOZILLA/");

/** Of what every browser begins with alike, in the order in which they imitate each other: the first word found decides. */
const BROWSERS = words([
  ["FIREFOX/", "firefox"],
  ["CHROME/", "chromium"],
  ["SAFARI/", "safari"],
]);
/** How programs begin. `OpenAI/Python` and the like name the language second. */
const PROGRAMS = words([
  ["PYTHON", "python"],
  ["OPENAI/PYTHON", "python"],
  ["ANTHROPIC/PYTHON", "python"],
  ["NODE", "node"],
  ["UNDICI", "node"],
  ["GO-HTTP-CLIENT/", "go"],
  ["CURL/", "curl"],
  ["JAVA/", "java"],
  ["JAVA-HTTP-CLIENT/", "java"],
  ["OKHTTP/", "java"],
  ["APACHE-HTTPCLIENT/", "java"],
  ["DENO/", "deno"],
]);

/**
 * The family of TLS client, as in the `family` label, that the User-Agent line in `[at, end)` names; empty where it names
 * none, or nothing that has a TLS of its own.
 */
export function familyOfUserAgent(view: DataView, at: number, end: number): string {
  const from = valueAt(view, at + NAME.length, end);
  if (!startsWith(view, from, end, MOZILLA)) {
    return PROGRAMS.find(({ word }) => startsWith(view, from, end, word))?.family ?? "";
  }
  return BROWSERS.find(({ word }) => holdsWord(view, from, end, word))?.family ?? "";
}

function words(
  list: readonly (readonly [word: string, family: string])[],
): readonly { readonly word: Uint8Array; readonly family: string }[] {
  return list.map(([word, family]) => ({ word: ascii(word), family }));
}
