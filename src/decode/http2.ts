// SPDX-License-Identifier: AGPL-3.0-or-later
import { conversationsForgotten } from "./conversations.ts";
import { httpRequests, httpResponses } from "./http-notes.ts";
import { startsPreface } from "./http2-frame.ts";
import { createHttp2Frames, http2Frames } from "./http2-frames.ts";
import { http2Unread } from "./http2-headers.ts";
import type { Packet } from "./packet.ts";
import type { ApplicationDecoder, ApplicationProtocol, DecodeContext } from "./protocol.ts";

/**
 * HTTP/2 in clear text, known by the client's connection preface (RFC 9113 §3.4) or by an upgrade that http.ts saw. Its
 * messages are counted with those of HTTP/1.x; those of agents are not looked for in it.
 */
export const http2: ApplicationProtocol = {
  name: "http2",
  help: "HTTP/2 in clear text",
  layer: "application",
  ports: {},
  firstBytes: { tcp: [0x50] },
  metrics: [http2Frames, http2Unread, httpRequests, httpResponses, conversationsForgotten],
  create,
};

function create(context: DecodeContext): ApplicationDecoder {
  const frames = context.shared(createHttp2Frames);
  return { recognises, decode: (packet) => frames.read(packet) };
}

function recognises({ view, payloadAt, payloadEnd }: Packet): boolean {
  return startsPreface(view, payloadAt, payloadEnd);
}
