// SPDX-License-Identifier: AGPL-3.0-or-later
import type { TrackerRows } from "../flow/window.ts";
import { type EwmaLimits, GuardedEwma } from "./baseline/guarded-ewma.ts";
import { logScale } from "./baseline/scale.ts";

export type HandshakeRow = TrackerRows["handshakes"][number];

/** Handshakes of one service in one tick, all sensors together. */
export interface Handshakes {
  readonly destination: string;
  readonly port: number;
  readonly syn: number;
  readonly established: number;
  readonly refused: number;
  readonly aborted: number;
  readonly unanswered: number;
  readonly sources: number;
  readonly topSource: string;
  readonly topSourceSyn: number;
}

export interface CusumModel {
  /** Unfinished handshakes, as a share of the usual number of finished ones, that are taken off each second. */
  readonly drift: number;
  /** Alarm above this sum. */
  readonly limit: number;
  /** The usual number of finished handshakes a second is never taken to be less. */
  readonly minimumRate: number;
}

/** The sum is cut at this many times its limit, so that an alarm ends soon after its cause. */
const CAP = 4;
/** Time constant of the usual number of finished handshakes, seconds. */
const USUAL_RATE = 1 - Math.exp(-1 / 60);
/** Samples until the gate's baseline is ready, and its longest freeze. */
const GATE_LIMITS: EwmaLimits = { warmupSamples: 60, freezeSamples: 600 };
const GATE_SIGMA_FLOOR = 0.25;
/** The gate is closed while attempts exceed their baseline by less than this, per second. */
const GATE_EXCESS = 20;

/**
 * How far the connection attempts to one service run ahead of the handshakes it completes: a CUSUM of the difference,
 * in units of the usual completion rate (Wang, Zhang, Shin: "Detecting SYN Flooding Attacks", INFOCOM 2002), and
 * beside it a baseline of the attempts themselves, so that a failing service is told from a flooded one.
 */
export class HandshakeBalance {
  readonly #model: CusumModel;
  readonly #attempts = new GuardedEwma(GATE_LIMITS, logScale(1, GATE_SIGMA_FLOOR), 1);
  #usual = 0;
  #sum = 0;
  #frozenSeconds = 0;
  #score = 0;

  constructor(model: CusumModel) {
    this.#model = model;
  }

  /** Takes the attempts and completions per second of one tick; without `learn` they are judged only. */
  update(syn: number, established: number, seconds: number, learn: boolean): void {
    const { drift, limit, minimumRate } = this.#model;
    const surplus = (syn - established) / Math.max(this.#usual, minimumRate);
    const sum = this.#sum + (surplus - drift) * seconds;
    this.#sum = Math.min(CAP * limit, Math.max(0, sum));
    this.#score = this.#attempts.observe(syn, learn);
    if (syn - this.#attempts.mean < GATE_EXCESS) this.#score = Math.min(0, this.#score);
    this.#frozenSeconds = this.alarm ? this.#frozenSeconds + seconds : 0;
    const frozen = this.alarm && this.#frozenSeconds <= GATE_LIMITS.freezeSamples;
    if (learn && !frozen) this.#usual += USUAL_RATE * (established - this.#usual);
  }

  /** True while the sum is above its limit. */
  get alarm(): boolean {
    return this.#sum > this.#model.limit;
  }

  /** Unfinished handshakes a second that the drift takes off. */
  get tolerated(): number {
    return this.#model.drift * Math.max(this.#usual, this.#model.minimumRate);
  }

  /** The usual number of finished handshakes a second. */
  get usual(): number {
    return this.#usual;
  }

  /** Standard deviations of the attempts above their baseline; 0 until there is one. */
  get score(): number {
    return this.#score;
  }

  /** Attempts have been watched for long enough to know what is usual. */
  get ready(): boolean {
    return this.#attempts.ready;
  }
}

/** Adds up the rows of one service that different sensors sent. */
export function sumByService(rows: readonly HandshakeRow[]): Map<string, Handshakes> {
  const services = new Map<string, Handshakes>();
  for (const row of rows) {
    const key = `${row.destination}|${row.port}`;
    const known = services.get(key);
    services.set(key, known ? added(known, row) : row);
  }
  return services;
}

function added(a: Handshakes, b: HandshakeRow): Handshakes {
  const top = a.topSourceSyn >= b.topSourceSyn ? a : b;
  return {
    destination: a.destination,
    port: a.port,
    syn: a.syn + b.syn,
    established: a.established + b.established,
    refused: a.refused + b.refused,
    aborted: a.aborted + b.aborted,
    unanswered: a.unanswered + b.unanswered,
    sources: a.sources + b.sources,
    topSource: top.topSource,
    topSourceSyn: top.topSourceSyn,
  };
}
