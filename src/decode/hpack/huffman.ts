// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32, u8 } from "../../util/typed.ts";

/**
 * RFC 7541 Appendix B: the bytes that have a code of so many bits. Codes of one length follow one another in the order of
 * the bytes, and longer ones follow shorter ones, so that nothing more has to be written down.
 */
const BYTES_BY_LENGTH: readonly (readonly [bits: number, bytes: string])[] = [
  [5, "012aceiost"],
  [6, " %-./3456789=A_bdfghlmnpru"],
  [7, ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"],
  [8, "&*,;XZ"],
  [10, '!"()?'],
  [11, "'+|"],
  [12, "#>"],
  [13, "\x00$@[]~"],
  [14, "^}"],
  [15, "<`{"],
  [19, "\\\xc3\xd0"],
  [20, "\x80\x82\x83\xa2\xb8\xc2\xe0\xe2"],
  [21, "\x99\xa1\xa7\xac\xb0\xb1\xb3\xd1\xd8\xd9\xe3\xe5\xe6"],
  [
    22,
    "\x81\x84\x85\x86\x88\x92\x9a\x9c\xa0\xa3\xa4\xa9\xaa\xad\xb2\xb5\xb9\xba\xbb\xbd\xbe\xc4\xc6\xe4\xe8\xe9",
  ],
  [
    23,
    "\x01\x87\x89\x8a\x8b\x8c\x8d\x8f\x93\x95\x96\x97\x98\x9b\x9d\x9e\xa5\xa6\xa8\xae\xaf\xb4\xb6\xb7\xbc\xbf\xc5\xe7\xef",
  ],
  [24, "\x09\x8e\x90\x91\x94\x9f\xab\xce\xd7\xe1\xec\xed"],
  [25, "\xc7\xcf\xea\xeb"],
  [26, "\xc0\xc1\xc8\xc9\xca\xcd\xd2\xd5\xda\xdb\xee\xf0\xf2\xf3\xff"],
  [27, "\xcb\xcc\xd3\xd4\xd6\xdd\xde\xdf\xf1\xf4\xf5\xf6\xf7\xf8\xfa\xfb\xfc\xfd\xfe"],
  [
    28,
    "\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f\xdc\xf9",
  ],
  [30, "\x0a\x0d\x16"],
];
/** Places in a code that is not complete: as many as there are bytes. */
const STATES = 256;
const NIBBLES = 16;
/** Padding is the beginning of the code of EOS, which is all ones, and shorter than a byte (§5.2). */
const LONGEST_PADDING = 7;

/** What a step is made of: the state after it, and where a code ended, HAS_BYTE and the byte. */
const STATE_MASK = 0xff;
const BYTE_SHIFT = 8;
const HAS_BYTE = 0x10000;
/** The code of EOS, which no text may hold. */
const FAILED = 0x20000;

/** What `Huffman.step` returns: `STATE_MASK` is the next state, `BYTE_SHIFT` where the byte is if `HAS_BYTE`. */
export const Step = { STATE_MASK, BYTE_SHIFT, HAS_BYTE, FAILED } as const;

/** The code of HPACK's texts (RFC 7541 §5.2), read four bits at a time: no code is shorter than five. */
export class Huffman {
  readonly #steps = new Int32Array(STATES * NIBBLES);
  readonly #endsWell = new Uint8Array(STATES);

  constructor() {
    const tree = buildTree();
    for (let state = 0; state < STATES; state++) {
      for (let nibble = 0; nibble < NIBBLES; nibble++) {
        this.#steps[state * NIBBLES + nibble] = stepFrom(tree, state, nibble);
      }
    }
    for (let state = 0, bits = 0; bits <= LONGEST_PADDING; bits++) {
      this.#endsWell[state] = 1;
      state = i32(tree, 2 * state + 1);
    }
  }

  /** Goes on from `state`, 0 at the beginning of a text, by four bits. Never FAILED and HAS_BYTE together. */
  step(state: number, nibble: number): number {
    return i32(this.#steps, state * NIBBLES + nibble);
  }

  /** True where a text may end in this state. */
  endsWell(state: number): boolean {
    return u8(this.#endsWell, state) === 1;
  }
}

/** For each state and bit the next state, -1 - byte where a code ends, -1 - STATES for EOS. */
function buildTree(): Int32Array {
  const tree = new Int32Array(2 * STATES);
  let states = 1;
  let code = 0;
  let length = 0;
  const put = (bits: number, leaf: number): void => {
    code *= 2 ** (bits - length);
    length = bits;
    let state = 0;
    for (let at = bits - 1; at > 0; at--) {
      const branch = 2 * state + ((code >>> at) & 1);
      if (tree[branch] === 0) tree[branch] = states++;
      state = i32(tree, branch);
    }
    tree[2 * state + (code & 1)] = leaf;
    code++;
  };
  for (const [bits, bytes] of BYTES_BY_LENGTH) {
    for (const byte of bytes) put(bits, -1 - byte.charCodeAt(0));
  }
  put(length, -1 - STATES);
  return tree;
}

function stepFrom(tree: Int32Array, from: number, nibble: number): number {
  let state = from;
  let found = 0;
  for (let bit = 3; bit >= 0; bit--) {
    state = i32(tree, 2 * state + ((nibble >>> bit) & 1));
    if (state === -1 - STATES) return FAILED;
    if (state >= 0) continue;
    found = HAS_BYTE | ((-1 - state) << BYTE_SHIFT);
    state = 0;
  }
  return found | state;
}
