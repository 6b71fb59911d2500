// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Entity, Tick } from "./detector.ts";
import {
  type CusumModel,
  HandshakeBalance,
  type Handshakes,
  sumByService,
} from "./handshake-balance.ts";
import { addressFilter, SYN_ONLY } from "./suggestions.ts";
import { endpoint } from "./text.ts";

const CAPACITY = 1024;
/** Attempts per second from which a service is watched: a scan of all ports makes no states. */
const WATCH_RATE = 5;
const NONE = { syn: 0, established: 0, refused: 0, aborted: 0, unanswered: 0, sources: 0 };

/** Settings of the CUSUM; both detectors of handshakes have them. */
export const cusumFields = {
  drift: z
    .number()
    .gt(0)
    .default(0.7)
    .describe(
      "Unfinished handshakes a second that are tolerated, as a share of the usual number of finished ones.",
    ),
  limit: z.number().gt(0).default(5).describe("Accumulated surplus above which it is an alarm."),
  minimum_rate: z
    .number()
    .gt(0)
    .default(20)
    .describe("The usual number of finished handshakes a second is never taken to be less."),
};

/** One service as it stands after a tick. */
export interface Service {
  readonly balance: HandshakeBalance;
  /** Handshakes of this tick. */
  handshakes: Handshakes;
  /** Attempts a second that were not finished, in this tick and in the one before. */
  unfinished: number;
  unfinishedBefore: number;
}

/** Follows the handshakes of every service that gets more than a few attempts a second. */
export class Services {
  readonly #model: CusumModel;
  readonly #floor: number;
  readonly #services = new BoundedMap<Service>(CAPACITY);

  /** Of ticks with more than `floor` unfinished handshakes a second nothing is learned. */
  constructor(
    settings: { drift: number; limit: number; minimum_rate: number },
    floor = Number.POSITIVE_INFINITY,
  ) {
    this.#floor = floor;
    this.#model = {
      drift: settings.drift,
      limit: settings.limit,
      minimumRate: settings.minimum_rate,
    };
  }

  /** Takes a tick; returns the services that got attempts in it and are watched. */
  update({ window, seconds, tainted }: Tick): Service[] {
    const rows = sumByService(window.rows.handshakes);
    for (const [key, service] of this.#services.entries()) {
      if (rows.has(key)) continue;
      this.#advance(service, { ...service.handshakes, ...NONE }, seconds, tainted);
    }
    const busy: Service[] = [];
    for (const [key, handshakes] of rows) {
      if (handshakes.syn < WATCH_RATE * seconds && !this.#services.peek(key)) continue;
      const service = this.#services.use(key, () => ({
        balance: new HandshakeBalance(this.#model),
        handshakes,
        unfinished: 0,
        unfinishedBefore: 0,
      }));
      this.#advance(service, handshakes, seconds, tainted);
      if (handshakes.syn > 0) busy.push(service);
    }
    return busy;
  }

  #advance(service: Service, handshakes: Handshakes, seconds: number, tainted: boolean): void {
    const { syn, established } = handshakes;
    service.handshakes = handshakes;
    service.unfinishedBefore = service.unfinished;
    service.unfinished = Math.max(0, syn - established) / seconds;
    const learn = !tainted && !isHopeless(service, this.#floor);
    service.balance.update(syn / seconds, established / seconds, seconds, learn);
  }
}

/** True while at least `floor` handshakes a second, and most of all, remain unfinished. */
export function isHopeless({ unfinished, handshakes }: Service, floor: number): boolean {
  return unfinished >= floor && handshakes.established * 2 <= handshakes.syn;
}

/** The service, and the source where one made most of the attempts. */
export function serviceEntity(handshakes: Handshakes): Entity {
  const { destination, port } = handshakes;
  const culprit = mainSource(handshakes);
  return {
    kind: "service",
    key: endpoint(destination, port),
    destination,
    port,
    ...(culprit === "" ? {} : { source: culprit }),
  };
}

/** The address that made at least half of the attempts, "" where none did. */
export function mainSource({ syn, topSource, topSourceSyn }: Handshakes): string {
  return topSourceSyn * 2 >= syn ? topSource : "";
}

/** Connection attempts to the service. */
export function serviceFilter({ destination, port }: Handshakes): string {
  return `${addressFilter("dst", destination)} && tcp.dstport == ${port} && ${SYN_ONLY}`;
}
