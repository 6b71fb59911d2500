// SPDX-License-Identifier: AGPL-3.0-or-later
import { Worker } from "node:worker_threads";
import type {
  FromPackets,
  FromReplayWorker,
  PacketJob,
  ToReplayWorker,
} from "./replay-messages.ts";
import { messageOf, NamError } from "./util/errors.ts";
import { giveWay, othersGiveWay } from "./util/give-way.ts";

/**
 * A thread for a replay's packets, so that detection, and all that is loaded before it, happens beside them. It comes
 * up when this is constructed, begins when it is given a job, and waits where it would get far ahead.
 */
export class ReplayThread {
  readonly #worker = startWorker();
  /** One shared number: windows that were taken here. */
  readonly #taken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  /** Told before anyone followed. */
  #early: FromReplayWorker[] = [];
  #hear = (message: FromReplayWorker): void => void this.#early.push(message);
  #broken: string | null = null;
  #fail = (reason: string): void => {
    this.#broken ??= reason;
  };

  constructor() {
    this.#worker.on("message", (message: FromReplayWorker) => this.#hear(message));
    this.#worker.once("error", (error) => this.#fail(messageOf(error)));
    this.#worker.once("exit", (code) => this.#fail(`exit code ${code}`));
    // Whoever makes a thread and gives it nothing to do may end all the same.
    this.#worker.unref();
  }

  /** Begins a job; once. Packets that come as fast as they can go before what the calling thread does from now on. */
  begin(job: PacketJob): void {
    this.#tell({ type: "start", job, taken: this.#taken });
    if (job.settings.speed === null) giveWay();
  }

  /** Hands all that the job tells to `take`; resolves at its end. Throws INTERNAL where the thread broke. */
  async follow(take: (message: FromPackets) => void, signal?: AbortSignal): Promise<void> {
    const stop = (): void => this.#tell({ type: "stop" });
    this.#worker.ref();
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
    try {
      await new Promise<void>((resolve, reject) => {
        this.#fail = (reason) =>
          reject(new NamError("INTERNAL", `the thread that reads packets broke: ${reason}`));
        if (this.#broken !== null) this.#fail(this.#broken);
        this.#hear = (message) => {
          if (message.type === "done") resolve();
          else this.#take(message, take, reject);
        };
        for (const message of this.#early) this.#hear(message);
        this.#early = [];
      });
    } finally {
      signal?.removeEventListener("abort", stop);
      // Nobody waits for it: it has told all it had, and gives back much memory meanwhile.
      void this.#worker.terminate();
    }
  }

  #take(
    message: FromPackets,
    take: (message: FromPackets) => void,
    reject: (error: unknown) => void,
  ): void {
    try {
      take(message);
    } catch (error) {
      reject(error);
    }
    if (message.type !== "window") return;
    Atomics.add(this.#taken, 0, 1);
    Atomics.notify(this.#taken, 0);
  }

  #tell(message: ToReplayWorker): void {
    this.#worker.postMessage(message);
  }
}

function startWorker(): Worker {
  // Before it is there, so that it goes first itself.
  othersGiveWay();
  return new Worker(new URL("./replay-worker.js", import.meta.url));
}
