// SPDX-License-Identifier: AGPL-3.0-or-later
import { CANARIES } from "./agent-client.ts";

/** The word that every secret and every private name of the tests begins with. */
export const CANARY = "canary";

/** What base64 makes of the word, whatever comes before it: those characters that depend on nothing else. */
const ENCODED = [0, 1, 2].map((before) => {
  const text = Buffer.from(`${"\0".repeat(before)}${CANARY}`).toString("base64");
  return text.slice(Math.ceil((before * 4) / 3), Math.floor(((before + CANARY.length) * 4) / 3));
});

/** Words of the secrets, and forms in which they might be told, in lower case. */
const TRACES = [
  ...[CANARY, Buffer.from(CANARY).toString("hex"), ...ENCODED.map((text) => text.toLowerCase())],
  // The end of a secret alone, as a text that was cut would have it.
  ...Object.values(CANARIES).map((secret) => secret.slice(-5).toLowerCase()),
];

/** What of any secret is found in the text. */
export function tracesIn(text: string | Buffer): string[] {
  const lower = text.toString("latin1").toLowerCase();
  return TRACES.filter((trace) => lower.includes(trace));
}

/** Where in a value the word stands, in a key or in a text: paths without positions in lists, each once, sorted. */
export function placesOf(value: unknown): string[] {
  const places = new Set<string>();
  walk(value, "", places);
  return [...places].sort();
}

function walk(value: unknown, path: string, places: Set<string>): void {
  if (typeof value === "string" && value.toLowerCase().includes(CANARY)) places.add(path);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  if (Array.isArray(value)) for (const one of value) walk(one, path, places);
  else {
    for (const [key, one] of Object.entries(value)) {
      if (key.toLowerCase().includes(CANARY)) places.add(`${path}.*`);
      walk(one, path === "" ? key : `${path}.${key}`, places);
    }
  }
}
