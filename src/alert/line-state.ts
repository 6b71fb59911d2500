// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Log } from "../util/log.ts";
import type { ChannelDefinition, Delivery } from "./alert.ts";
import { backoffMs } from "./backoff.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import { TokenBucket } from "./token-bucket.ts";

/** No vendor asks for more; a longer wait would outlive every message. */
const PAUSE_MAX_MS = 86_400_000;

export interface LineOptions {
  readonly rate: ChannelDefinition["rate"];
  readonly nowMs: number;
  readonly log: Log;
  /** The silence an earlier run was asked for, where there was one: then its last message may be a moment ago. */
  readonly pauseUntilMs?: number | undefined;
  random(): number;
}

/**
 * The state of the way to one channel: when it may be used next, given the vendor's rate, the silence the vendor asked
 * for, back-off after failures, the circuit breaker, and whether the vendor has closed it. Times are monotonic
 * milliseconds.
 */
export class LineState {
  readonly #rate: TokenBucket;
  readonly #sparesCritical: boolean;
  readonly #circuit = new CircuitBreaker();
  readonly #log: Log;
  readonly #random: () => number;
  #pauseUntilMs = 0;
  #backoffUntilMs = 0;
  /** Attempts since the last delivery; rate limits count here, not in the circuit. */
  #attempts = 0;
  #isDisabled = false;
  #trouble: string | null = null;

  constructor({ rate, nowMs, log, random, pauseUntilMs }: LineOptions) {
    const isResumed = pauseUntilMs !== undefined;
    this.#rate = new TokenBucket(rate.burst, rate.perSecond, nowMs, isResumed ? 0 : rate.burst);
    this.#sparesCritical = rate.sparesCritical === true;
    this.#pause((pauseUntilMs ?? nowMs) - nowMs, nowMs);
    this.#log = log;
    this.#random = random;
  }

  /** True while nothing is sent because the channel fails, or is gone. */
  get isSuspended(): boolean {
    return this.#isDisabled || this.#circuit.isOpen;
  }

  get trouble(): string | null {
    return this.#trouble;
  }

  /**
   * When the next attempt may be made; infinite once the vendor has closed the channel. Something critical does not
   * wait for a rate that spares it.
   */
  readyMs(nowMs: number, isCritical = false): number {
    if (this.#isDisabled) return Number.POSITIVE_INFINITY;
    return Math.max(
      isCritical && this.#sparesCritical ? nowMs : this.#rate.readyMs(nowMs),
      this.#pauseUntilMs,
      this.#backoffUntilMs,
      this.#circuit.readyMs,
    );
  }

  /** Something urgent came: worth trying before the back-off is over, though not before what the vendor asked for. */
  skipBackoff(): void {
    this.#backoffUntilMs = 0;
  }

  /** Until when the vendor asked for silence; in the past where it did not. */
  get pauseUntilMs(): number {
    return this.#pauseUntilMs;
  }

  began(nowMs: number): void {
    this.#rate.take(nowMs);
  }

  /** The attempt that began goes out only now: the rate counts from here. */
  departed(nowMs: number): void {
    this.#rate.pause(nowMs);
  }

  ended(delivery: Delivery, nowMs: number): void {
    switch (delivery.outcome) {
      case "delivered":
        this.#pause(delivery.pauseMs ?? 0, nowMs);
        this.#answered();
        return;
      case "rejected":
        this.#log.error({ detail: delivery.detail }, "the channel refused a message for good");
        this.#answered();
        return;
      case "disabled":
        this.#isDisabled = true;
        this.#trouble = delivery.detail;
        this.#log.error(
          { reason: delivery.reason, detail: delivery.detail },
          "the channel is closed: nothing more is sent until it is configured anew",
        );
        return;
      case "retry":
        this.#retry(delivery, nowMs);
    }
  }

  #answered(): void {
    if (this.#attempts > 0) this.#log.info({ attempts: this.#attempts }, "the channel works again");
    this.#attempts = 0;
    this.#trouble = null;
    this.#backoffUntilMs = 0;
    this.#circuit.succeeded();
  }

  #retry(delivery: Extract<Delivery, { outcome: "retry" }>, nowMs: number): void {
    const { reason, detail, retryAfterMs = 0 } = delivery;
    const wasSuspended = this.isSuspended;
    this.#trouble = detail;
    const waitMs = backoffMs(this.#attempts, this.#random);
    this.#attempts++;
    if (reason === "rate_limited") {
      // The vendor asked for silence, even where it did not say for how long.
      this.#pause(Math.max(waitMs, retryAfterMs), nowMs);
    } else {
      this.#pause(retryAfterMs, nowMs);
      this.#backoffUntilMs = nowMs + waitMs;
      this.#circuit.failed(nowMs);
    }
    if (this.#attempts === 1) this.#log.warn({ reason, detail }, "a message is tried again later");
    if (this.isSuspended && !wasSuspended) {
      this.#log.error(
        { reason, detail },
        "the channel keeps failing and is left alone for a while",
      );
    }
  }

  #pause(durationMs: number, nowMs: number): void {
    this.#pauseUntilMs = Math.max(this.#pauseUntilMs, nowMs + Math.min(durationMs, PAUSE_MAX_MS));
  }
}
