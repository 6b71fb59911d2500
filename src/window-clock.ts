// SPDX-License-Identifier: AGPL-3.0-or-later

/** A packet this much before the newest one is late, not a sign of a changed clock. */
const LATE_MS = 5_000;
/** A silence longer than this becomes one long window instead of one a second. */
const SILENCE_MS = 60_000;
/** A leap longer than this is a changed clock, not silence. */
const LEAP_MS = 86_400_000;
const NANOSECONDS_PER_MS = 1e6;

/**
 * Cuts packet time into windows. Window borders lie on whole multiples of the window length. Packet time may go
 * back or leap: a little is clamped, a lot moves the windows to the new time and is counted, so that neither a
 * wrong clock nor a hostile capture file can stop the windows or make billions of them.
 */
export class WindowClock {
  /** Start and end of the open window, milliseconds since 1970; NaN before the first packet. */
  startMs = Number.NaN;
  endMs = Number.NaN;
  /**
   * Time for flow state: whole milliseconds since the first packet, never going back. Small whole numbers are kept
   * unboxed by the engine; packet time itself would be an object a packet.
   */
  flowMs = 0;
  /** Times the clock stepped back or leapt. */
  steps = 0;
  readonly #lengthMs: number;
  /** What packet time lacks to flow time, whole milliseconds. */
  #toFlowMs = 0;
  /** Newest time, but for what the open second knows better. */
  #lastMs = 0;
  /** The second that packets are in now, whole inside the open window; -1 without one. Its start in flow time. */
  #second = -1;
  #secondFlowMs = 0;
  /** Newest nanosecond in it. */
  #nanoseconds = 0;

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /**
   * Takes the time of the next packet; `close(startMs, endMs)` is called for every window that ends before it.
   * After the call `flowMs` is this packet's place in monotonic time.
   */
  packet(
    seconds: number,
    nanoseconds: number,
    close: (startMs: number, endMs: number) => void,
  ): void {
    if (seconds !== this.#second) {
      this.advance(seconds * 1000 + nanoseconds / NANOSECONDS_PER_MS, close);
      this.#openSecond(seconds, nanoseconds);
      return;
    }
    // Nearly every packet: another of the same second, for which whole numbers are enough.
    if (nanoseconds <= this.#nanoseconds) return;
    this.#nanoseconds = nanoseconds;
    const flowMs = this.#secondFlowMs + ((nanoseconds / NANOSECONDS_PER_MS) | 0);
    if (flowMs > this.flowMs) this.flowMs = flowMs;
  }

  /** The same for any time, that of a packet or of the wall clock. */
  advance(timeMs: number, close: (startMs: number, endMs: number) => void): void {
    this.#leaveSecond();
    if (Number.isNaN(this.endMs)) {
      this.#toFlowMs = -Math.floor(timeMs);
      this.#open(timeMs);
    } else if (timeMs >= this.endMs) this.#forward(timeMs, close);
    else if (timeMs < this.#lastMs - LATE_MS) this.#step(timeMs, close);
    if (timeMs > this.#lastMs) this.#lastMs = timeMs;
    this.flowMs = this.flowTime(this.#lastMs);
  }

  /** A packet time as flow time. */
  flowTime(timeMs: number): number {
    return Math.floor(timeMs) + this.#toFlowMs;
  }

  /** Closes the open window; a packet that comes later all the same opens the next. */
  finish(close: (startMs: number, endMs: number) => void): void {
    if (Number.isNaN(this.endMs)) return;
    this.#leaveSecond();
    close(this.startMs, this.endMs);
    this.startMs = this.endMs;
    this.endMs += this.#lengthMs;
  }

  #openSecond(seconds: number, nanoseconds: number): void {
    const startMs = seconds * 1000;
    if (startMs < this.startMs || startMs + 1000 > this.endMs) return;
    this.#second = seconds;
    this.#secondFlowMs = startMs + this.#toFlowMs;
    this.#nanoseconds = nanoseconds;
  }

  #leaveSecond(): void {
    if (this.#second < 0) return;
    const newestMs = this.#second * 1000 + this.#nanoseconds / NANOSECONDS_PER_MS;
    if (newestMs > this.#lastMs) this.#lastMs = newestMs;
    this.#second = -1;
  }

  #forward(timeMs: number, close: (startMs: number, endMs: number) => void): void {
    if (timeMs - this.#lastMs > LEAP_MS) {
      this.#step(timeMs, close);
      return;
    }
    close(this.startMs, this.endMs);
    if (timeMs - this.endMs > SILENCE_MS) {
      const silenceEndMs = this.#floor(timeMs);
      close(this.endMs, silenceEndMs);
      this.#open(timeMs);
      return;
    }
    for (;;) {
      this.startMs = this.endMs;
      this.endMs += this.#lengthMs;
      if (timeMs < this.endMs) return;
      close(this.startMs, this.endMs);
    }
  }

  #step(timeMs: number, close: (startMs: number, endMs: number) => void): void {
    close(this.startMs, this.endMs);
    this.steps++;
    this.#toFlowMs += Math.floor(this.#lastMs) - Math.floor(timeMs);
    this.#lastMs = timeMs;
    this.#open(timeMs);
  }

  #open(timeMs: number): void {
    this.startMs = this.#floor(timeMs);
    this.endMs = this.startMs + this.#lengthMs;
  }

  #floor(timeMs: number): number {
    return Math.floor(timeMs / this.#lengthMs) * this.#lengthMs;
  }
}
