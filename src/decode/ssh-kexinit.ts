// SPDX-License-Identifier: AGPL-3.0-or-later
import { hash } from "node:crypto";

/** Binary packet (RFC 4253 §6): length, length of the padding; then KEXINIT (§7.1): type, cookie, ten name lists. */
const PADDING_LENGTH_AT = 4;
const TYPE_AT = 5;
const LISTS_AT = 22;
const LIST_LENGTH_BYTES = 4;
const KEXINIT = 20;
/** Positions of the lists in the message. */
const List = { KEX: 0, ENCRYPTION: 2, MAC: 4, COMPRESSION: 6 } as const;
const LISTS_READ = 8;

/** What `kexinitEnd` returns where the bytes are no KEXINIT, or are not there yet. */
export const KexinitFault = { OTHER: -1, SHORT: -2 } as const;

/** Where the KEXINIT packet at `at` ends as its length says; a KexinitFault where that cannot be told. */
export function kexinitEnd(view: DataView, at: number, end: number): number {
  if (end - at <= TYPE_AT) return KexinitFault.SHORT;
  const length = view.getUint32(at);
  const padding = view.getUint8(at + PADDING_LENGTH_AT);
  if (view.getUint8(at + TYPE_AT) !== KEXINIT || padding + LISTS_AT > length) {
    return KexinitFault.OTHER;
  }
  return at + LIST_LENGTH_BYTES + length;
}

/**
 * HASSH of a client's KEXINIT, hasshServer of a server's (https://github.com/salesforce/hassh): MD5 over the key
 * exchange, encryption, MAC and compression lists, the latter three of the side's own direction. Reads the packet
 * `[at, end)`, which lies whole in `view`; null where a list goes past it.
 */
export function hassh(view: DataView, at: number, end: number, isServer: boolean): string | null {
  const lists: string[] = [];
  let listAt = at + LISTS_AT;
  for (let count = 0; count < LISTS_READ; count++) {
    if (listAt + LIST_LENGTH_BYTES > end) return null;
    const namesAt = listAt + LIST_LENGTH_BYTES;
    listAt = namesAt + view.getUint32(listAt);
    if (listAt > end) return null;
    lists.push(
      Buffer.from(view.buffer, view.byteOffset + namesAt, listAt - namesAt).toString("latin1"),
    );
  }
  const direction = isServer ? 1 : 0;
  const parts = [
    lists[List.KEX],
    lists[List.ENCRYPTION + direction],
    lists[List.MAC + direction],
    lists[List.COMPRESSION + direction],
  ];
  return hash("md5", parts.join(";"));
}
