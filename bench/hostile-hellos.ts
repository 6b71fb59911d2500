// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Random } from "../scripts/fixtures/bytes.ts";
import {
  type Bytes,
  bytes,
  clientHello,
  hex,
  serverName,
  vector16,
} from "../test/decode/frames.ts";

const BROWSER_BYTES = 517;
export const BROWSER_CIPHERS = [
  ...[0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9],
  ...[0xcca8, 0xc013, 0xc014, 0x9c, 0x9d, 0x2f, 0x35],
];
const BROWSER_EXTENSIONS: readonly (readonly [number, Bytes])[] = [
  [0, serverName("www.example.com")],
  [5, hex("01 0000 0000")],
  [10, vector16(0x6a6a, 29, 23, 24)],
  [11, hex("0100")],
  [13, vector16(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601)],
  [16, hex("000c 02 6832 08 687474702f312e31")],
  [18, hex("")],
  [23, hex("")],
  [27, hex("02 0002")],
  [35, hex("")],
  [43, hex("06 5a5a 0304 0303")],
  [45, hex("0101")],
  [51, bytes(hex("0026 0024 001d 0020"), new Uint8Array(32))],
  [0x4469, hex("0003 02 6832")],
  [0xff01, hex("00")],
  [0xfe0d, new Uint8Array(180)],
];

/** A hello of a browser, which shuffles its extensions; with these ciphers. */
export function browserHello(random: Random, ciphers: readonly number[]): Bytes {
  const left = [...BROWSER_EXTENSIONS];
  const extensions: (readonly [number, Bytes])[] = [];
  while (left.length > 0) extensions.push(...left.splice(random(left.length), 1));
  const bare = clientHello({ ciphers, extensions });
  const padding: [number, Bytes] = [21, new Uint8Array(BROWSER_BYTES - 4 - bare.length)];
  return clientHello({ ciphers, extensions: [...extensions, padding] });
}

/** A hello of so many bytes, of which `extensions` are empty extensions and the rest ciphers. */
export function longHello(random: Random, length: number, extensions: number): Bytes {
  const inside = length - 64;
  const many = Math.min(inside, extensions) >> 2;
  return clientHello({
    ciphers: numbers(random, (inside - many * 4) >> 1),
    extensions: numbers(random, many).map((type) => [type & 0xfeff, hex("")] as const),
  });
}

/** Four lists of so many numbers each. */
export function listsHello(random: Random, each: number): Bytes {
  const others = numbers(random, each - 2).map((type) => [type | 0x8000, hex("")] as const);
  return clientHello({
    ciphers: numbers(random, each),
    extensions: [
      [10, vector16(...numbers(random, each))],
      [13, vector16(...numbers(random, each))],
      ...others,
    ],
  });
}

/** So many numbers that are no known cipher, extension or group. */
export function numbers(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => 0xc000 + random(0x3fff));
}
