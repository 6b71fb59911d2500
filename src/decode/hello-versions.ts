// SPDX-License-Identifier: AGPL-3.0-or-later

/** Label values of `version` by number in the hello, TLS and DTLS alike; "other" is drafts and what no RFC names. */
const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0002, "ssl2"],
  [0x0300, "ssl3"],
  [0x0301, "1.0"],
  [0x0302, "1.1"],
  [0x0303, "1.2"],
  [0x0304, "1.3"],
  [0xfeff, "1.0"],
  [0xfefd, "1.2"],
  [0xfefc, "1.3"],
]);

export const VERSION_LABELS: readonly string[] = [...new Set([...VERSIONS.values(), "other"])];

export function versionLabel(version: number): string {
  return VERSIONS.get(version) ?? "other";
}
