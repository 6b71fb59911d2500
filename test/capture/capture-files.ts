// SPDX-License-Identifier: AGPL-3.0-or-later
// Writes capture files byte by byte from the format drafts, independently of the readers under test.

export interface FilePacket {
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly bytes: Uint8Array;
  /** Original length; default: that of `bytes`. */
  readonly wireLength?: number;
}

export interface PcapOptions {
  readonly little: boolean;
  readonly magic: number;
  readonly minor: number;
  readonly linkType: number;
  readonly snaplen: number;
  /** `sll_pkttype` of each packet, in the modified format. */
  readonly packetType: number;
}

export const PcapMagic = {
  MICROSECONDS: 0xa1b2c3d4,
  NANOSECONDS: 0xa1b23c4d,
  MODIFIED: 0xa1b2cd34,
} as const;

const DEFAULT_PCAP: PcapOptions = {
  little: true,
  magic: PcapMagic.MICROSECONDS,
  minor: 4,
  linkType: 1,
  snaplen: 65_535,
  packetType: 0,
};

/** Bytes in one order. */
class Writer {
  readonly #parts: Uint8Array[] = [];
  readonly #little: boolean;

  constructor(little: boolean) {
    this.#little = little;
  }

  u8(value: number): this {
    return this.raw(Uint8Array.of(value));
  }

  u16(value: number): this {
    const bytes = [value >>> 8, value];
    return this.raw(Uint8Array.from(this.#little ? bytes.reverse() : bytes));
  }

  u32(value: number): this {
    const bytes = [value >>> 24, value >>> 16, value >>> 8, value];
    return this.raw(Uint8Array.from(this.#little ? bytes.reverse() : bytes));
  }

  u64(value: bigint): this {
    const low = Number(value & 0xffff_ffffn);
    const high = Number((value >> 32n) & 0xffff_ffffn);
    return this.#little ? this.u32(low).u32(high) : this.u32(high).u32(low);
  }

  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }

  padded(bytes: Uint8Array): this {
    return this.raw(bytes).raw(new Uint8Array((4 - (bytes.length % 4)) % 4));
  }

  done(): Uint8Array {
    return joined(this.#parts);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

export function pcap(
  packets: readonly FilePacket[],
  options: Partial<PcapOptions> = {},
): Uint8Array {
  const { little, magic, minor, linkType, snaplen, packetType } = { ...DEFAULT_PCAP, ...options };
  const writer = new Writer(little);
  writer.u32(magic).u16(2).u16(minor).u32(0).u32(0).u32(snaplen).u32(linkType);
  for (const { seconds, nanoseconds, bytes, wireLength = bytes.length } of packets) {
    writer.u32(seconds);
    writer.u32(magic === PcapMagic.NANOSECONDS ? nanoseconds : Math.floor(nanoseconds / 1000));
    if (minor < 3) writer.u32(wireLength).u32(bytes.length);
    else writer.u32(bytes.length).u32(wireLength);
    if (magic === PcapMagic.MODIFIED) writer.u32(2).u16(0x0800).u8(packetType).u8(0);
    writer.raw(bytes);
  }
  return writer.done();
}

type Option = readonly [code: number, value: Uint8Array];

/** Builds a pcapng file block by block. */
export class Pcapng {
  readonly #blocks: Uint8Array[] = [];
  #little = true;

  section(
    little: boolean,
    more: { readonly major?: number; readonly options?: Option[] } = {},
  ): this {
    this.#little = little;
    const body = this.#writer()
      .u32(0x1a2b3c4d)
      .u16(more.major ?? 1)
      .u16(0);
    return this.block(
      0x0a0d0d0a,
      body.u64(0xffff_ffff_ffff_ffffn).raw(this.#options(more.options)).done(),
    );
  }

  interface(
    linkType: number,
    more: {
      readonly snaplen?: number;
      readonly resolution?: number;
      readonly offsetSeconds?: bigint;
    } = {},
  ): this {
    const options: Option[] = [[2, new TextEncoder().encode("eth0")]];
    if (more.resolution !== undefined) options.push([9, Uint8Array.of(more.resolution)]);
    if (more.offsetSeconds !== undefined) {
      options.push([14, this.#writer().u64(more.offsetSeconds).done()]);
    }
    const body = this.#writer()
      .u16(linkType)
      .u16(0)
      .u32(more.snaplen ?? 0);
    return this.block(1, body.raw(this.#options(options)).done());
  }

  enhanced(
    interfaceIndex: number,
    units: bigint,
    bytes: Uint8Array,
    more: { readonly wireLength?: number; readonly flags?: number; readonly claimed?: number } = {},
  ): this {
    const body = this.#writer().u32(interfaceIndex);
    return this.#packet(6, body, units, bytes, more);
  }

  obsolete(
    interfaceIndex: number,
    units: bigint,
    bytes: Uint8Array,
    more: { readonly wireLength?: number; readonly flags?: number } = {},
  ): this {
    const body = this.#writer().u16(interfaceIndex).u16(7);
    return this.#packet(2, body, units, bytes, more);
  }

  simple(bytes: Uint8Array, wireLength = bytes.length): this {
    return this.block(3, this.#writer().u32(wireLength).padded(bytes).done());
  }

  /** Any block, framed. */
  block(type: number, body: Uint8Array, lengths: { readonly last?: number } = {}): this {
    const length = body.length + 12;
    const writer = this.#writer().u32(type).u32(length).raw(body);
    this.#blocks.push(writer.u32(lengths.last ?? length).done());
    return this;
  }

  done(): Uint8Array {
    return joined(this.#blocks);
  }

  #packet(
    type: number,
    body: Writer,
    units: bigint,
    bytes: Uint8Array,
    more: { readonly wireLength?: number; readonly flags?: number; readonly claimed?: number },
  ): this {
    body.u32(Number(units >> 32n)).u32(Number(units & 0xffff_ffffn));
    body
      .u32(more.claimed ?? bytes.length)
      .u32(more.wireLength ?? bytes.length)
      .padded(bytes);
    const options: Option[] = [[1, new TextEncoder().encode("a comment")]];
    if (more.flags !== undefined) options.push([2, this.#writer().u32(more.flags).done()]);
    return this.block(type, body.raw(this.#options(options)).done());
  }

  #options(options: readonly Option[] = []): Uint8Array {
    const writer = this.#writer();
    for (const [code, value] of options) writer.u16(code).u16(value.length).padded(value);
    return options.length === 0 ? writer.done() : writer.u32(0).done();
  }

  #writer(): Writer {
    return new Writer(this.#little);
  }
}

/** Packets that differ in time, content and, unless told otherwise, length. */
export function packets(
  count: number,
  lengthOf = (index: number): number => 60 + index,
): FilePacket[] {
  return Array.from({ length: count }, (_, index) => ({
    seconds: 1_700_000_000 + index,
    nanoseconds: 123_456_000 + index,
    bytes: new Uint8Array(lengthOf(index)).fill(index),
  }));
}
