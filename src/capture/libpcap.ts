// SPDX-License-Identifier: AGPL-3.0-or-later
import koffi, { type LibraryHandle } from "koffi";
import { NamError } from "../util/errors.ts";
import { rebaseCooked } from "./bpf.ts";
import { LinkType } from "./source.ts";

/** What a filter is compiled for. */
export interface FilterTarget {
  /** Name of the one Ethernet interface, or null where frames of any link type may come. */
  readonly ethernetInterface: string | null;
  /** Bytes of an accepted frame to keep. */
  readonly snaplen: number;
}

interface Libpcap {
  openDead(linkType: number, snaplen: number): bigint;
  create(interfaceName: string, error: Uint8Array): bigint | null;
  setSnaplen(handle: bigint, snaplen: number): number;
  activate(handle: bigint): number;
  compile(
    handle: bigint,
    program: Uint8Array,
    expression: string,
    optimize: number,
    netmask: number,
  ): number;
  error(handle: bigint): string;
  freeCode(program: Uint8Array): void;
  close(handle: bigint): void;
}

// The file name says the version of the interface, which has not changed since; Debian keeps the oldest name.
const LIBRARY_NAMES = ["libpcap.so.1", "libpcap.so.0.8", "libpcap.so"];

const NETMASK_UNKNOWN = 0xffff_ffff;
const ERROR_TEXT_BYTES = 256;
const INSTRUCTION_BYTES = 8;

// Code for these reads what only the kernel knows of a frame; libpcap makes such code for an interface that it has
// opened itself, but not for one that it is only told about.
const NEEDS_OPEN_INTERFACE = /\b(vlan|inbound|outbound|ifindex)\b/;

/**
 * Compiles a filter in tcpdump's syntax (pcap-filter(7)) into a BPF program for SO_ATTACH_FILTER.
 * Throws CAPTURE_FILTER with libpcap's own words where the expression is wrong or libpcap is missing.
 */
export function compileFilter(expression: string, target: FilterTarget): Uint8Array {
  const libpcap = loadLibpcap();
  const handle = openHandle(libpcap, expression, target);
  // struct bpf_program: a count and a pointer.
  const layout = koffi.struct({ count: "uint32_t", instructions: "void *" });
  const compiled = new Uint8Array(koffi.sizeof(layout));
  try {
    if (libpcap.compile(handle, compiled, expression, 1, NETMASK_UNKNOWN) !== 0) {
      throw filterError(expression, libpcap.error(handle));
    }
    const { count, instructions } = koffi.decode(compiled, layout);
    const program = new Uint8Array(koffi.view(instructions, count * INSTRUCTION_BYTES)).slice();
    libpcap.freeCode(compiled);
    if (target.ethernetInterface === null && !rebaseCooked(program)) {
      throw filterError(
        expression,
        "it looks at link-layer fields, which needs one Ethernet interface",
      );
    }
    return program;
  } finally {
    libpcap.close(handle);
  }
}

function openHandle(libpcap: Libpcap, expression: string, target: FilterTarget): bigint {
  const { ethernetInterface, snaplen } = target;
  if (ethernetInterface === null) return libpcap.openDead(LinkType.LINUX_SLL, snaplen);
  if (!NEEDS_OPEN_INTERFACE.test(expression)) return libpcap.openDead(LinkType.ETHERNET, snaplen);
  const errorText = new Uint8Array(ERROR_TEXT_BYTES);
  const handle = libpcap.create(ethernetInterface, errorText);
  if (handle === null) throw filterError(expression, textOf(errorText));
  libpcap.setSnaplen(handle, snaplen);
  if (libpcap.activate(handle) < 0) {
    const reason = libpcap.error(handle);
    libpcap.close(handle);
    throw filterError(expression, reason);
  }
  return handle;
}

function filterError(expression: string, reason: string): NamError {
  return new NamError(
    "CAPTURE_FILTER",
    `cannot use the capture filter "${expression}": ${reason} (syntax: pcap-filter(7))`,
  );
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
}

function loadLibpcap(): Libpcap {
  for (const name of LIBRARY_NAMES) {
    const library = tryLoad(name);
    if (library === null) continue;
    return {
      openDead: library.func("void *pcap_open_dead(int, int)"),
      create: library.func("void *pcap_create(const char *, void *)"),
      setSnaplen: library.func("int pcap_set_snaplen(void *, int)"),
      activate: library.func("int pcap_activate(void *)"),
      compile: library.func("int pcap_compile(void *, void *, const char *, int, uint32_t)"),
      error: library.func("const char *pcap_geterr(void *)"),
      freeCode: library.func("void pcap_freecode(void *)"),
      close: library.func("void pcap_close(void *)"),
    };
  }
  throw new NamError(
    "CAPTURE_FILTER",
    "a capture filter needs libpcap, which is not installed (Debian: apt-get install libpcap0.8); " +
      "install it or leave the filter out",
  );
}

function tryLoad(name: string): LibraryHandle | null {
  try {
    return koffi.load(name);
  } catch {
    return null;
  }
}
