// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add, i32 } from "../util/typed.ts";
import { Conversations, conversationsForgotten } from "./conversations.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  Stop,
} from "./protocol.ts";
import { fourBytes } from "./wire-text.ts";

const PREFACE_0 = fourBytes("PRI ");
const PREFACE_4 = fourBytes("* HT");
/** `PRI * HTTP/2.0`, two line ends, `SM`, and two more. */
const PREFACE_LENGTH = 24;
/** Frame header, RFC 9113 §4.1: 24 bits of length, type, flags, stream. */
const HEADER_LENGTH = 9;
const TYPE_AT = 3;
/** Frame types of RFC 9113 §6 by number, in the order of their cells. */
const FRAMES = [
  ...["data", "headers", "priority", "rst_stream", "settings"],
  ...["push_promise", "ping", "goaway", "window_update", "continuation"],
];
/** Words of a flow: for each side, the sequence number of its next frame, and 1 where that is known. */
const WORDS = 4;

const frames: MetricDefinition = {
  name: "nam_http2_frames_total",
  help: "HTTP/2 frames in clear text by type.",
  type: "counter",
  labels: { type: FRAMES },
};

/** HTTP/2 in clear text, known by the client's connection preface (RFC 9113 §3.4). Headers are counted, not unpacked. */
export const http2: ApplicationProtocol = {
  name: "http2",
  help: "HTTP/2 in clear text",
  layer: "application",
  ports: {},
  firstBytes: { tcp: [0x50] },
  metrics: [frames, conversationsForgotten],
  create,
};

function create(context: DecodeContext): ApplicationDecoder {
  const { counters } = context;
  const cells = context.base(frames);
  const conversations = new Conversations(WORDS, context);
  const words = conversations.state;

  /** Frames are followed from the first segment of each side that is seen. */
  function decode(packet: Packet): number {
    const flow = conversations.of(packet);
    const { payloadAt, payloadEnd, tcpSequence } = packet;
    if (flow < 0) {
      walk(packet, payloadAt);
      return Stop.DONE;
    }
    const side = flow + 2 * packet.flowSide;
    const ahead = i32(words, side + 1) === 0 ? 0 : (i32(words, side) - tcpSequence) | 0;
    if (ahead < 0 || ahead >= packet.payloadLength) return Stop.DONE;
    const next = payloadAt + ahead < payloadEnd ? walk(packet, payloadAt + ahead) : payloadEnd;
    words[side] = (tcpSequence + next - payloadAt) | 0;
    words[side + 1] = 1;
    return Stop.DONE;
  }

  /** Counts the frames from `from` on; returns where the next one starts, perhaps behind the segment. */
  function walk(packet: Packet, from: number): number {
    const { view, payloadEnd } = packet;
    let at = from;
    if (startsPreface(view, at, payloadEnd)) at += PREFACE_LENGTH;
    while (payloadEnd - at >= HEADER_LENGTH) {
      const type = view.getUint8(at + TYPE_AT);
      if (type < FRAMES.length) add(counters, cells + type, 1);
      at += HEADER_LENGTH + (view.getInt32(at) >>> 8);
    }
    return at;
  }

  return { recognises, decode };
}

function recognises({ view, payloadAt, payloadEnd }: Packet): boolean {
  return startsPreface(view, payloadAt, payloadEnd);
}

function startsPreface(view: DataView, at: number, end: number): boolean {
  if (end - at < 8) return false;
  return view.getInt32(at) === PREFACE_0 && view.getInt32(at + 4) === PREFACE_4;
}
