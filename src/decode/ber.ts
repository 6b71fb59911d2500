// SPDX-License-Identifier: AGPL-3.0-or-later
// Definite lengths of ASN.1 BER and DER (X.690 §8.1.3), read in place.

const LONG_FORM = 0x80;
const SHORTEST = 2;
const LENGTH_BYTES_MAX = 4;

/** Where the content of the element at `at` starts, -1 where its length is indefinite or its header goes past `end`. */
export function contentAt(view: DataView, at: number, end: number): number {
  if (end - at < SHORTEST) return -1;
  const first = view.getUint8(at + 1);
  if (first < LONG_FORM) return at + 2;
  const bytes = first & ~LONG_FORM;
  const content = at + 2 + bytes;
  return bytes === 0 || bytes > LENGTH_BYTES_MAX || content > end ? -1 : content;
}

/** How long that content says it is. Only for an element of which `contentAt` knows the content. */
export function contentLength(view: DataView, at: number): number {
  const first = view.getUint8(at + 1);
  if (first < LONG_FORM) return first;
  let length = 0;
  for (let i = at + 2; i < at + 2 + (first & ~LONG_FORM); i++)
    length = length * 256 + view.getUint8(i);
  return length;
}

/** Where the element behind the one at `at` starts, -1 where it does not end before `end`. */
export function nextAt(view: DataView, at: number, end: number): number {
  const content = contentAt(view, at, end);
  if (content < 0) return -1;
  const next = content + contentLength(view, at);
  return next < end ? next : -1;
}
