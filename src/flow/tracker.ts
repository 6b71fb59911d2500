// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../decode/packet.ts";
import type { MetricDefinition, SignalDefinition } from "../metrics/metric.ts";
import type { AiCall } from "./ai/ai-call.ts";
import type { Names } from "./ai/names.ts";
import type { FlowRows } from "./flow-rows.ts";
import type { TrackerRows } from "./window.ts";

/** What happened to a flow; the initiator is the client, the other end the server. */
export const FlowEvent = {
  /** First packet of a flow. */
  STARTED: 0,
  /** A TCP SYN without ACK, retransmissions included. */
  SYN: 1,
  /** The server answered a SYN; repeated answers to one SYN are left out. */
  SYN_ACK: 2,
  /** The TCP handshake completed, or, without TCP, the server sent its first packet. Once per flow. */
  ESTABLISHED: 3,
  /** Refused before it was established: RST from the server, or ICMP unreachable. Once per flow. */
  REFUSED: 4,
  /** The client reset a half-open TCP connection. Once per flow. */
  ABORTED: 5,
  /** No answer to the first SYN within 3 s; one may still come later. Once per flow. */
  UNANSWERED: 6,
  /** RST from the server to a TCP flow whose handshake was not seen and in which only the client had sent. Once per flow. */
  REJECTED: 7,
  /** One end, `flow.side`, has sent BATCH_PACKETS packets more. */
  BATCH: 8,
  /** A TCP connection in which, within 10 s of the handshake, the server has sent no data and got little. Once per flow. */
  STARVED: 9,
  /** A TCP connection ended in which the server was seen to send no more than BRIEF_BYTES in all. Once per flow. */
  BRIEF: 10,
  /** For 10 s or longer the client of a TCP connection has taken next to nothing, its window shut. Once per flow. */
  STALLED: 11,
} as const;

/**
 * Frames of an SSH server that refuses logins come to 2.4 to 3.8 kB (OpenSSH 9.2, libssh, three attempts), those of the
 * shortest errand of a client that is let in to 4.3 kB, mostly to 5 kB and more.
 */
export const BRIEF_BYTES = 4200;

/** Packets of one end of a flow that make a BATCH event: a power of two. */
export const BATCH_PACKETS = 64;

/** The flow an event is about, one reused object. Addresses as in Packet. */
export interface FlowKey {
  slot: number;
  ipProtocol: number;
  ipVersion: number;
  client0: number;
  client1: number;
  client2: number;
  client3: number;
  server0: number;
  server1: number;
  server2: number;
  server3: number;
  clientPort: number;
  serverPort: number;
  /** Who sent the packet that the event is about: 0 the client, 1 the server. */
  side: number;
  /** Flags of that packet, 0 without TCP, and its length on the wire; both 0 where time alone made the event. */
  tcpFlags: number;
  lengthBytes: number;
  /** FlowState and its flags, as they are after the packet. */
  state: number;
  /** Flow time of the event: milliseconds on the sensor's own clock, which never goes back. */
  timeMs: number;
}

export function emptyFlowKey(): FlowKey {
  return {
    slot: 0,
    ipProtocol: 0,
    ipVersion: 0,
    client0: 0,
    client1: 0,
    client2: 0,
    client3: 0,
    server0: 0,
    server1: 0,
    server2: 0,
    server3: 0,
    clientPort: 0,
    serverPort: 0,
    side: 0,
    tcpFlags: 0,
    lengthBytes: 0,
    state: 0,
    timeMs: 0,
  };
}

/** What a tracker may use; everything it keeps is bounded by its own capacity. */
export interface TrackerContext {
  readonly counters: Float64Array;
  base(metric: MetricDefinition): number;
  /** Counts entities that were thrown out to make room. */
  evicted(count: number): void;
  /** Names of application protocols, by position. */
  readonly applicationNames: readonly string[];
  /** Seed of the hashes, chosen at start, so that nobody can aim at one bucket. */
  readonly hashSeed: number;
  /** Which AI provider each flow belongs to. */
  readonly names: Names;
  /** What is kept of each flow, to be read. */
  readonly flowRows: FlowRows;
  /** Cells of `definition.levels`, and where those of one begin. */
  readonly levels: Float64Array;
  levelBase(metric: MetricDefinition): number;
}

export interface Tracker<Row = unknown> {
  /** Called for every packet of `definition.packets`, `definition.application`, `definition.logins` or `definition.agents`. */
  onPacket?(packet: Packet, timeMs: number): void;
  /** Called for the events of `definition.events`; `flow` is valid during the call only. */
  onFlow?(event: number, flow: FlowKey): void;
  /** Called where `definition.recognised` for the packet whose payload proved its flow's application. */
  onRecognised?(packet: Packet, timeMs: number): void;
  /** Called where `definition.volumes` for what a flow carried since it was last told; `flow` is valid during the call. */
  onVolume?(flow: FlowKey, clientBytes: number, serverBytes: number): void;
  /** Called where `definition.named` for a flow whose hello or request was just seen; see NameListener. */
  onNamed?(packet: Packet, timeMs: number): void;
  onAnswered?(packet: Packet, timeMs: number): void;
  /** Called where `definition.calls` for each call to an AI that is over; `call` is valid during the call only. */
  onCall?(call: AiCall): void;
  /** Called at a window's end before flows end whose time is over: the last look at what they carried. */
  settle?(timeMs: number): void;
  /** Rows of the window that ends now, bounded; per-window counts start over. */
  close(timeMs: number): Row[];
  /** Entities held now. */
  size(): number;
}

/** How rows of several windows become one bounded list. */
export interface RowRules<Row> {
  /** Most rows a window carries. */
  readonly limit: number;
  /** Rows with the same key are about the same entity. */
  key(row: Row): string;
  /** One row of two about the same entity, `later` being of the later window or of another sensor. */
  merge(earlier: Row, later: Row): Row;
  /** Rows of greater weight are kept when there are too many. */
  weight(row: Row): number;
}

type RowOf<Name extends keyof TrackerRows> = TrackerRows[Name][number];

/** A tracker is one file: this declaration, its row type and its state bounds. */
export interface TrackerDefinition<Name extends keyof TrackerRows = keyof TrackerRows> {
  readonly name: Name;
  readonly help: string;
  /** Most entities it keeps. */
  readonly capacity: number;
  /** True where entities share places by their hash, so that none has to make room for another. */
  readonly shared?: boolean;
  /**
   * Packets `onPacket` wants: those of network protocols by name, or none. Packets of known TCP and UDP flows in which
   * nothing happens may be left out.
   */
  readonly packets?: string | readonly string[];
  /** Packets `onPacket` wants: those with a payload of application protocols by name, or none. */
  readonly application?: string | readonly string[];
  /** True where `onPacket` wants every packet that tells the outcome of a login. */
  readonly logins?: boolean;
  /** True where `onPacket` wants every packet that tells of agents, language models or metadata services. */
  readonly agents?: boolean;
  /** Values of FlowEvent that `onFlow` wants, or none. */
  readonly events?: readonly number[];
  /** True where `onRecognised` is wanted, where `onVolume` is, where `onNamed` is, and where `onCall` is. */
  readonly recognised?: boolean;
  readonly volumes?: boolean;
  readonly named?: boolean;
  readonly calls?: boolean;
  readonly rows: RowRules<RowOf<Name>>;
  readonly metrics?: readonly MetricDefinition[];
  /** Gauges, which it sets in `close`. */
  readonly levels?: readonly MetricDefinition[];
  readonly signals?: readonly SignalDefinition[];
  create(context: TrackerContext): Tracker<RowOf<Name>>;
}
