// SPDX-License-Identifier: AGPL-3.0-or-later
// Classic BPF: https://www.kernel.org/doc/Documentation/networking/filter.rst . A program is an array of struct
// sock_filter: code (16 bits), jump if true (8), jump if false (8), k (32), in the machine's (little) byte order.

const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const TO_X = 0x07;
const XOR_X = 0xac;
const MULTIPLY = 0x24;
const SHIFT_RIGHT = 0x74;
const JUMP_EQUAL = 0x15;
const RETURN = 0x06;
const RETURN_A = 0x16;

// Offsets at which the kernel gives what the frame's bytes do not: filter.h, SKF_*.
const ANCILLARY = 0xfffff000;
const ANCILLARY_PROTOCOL = ANCILLARY;
const ANCILLARY_PACKET_TYPE = ANCILLARY + 4;
const NETWORK_HEADER = 0xfff00000;

const INSTRUCTION_BYTES = 8;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, k: number];

function assemble(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, [code, ifTrue, ifFalse, k]] of instructions.entries()) {
    const at = index * INSTRUCTION_BYTES;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, ifTrue);
    view.setUint8(at + 3, ifFalse);
    view.setUint32(at + 4, k, true);
  }
  return bytes;
}

/** Takes every frame and cuts it to `snaplen` bytes; 0 takes none. */
export function snaplenProgram(snaplen: number): Uint8Array {
  return assemble([[RETURN, 0, 0, snaplen]]);
}

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const IPV4_ADDRESSES_AT = 12;
const IPV6_ADDRESSES_AT = 8;
const IPV6_ADDRESS_WORDS = 8;
const GOLDEN_RATIO = 0x9e3779b1;

/**
 * Hash for PACKET_FANOUT_CBPF: both directions of an address pair, whatever their ports, and all fragments give the
 * same value, so they meet on the same socket. What is not IP (ARP above all) gives 0.
 */
export function addressPairProgram(): Uint8Array {
  const v4 = addressHash(IPV4_ADDRESSES_AT, 2);
  const v6 = addressHash(IPV6_ADDRESSES_AT, IPV6_ADDRESS_WORDS);
  return assemble([
    [LOAD_HALF, 0, 0, ANCILLARY_PROTOCOL],
    [JUMP_EQUAL, 2, 0, ETHERTYPE_IPV4],
    [JUMP_EQUAL, 1 + v4.length, 0, ETHERTYPE_IPV6],
    [RETURN, 0, 0, 0],
    ...v4,
    ...v6,
  ]);
}

function addressHash(at: number, words: number): Instruction[] {
  const folded: Instruction[] = [[LOAD_WORD, 0, 0, NETWORK_HEADER + at]];
  for (let word = 1; word < words; word++) {
    folded.push(
      [TO_X, 0, 0, 0],
      [LOAD_WORD, 0, 0, NETWORK_HEADER + at + 4 * word],
      [XOR_X, 0, 0, 0],
    );
  }
  return [...folded, [MULTIPLY, 0, 0, GOLDEN_RATIO], [SHIFT_RIGHT, 0, 0, 16], [RETURN_A, 0, 0, 0]];
}

// Instruction classes and modes that read the packet.
const CLASS_MASK = 0x07;
const CLASS_LOAD = 0x00;
const CLASS_LOAD_X = 0x01;
const MODE_MASK = 0xe0;
const MODE_ABSOLUTE = 0x20;
const MODE_INDIRECT = 0x40;
const MODE_HEADER_LENGTH = 0xa0;

// LINKTYPE_LINUX_SLL: packet type at 0, protocol at 14, network header at 16.
const COOKED_PROTOCOL_AT = 14;
const COOKED_HEADER_BYTES = 16;

/**
 * Turns a program compiled for the Linux cooked header into one that the kernel can run on frames of any link type:
 * offsets count from the network header, and the two header fields that the kernel knows come from it. Works in
 * place; false where the program reads some other field of the link layer.
 */
export function rebaseCooked(program: Uint8Array): boolean {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  for (let at = 0; at < program.length; at += INSTRUCTION_BYTES) {
    if (!readsPacket(view.getUint16(at, true))) continue;
    const offset = view.getUint32(at + 4, true);
    if (offset >= ANCILLARY) continue;
    if (offset >= COOKED_HEADER_BYTES) {
      view.setUint32(at + 4, NETWORK_HEADER + offset - COOKED_HEADER_BYTES, true);
    } else if (offset === 0) view.setUint32(at + 4, ANCILLARY_PACKET_TYPE, true);
    else if (offset === COOKED_PROTOCOL_AT) view.setUint32(at + 4, ANCILLARY_PROTOCOL, true);
    else return false;
  }
  return true;
}

function readsPacket(code: number): boolean {
  const mode = code & MODE_MASK;
  if ((code & CLASS_MASK) === CLASS_LOAD) return mode === MODE_ABSOLUTE || mode === MODE_INDIRECT;
  return (code & CLASS_MASK) === CLASS_LOAD_X && mode === MODE_HEADER_LENGTH;
}
