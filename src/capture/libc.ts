// SPDX-License-Identifier: AGPL-3.0-or-later
import { getSystemErrorMap } from "node:util";
import koffi from "koffi";

/**
 * The C library's functions that capturing needs. Arrays are passed as the memory they are: the callee reads and
 * writes them in place. Each returns -1 (`mmap`: `MAP_FAILED`) on failure, and `lastError` tells why.
 */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(socket: number, address: Uint8Array, bytes: number): number;
  getsockname(socket: number, address: Uint8Array, bytes: Uint32Array): number;
  setsockopt(socket: number, level: number, name: number, value: Uint8Array, bytes: number): number;
  getsockopt(
    socket: number,
    level: number,
    name: number,
    value: Uint8Array,
    bytes: Uint32Array,
  ): number;
  /** Sets an option whose value is a BPF program. */
  setProgram(socket: number, level: number, name: number, program: Uint8Array): number;
  ioctl(socket: number, request: number, argument: Uint8Array): number;
  mmap(
    address: bigint | null,
    bytes: number,
    protection: number,
    flags: number,
    file: number,
    offset: number,
  ): bigint;
  close(file: number): number;
  prctl(option: number, a: number, b: number, c: number, d: number): number;
  capset(header: Uint32Array, data: Uint32Array): number;
}

/** What `mmap` returns on failure. */
export const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

const INSTRUCTION_BYTES = 8;

/** Binds the functions. They come from the running program, so the C library's file name does not matter. */
export function loadLibc(): Libc {
  const program = koffi.load(null);
  // struct sock_fprog, filter.h
  const socketProgram = koffi.struct({ len: "uint16_t", filter: "void *" });
  const setProgram = program.func("setsockopt", "int", [
    "int",
    "int",
    "int",
    koffi.pointer(socketProgram),
    "uint32_t",
  ]);
  return {
    socket: program.func("int socket(int, int, int)"),
    bind: program.func("int bind(int, void *, uint32_t)"),
    getsockname: program.func("int getsockname(int, void *, void *)"),
    setsockopt: program.func("int setsockopt(int, int, int, void *, uint32_t)"),
    getsockopt: program.func("int getsockopt(int, int, int, void *, void *)"),
    setProgram: (socket, level, name, instructions) =>
      setProgram(
        socket,
        level,
        name,
        { len: instructions.length / INSTRUCTION_BYTES, filter: instructions },
        koffi.sizeof(socketProgram),
      ),
    ioctl: program.func("int ioctl(int, unsigned long, void *)"),
    mmap: program.func("void *mmap(void *, size_t, int, int, int, int64_t)"),
    close: program.func("int close(int)"),
    prctl: program.func(
      "int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)",
    ),
    capset: program.func("int capset(void *, void *)"),
  };
}

/** The memory at `address` as an array buffer; it stays valid only as long as the mapping does. */
export function memoryAt(address: bigint, bytes: number): ArrayBuffer {
  return koffi.view(address, bytes);
}

/** Why the last call failed: the symbolic name and the system's text. */
export function lastError(): { name: string; text: string } {
  const [name, text] = getSystemErrorMap().get(-koffi.errno()) ?? ["", `error ${koffi.errno()}`];
  return { name, text };
}
