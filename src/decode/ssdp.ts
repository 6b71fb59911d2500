// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import type { ApplicationProtocol } from "./protocol.ts";
import { ascii, startsWith } from "./text-line.ts";

const SEARCH = ascii("M-SEARCH * HTTP/1.1");
const NOTIFY = ascii("NOTIFY * HTTP/1.1");
const FOUND = ascii("HTTP/1.1 200 OK");
const FIRST_BYTES = [..."MNH"].map((letter) => letter.charCodeAt(0));

/** SSDP (UPnP Device Architecture 2.0 §1), known by its start lines, which no other protocol sends over UDP, or by port. */
export const ssdp: ApplicationProtocol = {
  name: "ssdp",
  help: "SSDP",
  layer: "application",
  ports: { udp: [1900] },
  firstBytes: { udp: FIRST_BYTES },
  create: () => ({ recognises }),
};

function recognises({ view, payloadAt, payloadEnd }: Packet): boolean {
  return (
    startsWith(view, payloadAt, payloadEnd, SEARCH) ||
    startsWith(view, payloadAt, payloadEnd, NOTIFY) ||
    startsWith(view, payloadAt, payloadEnd, FOUND)
  );
}
