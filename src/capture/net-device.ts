// SPDX-License-Identifier: AGPL-3.0-or-later
import { readdirSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { Libc } from "./libc.ts";

// netdevice(7)
const SIOCGIFNAME = 0x8910;
const SIOCGIFFLAGS = 0x8913;
const SIOCGIFHWADDR = 0x8927;
const SIOCGIFINDEX = 0x8933;
const IFREQ_BYTES = 40;
const IFREQ_NAME_BYTES = 16;
const IFREQ_VALUE = 16;
const IFF_UP = 1;

/** A network interface as it is now. */
export interface Device {
  readonly index: number;
  readonly up: boolean;
  /** ARPHRD_ value. */
  readonly hardwareType: number;
}

/** The interface of that name in the socket's network namespace, or null where there is none. */
export function findDevice(libc: Libc, socket: number, name: string): Device | null {
  const request = new DataView(new ArrayBuffer(IFREQ_BYTES));
  const bytes = new Uint8Array(request.buffer);
  const room = bytes.subarray(0, IFREQ_NAME_BYTES - 1);
  if (new TextEncoder().encodeInto(name, room).read < name.length) return null;
  if (libc.ioctl(socket, SIOCGIFINDEX, bytes) !== 0) return null;
  const index = request.getInt32(IFREQ_VALUE, true);
  if (libc.ioctl(socket, SIOCGIFFLAGS, bytes) !== 0) return null;
  const up = (request.getUint16(IFREQ_VALUE, true) & IFF_UP) !== 0;
  if (libc.ioctl(socket, SIOCGIFHWADDR, bytes) !== 0) return null;
  return { index, up, hardwareType: request.getUint16(IFREQ_VALUE, true) };
}

/** Name of the interface that has this index now, or null where there is none. */
export function nameOfDevice(libc: Libc, socket: number, index: number): string | null {
  const bytes = new Uint8Array(IFREQ_BYTES);
  new DataView(bytes.buffer).setInt32(IFREQ_VALUE, index, true);
  if (libc.ioctl(socket, SIOCGIFNAME, bytes) !== 0) return null;
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

/** Where Linux lists its interfaces. */
export const DEVICE_FOLDER = "/sys/class/net";

/** Names of the interfaces of this machine, sorted; where the system lists them only with an address, those. */
export function deviceNames(): readonly string[] {
  try {
    // Drivers put files of their own beside the devices, which are links.
    const entries = readdirSync(DEVICE_FOLDER, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isSymbolicLink() ? [entry.name] : [])).sort();
  } catch {
    return Object.keys(networkInterfaces()).sort();
  }
}
