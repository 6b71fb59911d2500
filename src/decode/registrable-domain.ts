// SPDX-License-Identifier: AGPL-3.0-or-later
import { registrableName } from "../util/registrable-name.ts";
import { u8 } from "../util/typed.ts";
import type { DnsName } from "./dns-name.ts";

/** Names end in few public suffixes, but the parents of their first labels are many: a cache in which the newer wins. */
const PLACES = 1024;
const PARENT_BYTES = 64;
const MAX_LABELS = 128;
/** No rule of the public suffix list has more labels than this, a registrable domain one more. */
const LABELS_ASKED = 8;
/** No label of the list is longer. */
const LONGEST_IN_LIST = 40;
const SPREAD = 0x01000193;
const HYPHEN = 0x2d;
const DOT = 0x2e;
const LETTER_Z = 0x7a;

/**
 * Finds the part of a name that somebody registered: `b.co.uk` of `www.a.b.co.uk`, by the public suffix list. The
 * list is asked once for each new parent name, so that a flood of random labels below one domain asks it once.
 */
export class RegistrableDomains {
  /** Of each place: a parent name as in DnsName, its length (0: none), and where in it the domain begins. */
  readonly #parents = new Uint8Array(PLACES * PARENT_BYTES);
  readonly #lengths = new Uint8Array(PLACES);
  readonly #starts = new Uint8Array(PLACES);
  readonly #labels = new Uint8Array(MAX_LABELS);
  readonly #text = Buffer.alloc(256);

  /**
   * Offset in `name.bytes` where its registrable domain begins; 0, the whole name, where it has none: a single label,
   * or a public suffix itself.
   */
  startOf(name: DnsName): number {
    if (name.domainAt < 0) name.domainAt = this.#find(name);
    return name.domainAt;
  }

  #find(name: DnsName): number {
    if (name.length <= 1) return 0;
    const parentAt = u8(name.bytes, 0) + 1;
    const parentLength = name.length - parentAt;
    const isCached = parentLength > 1 && parentLength <= PARENT_BYTES;
    const place = isCached ? placeOf(name, parentAt) : 0;
    if (isCached && this.#holds(place, name, parentAt)) return parentAt + u8(this.#starts, place);
    const start = this.#ask(name);
    // Where the first label is part of the domain the next name has another domain.
    if (isCached && start >= parentAt) this.#put(place, name, parentAt, start - parentAt);
    return start;
  }

  #holds(place: number, name: DnsName, parentAt: number): boolean {
    const length = name.length - parentAt;
    if (u8(this.#lengths, place) !== length) return false;
    const at = place * PARENT_BYTES;
    for (let i = 0; i < length; i++) {
      if (u8(this.#parents, at + i) !== u8(name.bytes, parentAt + i)) return false;
    }
    return true;
  }

  #put(place: number, name: DnsName, parentAt: number, start: number): void {
    const at = place * PARENT_BYTES;
    for (let i = parentAt; i < name.length; i++)
      this.#parents[at + i - parentAt] = u8(name.bytes, i);
    this.#lengths[place] = name.length - parentAt;
    this.#starts[place] = start;
  }

  #ask(name: DnsName): number {
    let count = 0;
    for (let at = 0; at < name.length - 1; at += u8(name.bytes, at) + 1) this.#labels[count++] = at;
    const first = Math.max(0, count - LABELS_ASKED);
    const domain = registrableName(this.#plain(name, u8(this.#labels, first)));
    if (domain === null) return 0;
    let dots = 0;
    for (let i = 0; i < domain.length; i++) if (domain.charCodeAt(i) === DOT) dots++;
    return u8(this.#labels, Math.max(first, count - dots - 1));
  }

  /** Labels from `from` on as text in which every dot is one between labels. */
  #plain(name: DnsName, from: number): string {
    const text = this.#text;
    let length = 0;
    for (let at = from; at < name.length - 1; at += u8(name.bytes, at) + 1) {
      if (at > from) text[length++] = DOT;
      // The data of a tunnel: only that there is a label matters.
      if (u8(name.bytes, at) > LONGEST_IN_LIST) {
        text[length++] = HYPHEN;
        continue;
      }
      for (let i = 1; i <= u8(name.bytes, at); i++) {
        const byte = u8(name.bytes, at + i);
        text[length++] = byte > DOT && byte <= LETTER_Z ? byte : HYPHEN;
      }
    }
    return text.toString("latin1", 0, length);
  }
}

function placeOf(name: DnsName, from: number): number {
  let hash = 0;
  for (let i = from; i < name.length; i++) hash = Math.imul(hash ^ u8(name.bytes, i), SPREAD);
  return (hash ^ (hash >>> 15)) & (PLACES - 1);
}
