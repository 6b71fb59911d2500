// SPDX-License-Identifier: AGPL-3.0-or-later
import { Direction, type Frame } from "../capture/source.ts";
import type { CellLayout } from "../metrics/cells.ts";
import type { MetricDefinition } from "../metrics/metric.ts";
import { u8 } from "../util/typed.ts";
import { Accounts } from "./accounts.ts";
import { protocols } from "./all.ts";
import { directionOf, HomeNetworks } from "./direction.ts";
import { applicationNames, NONE } from "./families.ts";
import { HeaderWalk } from "./header-walk.ts";
import { emptyPacket, type Packet, type PacketFacts } from "./packet.ts";
import { clearAddresses, resetPacket } from "./packet-reset.ts";
import {
  type ApplicationProtocol,
  type DecodeContext,
  fault,
  type HeaderProtocol,
  LayerIndex,
  linkKey,
  type Protocol,
  Stop,
} from "./protocol.ts";
import { type Application, Recognition } from "./recognition.ts";
import { TCP_NUMBER } from "./tcp.ts";
import { tag } from "./vlan.ts";

const TCP = TCP_NUMBER;
/** Verdict about a flow of which no payload has told its protocol. */
const UNDECIDED = NONE;
const { UNKNOWN } = Direction;
const { DONE } = Stop;
const { APPLICATION } = LayerIndex;

/** A flow whose payload has proved nothing for so many packets is what its port says. */
const PACKETS_TO_PROVE = 32;

export interface DecoderOptions {
  /** Holds `decodeMetrics`; `counters` are its cells. */
  readonly layout: CellLayout;
  readonly counters: Float64Array;
  /** Gives the function that counts a string in the bounded list of that name. */
  readonly tally: (name: string) => (value: string) => void;
  /** Networks on this side of the capture point, as CIDR. */
  readonly home: readonly string[];
}

/**
 * Frame to packet, in three calls: `headers`, then `application` once the flow is known, then `count`. All three
 * work on the one `packet`, allocate nothing for it, and never throw.
 */
export class Decoder {
  readonly packet: Packet;
  readonly #walk: HeaderWalk;
  readonly #overTcp: Recognition;
  readonly #overUdp: Recognition;
  /** By verdict: 1 where a payload may still change it. */
  readonly #open: Uint8Array;
  /** By position in the application family; undefined where payloads are counted but not read. */
  readonly #payloadDecoders: (((packet: Packet) => number) | undefined)[];
  readonly #accounts: Accounts;
  readonly #home: HomeNetworks;

  /** Throws CONFIG_INVALID for a home network that cannot be read. */
  constructor(options: DecoderOptions) {
    const { layout, counters, tally } = options;
    const headerFacts: Partial<PacketFacts> = {};
    const base = (metric: MetricDefinition) => layout.base(metric);
    const context: DecodeContext = { counters, base, tally, facts: headerFacts };
    const applications = protocols.filter(isApplication).map(
      (protocol): Application => ({
        position: applicationNames.indexOf(protocol.name),
        protocol,
        decoder: protocol.create(context),
      }),
    );
    this.#home = new HomeNetworks(options.home);
    this.#walk = new HeaderWalk(protocols.filter(isHeader), context);
    this.#overTcp = new Recognition(applications, "tcp");
    this.#overUdp = new Recognition(applications, "udp");
    this.#open = new Uint8Array(applicationNames.length);
    this.#open[UNDECIDED] = 1;
    for (const { position, protocol } of applications) {
      if (protocol.givesWay === true) this.#open[position] = 1;
    }
    this.#payloadDecoders = applicationNames.map(
      (_, position) => applications.find((one) => one.position === position)?.decoder.decode,
    );
    const facts: PacketFacts = Object.assign(
      headerFacts,
      ...applications.map(({ decoder }) => decoder.facts),
    );
    this.packet = emptyPacket(facts);
    this.#accounts = new Accounts(layout, counters);
  }

  /** Decodes from the link layer through the transport, and finds the direction. */
  headers(frame: Frame): void {
    const { packet } = this;
    resetPacket(packet, frame);
    if (frame.vlanTci >= 0) tag(packet, frame.vlanTci);
    this.#walk.run(packet, linkKey(frame.linkType));
    if (packet.ipVersion === 0) clearAddresses(packet);
    else if (packet.direction === UNKNOWN) packet.direction = directionOf(packet, this.#home);
  }

  /**
   * Decodes the payload. `verdict` is what an earlier call returned for this flow, 0 for a new one; the return
   * value is what to keep: a position in the application family once a payload has proved it. A port only
   * guesses: it counts the packet, and leaves the flow open for a payload to decide. After the flow's first packets,
   * among which even a STARTTLS would have come, the guess is kept.
   */
  application(verdict: number): number {
    const { packet } = this;
    if (packet.payloadLength <= 0) return verdict;
    const proved = u8(this.#open, verdict) === 0 ? verdict : this.#proof(verdict);
    const position = proved !== UNDECIDED ? proved : this.#recognition().byPort(packet);
    packet.application = position;
    const decode = this.#payloadDecoders[position];
    if (decode !== undefined) {
      const stop = decode(packet);
      if (stop !== DONE) fault(packet, APPLICATION, stop);
    }
    return proved === UNDECIDED && packet.flowPackets > PACKETS_TO_PROVE ? position : proved;
  }

  /** What the payload proves, else the verdict as it was. */
  #proof(verdict: number): number {
    const position = this.#recognition().byPayload(this.packet);
    return position !== UNDECIDED ? position : verdict;
  }

  #recognition(): Recognition {
    return this.packet.ipProtocol === TCP ? this.#overTcp : this.#overUdp;
  }

  /** Counts the packet in every family; once a packet, after the other two. */
  count(): void {
    this.#accounts.add(this.packet);
  }
}

function isApplication(protocol: Protocol): protocol is ApplicationProtocol {
  return protocol.layer === "application";
}

function isHeader(protocol: Protocol): protocol is HeaderProtocol {
  return protocol.layer !== "application";
}
