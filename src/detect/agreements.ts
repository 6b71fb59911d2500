// SPDX-License-Identifier: AGPL-3.0-or-later
import { BoundedMap } from "./bounded-map.ts";
import type { Tick } from "./detector.ts";
import type { TargetRow } from "./flood-targets.ts";

const CAPACITY = 4096;
/** How long after the connection a stream may go on that was agreed upon in it. */
const VALID_MS = 3_600_000;

/**
 * Streams over UDP that their target asked for: it let the sender connect to the very same port over TCP, as measuring
 * programs do before they send as fast as they can.
 */
export class Agreements {
  readonly #since = new BoundedMap<number>(CAPACITY);

  update({ window, elapsedMs }: Tick): void {
    for (const { destination, port, established, topSource } of window.rows.handshakes) {
      if (established === 0 || topSource === "") continue;
      const key = keyOf(topSource, destination, port);
      this.#since.delete(key);
      this.#since.use(key, () => elapsedMs);
    }
    for (const [key, sinceMs] of this.#since.entries()) {
      if (elapsedMs - sinceMs < VALID_MS) return;
      this.#since.delete(key);
    }
  }

  /** True for packets of one source to a port at which it was let in. */
  covers({ topSource, destination, topPort }: TargetRow): boolean {
    return this.#since.peek(keyOf(topSource, destination, topPort)) !== undefined;
  }
}

function keyOf(source: string, destination: string, port: number): string {
  return `${source} ${destination} ${port}`;
}
