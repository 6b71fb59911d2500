// SPDX-License-Identifier: AGPL-3.0-or-later
// Sends raw frames out of one interface, in order and unchanged: send-child INTERFACE, then an `Outgoing` as
// its message. With "tun:NAME" it makes a tunnel device instead, whose other end it is, and gives packets to that.
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import koffi from "koffi";

export interface Outgoing {
  readonly frames: readonly Uint8Array[];
  /** Times the whole list is sent. */
  readonly rounds: number;
}

const AF_PACKET = 17;
const SOCK_RAW = 3;
const TUNSETIFF = 0x400454ca;
const IFF_TUN_NO_PI = 0x1001;

const program = koffi.load(null);

function packetSender(interfaceName: string): (frame: Uint8Array) => number {
  const socket = program.func("int socket(int, int, int)");
  const sendto = program.func("int64_t sendto(int, void *, size_t, int, void *, uint32_t)");
  const index = Number(readFileSync(`/sys/class/net/${interfaceName}/ifindex`, "utf8"));
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeInt32LE(index, 4);
  const out = socket(AF_PACKET, SOCK_RAW, 0);
  return (frame) => Number(sendto(out, frame, frame.length, 0, address, address.length));
}

async function tunnelSender(interfaceName: string): Promise<(packet: Uint8Array) => number> {
  const ioctl = program.func("int ioctl(int, unsigned long, void *)");
  const write = program.func("int64_t write(int, void *, size_t)");
  const tunnel = await open("/dev/net/tun", "r+");
  const request = Buffer.alloc(40);
  request.write(interfaceName);
  request.writeUInt16LE(IFF_TUN_NO_PI, 16);
  if (ioctl(tunnel.fd, TUNSETIFF, request) !== 0) throw new Error(`TUNSETIFF: ${koffi.errno()}`);
  return (packet) => Number(write(tunnel.fd, packet, packet.length));
}

async function sendAll(where: string, { frames, rounds }: Outgoing): Promise<void> {
  const send = where.startsWith("tun:") ? await tunnelSender(where.slice(4)) : packetSender(where);
  for (let round = 0; round < rounds; round++) {
    for (const frame of frames) {
      const sent = send(frame);
      if (sent !== frame.length)
        throw new Error(`sent ${sent} of ${frame.length}: ${koffi.errno()}`);
    }
  }
}

// Without a listener the channel to the parent does not keep the process alive.
process.once("message", (outgoing: Outgoing) => void sendAll(process.argv[2] ?? "", outgoing));
