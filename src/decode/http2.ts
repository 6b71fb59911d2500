// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add, i32, u8 } from "../util/typed.ts";
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
/** Length and type: what is read of a header. */
const READ_LENGTH = 4;
const TYPE_AT = 3;
/** RFC 9113 §6.5.2: longer frames have to be allowed first, which hardly anyone does. */
const LENGTH_MAX = 16_384;
/** Frame types of RFC 9113 §6 by number, and their label values. */
const TYPES = [
  ...["data", "headers", "other", "rst_stream", "settings"],
  ...["other", "other", "other", "other", "headers"],
];
const TYPE_LABELS = ["data", "headers", "rst_stream", "settings", "other"];
const CELLS = Uint8Array.from(TYPES.map((name) => TYPE_LABELS.indexOf(name)));
/** Words of a side: sequence number of the byte to read next, what is known of it, the header so far. */
const SIDE_WORDS = 3;
const PLACE = 1;
const HEAD = 2;
/** `PLACE` is 0 where no frame is known to start, else this and the bytes of a header that came already. */
const KNOWN = 1;

const frames: MetricDefinition = {
  name: "nam_http2_frames_total",
  help: "HTTP/2 frames in clear text by type; CONTINUATION counts as headers.",
  type: "counter",
  labels: { type: TYPE_LABELS },
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
  const conversations = new Conversations(2 * SIDE_WORDS, context);
  const words = conversations.state;

  /** Frames are followed by sequence numbers; after a gap, from the next segment that begins with one. */
  function decode(packet: Packet): number {
    const flow = conversations.of(packet);
    if (flow < 0) return Stop.DONE;
    const { payloadAt, tcpSequence } = packet;
    const side = flow + SIDE_WORDS * packet.flowSide;
    let at =
      i32(words, side + PLACE) === 0 ? -1 : payloadAt + ((i32(words, side) - tcpSequence) | 0);
    if (at >= payloadAt + packet.payloadLength) return Stop.DONE;
    if (at < payloadAt) {
      if (!startsFrame(packet)) return Stop.DONE;
      at = payloadAt;
      words[side + PLACE] = KNOWN;
    }
    words[side] = (tcpSequence + walk(packet, at, side) - payloadAt) | 0;
    return Stop.DONE;
  }

  /** Counts the frames from `from` on; returns where to read next, perhaps behind the segment. */
  function walk(packet: Packet, from: number, side: number): number {
    const { view, payloadEnd } = packet;
    let at = startsPreface(view, from, payloadEnd) ? from + PREFACE_LENGTH : from;
    let got = i32(words, side + PLACE) - KNOWN;
    let head = i32(words, side + HEAD);
    while (at < payloadEnd) {
      if (got < READ_LENGTH) head = (head << 8) | view.getUint8(at);
      at++;
      got++;
      if (got < HEADER_LENGTH) continue;
      const type = head & 0xff;
      if (type < CELLS.length) add(counters, cells + u8(CELLS, type), 1);
      at += head >>> 8;
      got = 0;
    }
    words[side + PLACE] = got + KNOWN;
    words[side + HEAD] = head;
    return at;
  }

  return { recognises, decode };
}

/** True where the payload begins with the preface, or with what may be a frame header. */
function startsFrame({ view, payloadAt, payloadEnd }: Packet): boolean {
  if (startsPreface(view, payloadAt, payloadEnd)) return true;
  if (payloadEnd - payloadAt < HEADER_LENGTH) return false;
  const length = view.getInt32(payloadAt) >>> 8;
  return length <= LENGTH_MAX && view.getUint8(payloadAt + TYPE_AT) < TYPES.length;
}

function recognises({ view, payloadAt, payloadEnd }: Packet): boolean {
  return startsPreface(view, payloadAt, payloadEnd);
}

function startsPreface(view: DataView, at: number, end: number): boolean {
  if (end - at < 8) return false;
  return view.getInt32(at) === PREFACE_0 && view.getInt32(at + 4) === PREFACE_4;
}
