// SPDX-License-Identifier: AGPL-3.0-or-later
import { Direction, type Frame } from "../capture/source.ts";
import type { CellLayout } from "../metrics/cells.ts";
import { NamError } from "../util/errors.ts";
import { u8 } from "../util/typed.ts";
import { Accounts } from "./accounts.ts";
import { protocols } from "./all.ts";
import { directionOf, HomeNetworks } from "./direction.ts";
import { applicationNames, NONE, OTHER } from "./families.ts";
import { HeaderWalk } from "./header-walk.ts";
import { emptyPacket, type Packet, type PacketFacts, SETTLED_FLAG } from "./packet.ts";
import { clearAddresses, resetPacket } from "./packet-reset.ts";
import {
  type ApplicationProtocol,
  type DecodeContext,
  fault,
  GUESS_FLAG,
  type HeaderProtocol,
  LayerIndex,
  linkKey,
  POSITION_MASK,
  type Protocol,
  SETTLED,
  Stop,
} from "./protocol.ts";
import { Reading } from "./reading.ts";
import { type Application, Recognition } from "./recognition.ts";
import { TCP_NUMBER } from "./tcp.ts";
import { tag } from "./vlan.ts";

const TCP = TCP_NUMBER;
/** Verdict about a flow of which no payload has told its protocol. */
const UNDECIDED = NONE;
const UNKNOWN_PORT = OTHER;
const { UNKNOWN } = Direction;
const { DONE, MALFORMED } = Stop;
const { APPLICATION } = LayerIndex;
// Imports are looked up each time they are named; constants of the file are not.
const POSITION = POSITION_MASK;
const GUESS = GUESS_FLAG;
/** Positions, and verdicts without SETTLED_FLAG. */
const POSITIONS = POSITION_MASK + 1;
const VERDICTS = SETTLED_FLAG;

/** A TCP flow seen from its handshake on whose payload has proved nothing for so many packets is what its port says. */
const PACKETS_TO_PROVE = 12;
/** The same of what has no handshake or was met in the middle, which proves itself in its first messages or by chance. */
const FEW_TO_PROVE = 4;

interface Gatherer {
  readonly position: number;
  readonly gathers: (packet: Packet) => boolean;
}

export interface DecoderOptions {
  /** Holds `decodeMetrics`; `counters` are its cells. */
  readonly layout: CellLayout;
  readonly counters: Float64Array;
  /** Gives the function that counts a string in the bounded list of that name. */
  readonly tally: (name: string) => (value: string) => void;
  /** Networks on this side of the capture point, as CIDR. */
  readonly home: readonly string[];
  /** Server names that say nothing where a hello has an ECH extension; lower case. */
  readonly echPublicNames?: readonly string[];
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
  readonly #open = new Uint8Array(VERDICTS);
  /** By verdict about the flow and position that the payload proves: 1 where the second takes the flow over. */
  readonly #takers = new Uint8Array(VERDICTS * POSITIONS);
  /** By position in the application family; undefined where payloads are counted but not read. */
  readonly #payloadDecoders: (((packet: Packet) => number) | undefined)[];
  /** Protocols over TCP that put the first payloads of a flow together to tell what it is. */
  readonly #gatherers: readonly Gatherer[];
  readonly #accounts: Accounts;
  /** Networks on this side of the capture point. */
  readonly home: HomeNetworks;
  /** Says which payloads are read. */
  readonly reading: Reading;

  /** Throws CONFIG_INVALID for a home network that cannot be read. */
  constructor(options: DecoderOptions) {
    const { layout, counters, tally } = options;
    const headerFacts: Partial<PacketFacts> = {};
    const made = new Map<unknown, unknown>();
    const context: DecodeContext = {
      counters,
      base: (metric) => layout.base(metric),
      position: positionOf,
      tally,
      facts: headerFacts,
      echPublicNames: new Set(options.echPublicNames),
      shared<T>(make: (context: DecodeContext) => T): T {
        if (!made.has(make)) made.set(make, make(context));
        // The map holds under each function what that function made.
        return made.get(make) as T;
      },
    };
    const applications = protocols.filter(isApplication).map(
      (protocol): Application => ({
        position: positionOf(protocol.name),
        protocol,
        decoder: protocol.create(context),
      }),
    );
    this.home = new HomeNetworks(options.home);
    this.#walk = new HeaderWalk(protocols.filter(isHeader), context);
    this.#overTcp = new Recognition(applications, "tcp");
    this.#overUdp = new Recognition(applications, "udp");
    this.#letTake(UNDECIDED, applicationNames);
    for (const { position, protocol, decoder } of applications) {
      const { name, givesWayTo = [] } = protocol;
      this.#letTake(position, givesWayTo);
      if (decoder.recognises !== undefined) this.#letTake(position | GUESS, [name, ...givesWayTo]);
    }
    this.#payloadDecoders = applicationNames.map(
      (_, position) => applications.find((one) => one.position === position)?.decoder.decode,
    );
    this.#gatherers = applications.flatMap(({ position, decoder: { gathers } }) =>
      gathers === undefined ? [] : [{ position, gathers }],
    );
    const facts: PacketFacts = Object.assign(
      headerFacts,
      ...applications.map(({ decoder }) => decoder.facts),
    );
    this.packet = emptyPacket(facts);
    this.reading = new Reading(applications, this.#open);
    this.#accounts = new Accounts(layout, counters);
  }

  /** By the lower byte of a UDP port: 1 where a tunnel may be behind it. */
  get carrierEndings(): Uint8Array {
    return this.#walk.portEndings;
  }

  /** Decodes from the link layer through the transport, and finds the direction. */
  headers(frame: Frame): void {
    const { packet } = this;
    resetPacket(packet, frame);
    if (frame.vlanTci >= 0) tag(packet, frame.vlanTci);
    this.#walk.run(packet, linkKey(frame.linkType));
    if (packet.ipVersion === 0) clearAddresses(packet);
    else if (packet.direction === UNKNOWN) packet.direction = directionOf(packet, this.home);
  }

  /**
   * Decodes the payload. `verdict` is what an earlier call returned for this flow, 0 for a new one; the return
   * value is what to keep: a position in the application family once a payload has proved it. A port only
   * guesses: it counts the packet, and leaves the flow open for a payload to decide. After the flow's first packets,
   * among which even a STARTTLS would have come, the guess is kept, with GUESS_FLAG, until a payload proves it.
   * SETTLED_FLAG comes with a position whose flow needs no more reading.
   */
  application(verdict: number): number {
    const { packet } = this;
    if (packet.payloadLength <= 0) return verdict;
    packet.application = verdict & POSITION;
    packet.guessed = (verdict & GUESS) !== 0;
    if (!this.reading.wants(packet, verdict)) return verdict;
    const kept = this.#proof(verdict);
    const position = kept & POSITION;
    if (position === UNDECIDED) return this.#guess();
    packet.application = position;
    packet.guessed = (kept & GUESS) !== 0;
    return this.#read(position, kept);
  }

  /** Takes the packet for one of what its port says. */
  #guess(): number {
    const { packet } = this;
    const position = this.#recognition().byPort(packet);
    if (position === UNKNOWN_PORT && packet.ipProtocol === TCP) {
      const gathered = this.#gathered();
      if (gathered !== UNDECIDED) {
        packet.application = gathered;
        packet.guessed = false;
        return this.#read(gathered, gathered);
      }
    }
    packet.application = position;
    packet.guessed = true;
    const hasBegun = packet.ipProtocol === TCP && !packet.flowMidway;
    if (packet.flowPackets <= (hasBegun ? PACKETS_TO_PROVE : FEW_TO_PROVE)) {
      this.#read(position, UNDECIDED);
      return UNDECIDED;
    }
    const kept = this.#read(position, position | GUESS | this.reading.settles(packet, position));
    // What proved nothing in so many packets, and cannot be read as what its port says, is something else.
    const isDisproved = packet.fault === MALFORMED && packet.faultLayer === APPLICATION;
    return isDisproved ? UNKNOWN_PORT | GUESS : kept;
  }

  /** Decodes the payload as that of a protocol; returns the verdict to keep, `kept` unless the payload says otherwise. */
  #read(position: number, kept: number): number {
    const decode = this.#payloadDecoders[position];
    if (decode === undefined) return kept;
    const stop = decode(this.packet);
    // A message in a settled flow may have more to follow.
    if (stop === DONE) return (kept & GUESS) === 0 ? kept & ~SETTLED_FLAG : kept;
    if (stop >= 0) return stop;
    if (stop === SETTLED) return kept | SETTLED_FLAG;
    fault(this.packet, APPLICATION, stop);
    return kept;
  }

  /** What the payload proves, of what the flow is open for; else the verdict as it was. */
  #proof(verdict: number): number {
    const plain = verdict & (VERDICTS - 1);
    if (u8(this.#open, plain) === 0) return verdict;
    const position = this.#recognition().byPayload(this.packet, this.#takers, plain * POSITIONS);
    return position === UNDECIDED ? verdict : position;
  }

  #letTake(verdict: number, takers: readonly string[]): void {
    for (const name of takers) {
      const taker = positionOf(name);
      if (taker === UNDECIDED) continue;
      this.#open[verdict] = 1;
      this.#takers[verdict * POSITIONS + taker] = 1;
    }
  }

  /** What the payload proves together with earlier ones of its flow. */
  #gathered(): number {
    for (let i = 0; i < this.#gatherers.length; i++) {
      const { position, gathers } = this.#gatherers[i] as Gatherer;
      if (gathers(this.packet)) return position;
    }
    return UNDECIDED;
  }

  #recognition(): Recognition {
    return this.packet.ipProtocol === TCP ? this.#overTcp : this.#overUdp;
  }

  /** Counts the packet in every family; once a packet, after the other two. */
  count(): void {
    this.#accounts.add(this.packet);
  }
}

/** Throws INTERNAL for a protocol that does not exist, or that a verdict has no room for. */
function positionOf(application: string): number {
  const position = applicationNames.indexOf(application);
  if (position >= 0 && position < POSITIONS) return position;
  throw new NamError("INTERNAL", `${application} is no application protocol with a verdict`);
}

function isApplication(protocol: Protocol): protocol is ApplicationProtocol {
  return protocol.layer === "application";
}

function isHeader(protocol: Protocol): protocol is HeaderProtocol {
  return protocol.layer !== "application";
}
