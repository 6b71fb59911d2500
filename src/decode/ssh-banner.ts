// SPDX-License-Identifier: AGPL-3.0-or-later
import { WireText } from "./wire-text.ts";

/** RFC 4253 §4.2: `SSH-protoversion-softwareversion SP comments CR LF`, at most 255 bytes with its end. */
export const MAX_BANNER_BYTES = 255;
const PREFIX_LENGTH = 4;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const HYPHEN = 0x2d;
const NO_SPECIAL = -1;

/** Families of software by how their banners begin, lower case; the first that fits counts. */
const FAMILIES: readonly (readonly [family: string, prefix: string])[] = [
  ["openssh", "openssh"],
  ["dropbear", "dropbear"],
  ["libssh2", "libssh2"],
  ["libssh", "libssh"],
  ["paramiko", "paramiko"],
  ["asyncssh", "asyncssh"],
  ["jsch", "jsch"],
  ["russh", "russh"],
  ["putty", "putty"],
  ["winscp", "winscp"],
  ["cisco", "cisco"],
  ["go", "go"],
];
export const SOFTWARE_LABELS: readonly string[] = [...FAMILIES.map(([family]) => family), "other"];

export function softwareFamily(software: string): string {
  return FAMILIES.find(([, prefix]) => software.startsWith(prefix))?.[0] ?? "other";
}

/** Where the line that begins at `at` ends, behind its line feed; -1 where that is not in `[at, end)`. */
export function lineEnd(view: DataView, at: number, end: number): number {
  const last = Math.min(end, at + MAX_BANNER_BYTES);
  for (let i = at; i < last; i++) if (view.getUint8(i) === LINE_FEED) return i + 1;
  return -1;
}

/** Reads identification lines. One object, reused. */
export class BannerReader {
  /** Protocol version and software, lower case and escaped. */
  version = "";
  software = "";
  readonly #text = new WireText(MAX_BANNER_BYTES);

  /** Reads the line `[at, end)` that begins with `SSH-`; comments are left out. */
  read(view: DataView, at: number, end: number): void {
    const versionAt = at + PREFIX_LENGTH;
    const versionEnd = endOfField(view, versionAt, end, HYPHEN);
    const softwareAt = Math.min(versionEnd + 1, end);
    const softwareEnd = endOfField(view, softwareAt, end, SPACE);
    this.version = this.#field(view, versionAt, versionEnd);
    this.software = this.#field(view, softwareAt, softwareEnd);
  }

  #field(view: DataView, at: number, end: number): string {
    this.#text.append(view, at, end - at, NO_SPECIAL);
    return this.#text.take();
  }
}

/** Where the field at `at` ends: at its delimiter or the end of the line. */
function endOfField(view: DataView, at: number, end: number, delimiter: number): number {
  let i = at;
  while (i < end) {
    const byte = view.getUint8(i);
    if (byte === delimiter || byte === CARRIAGE_RETURN || byte === LINE_FEED) break;
    i++;
  }
  return i;
}
