// SPDX-License-Identifier: AGPL-3.0-or-later
import { type ChildProcess, fork } from "node:child_process";
import type { Window } from "./flow/window.ts";
import type { FromSensor, SensorOptions, ToSensor } from "./sensor-messages.ts";
import type { Clock } from "./util/clock.ts";
import { NamError } from "./util/errors.ts";
import type { Log } from "./util/log.ts";

const RESTART_FIRST_MS = 50;
const RESTART_MAX_MS = 30_000;
/** A sensor that lived this long starts its back-off from the beginning. */
const STABLE_MS = 60_000;
const STOP_TIMEOUT_MS = 2_000;

export interface SensorEvents {
  window(window: Window): void;
  /** It began or ceased to capture. */
  state(state: SensorState): void;
  /** It ended and is being started again. */
  restarted(): void;
}

/** State of one sensor, for the ready check and the status page. */
export interface SensorState {
  readonly interface: string;
  readonly source: string;
  readonly capturing: boolean;
  /** Why it is not capturing, or "". */
  readonly reason: string;
}

/**
 * One sensor process: forked with an empty environment, told what to capture, restarted with back-off when it
 * dies. Its windows arrive through `events.window`.
 */
export class Sensor {
  readonly #options: SensorOptions;
  readonly #events: SensorEvents;
  readonly #clock: Clock;
  readonly #log: Log;
  #child: ChildProcess | null = null;
  #stopping = false;
  #everUp = false;
  #startedMs = 0;
  #backoffMs = RESTART_FIRST_MS;
  #lastFailure: NamError | null = null;
  #state: SensorState;

  constructor(options: SensorOptions, events: SensorEvents, clock: Clock, log: Log) {
    this.#options = options;
    this.#events = events;
    this.#clock = clock;
    this.#log = log;
    this.#state = {
      interface: options.source.interfaceName,
      source: options.source.source,
      capturing: false,
      reason: "starting",
    };
  }

  get state(): SensorState {
    return this.#state;
  }

  /** Resolves when it captures; rejects with the sensor's own error if it cannot even once. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => this.#spawn(resolve, reject));
  }

  /** Asks it to finish its window and end; kills it when it does not. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (!child) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(STOP_TIMEOUT_MS, () => child.kill("SIGKILL"));
      child.once("exit", () => {
        cancel();
        resolve();
      });
      this.#tell({ type: "stop" });
    });
  }

  #spawn(onUp: () => void, onFailure: (error: NamError) => void): void {
    this.#startedMs = this.#clock.monotonicMs();
    this.#lastFailure = null;
    const child = fork(new URL("./sensor.js", import.meta.url), {
      serialization: "advanced",
      env: {},
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child = child;
    child.on("message", (message) => this.#receive(message as FromSensor, onUp));
    child.on("error", (error) => this.#log.error({ error: error.message }, "sensor process error"));
    child.on("exit", (code, signal) => this.#exited(code, signal, onFailure));
    this.#tell({ type: "start", options: this.#options });
  }

  #tell(message: ToSensor): void {
    // A send that races with the child's end reports here; the exit event handles it.
    this.#child?.send(message, () => {});
  }

  #receive(message: FromSensor, onUp: () => void): void {
    if (message.type === "window") {
      this.#tell({ type: "ack" });
      this.#setCapturing(message.capturing);
      this.#events.window(message.window);
    } else if (message.type === "up") {
      this.#everUp = true;
      this.#change({
        interface: message.interface,
        source: message.source,
        capturing: true,
        reason: "",
      });
      this.#log.info(
        { interface: message.interface, source: message.source, account: message.account },
        "sensor is capturing",
      );
      onUp();
    } else {
      this.#lastFailure = new NamError(message.code, message.message);
    }
  }

  #setCapturing(capturing: boolean): void {
    if (this.#state.capturing === capturing) return;
    const reason = capturing ? "" : "the interface is down";
    this.#change({ ...this.#state, capturing, reason });
  }

  #change(state: SensorState): void {
    this.#state = state;
    this.#events.state(state);
  }

  #exited(code: number | null, signal: string | null, onFailure: (error: NamError) => void): void {
    this.#child = null;
    const failure =
      this.#lastFailure ??
      new NamError("SENSOR_FAILED", `the sensor process ended (${signal ?? `exit code ${code}`})`);
    this.#change({ ...this.#state, capturing: false, reason: failure.message });
    if (this.#stopping) return;
    if (!this.#everUp) {
      onFailure(failure);
      return;
    }
    if (this.#clock.monotonicMs() - this.#startedMs > STABLE_MS) this.#backoffMs = RESTART_FIRST_MS;
    const delayMs = this.#backoffMs;
    this.#backoffMs = Math.min(RESTART_MAX_MS, this.#backoffMs * 2);
    this.#log.error({ reason: failure.message, delayMs }, "sensor ended; starting it again");
    this.#clock.after(delayMs, () => {
      if (this.#stopping) return;
      this.#events.restarted();
      this.#spawn(
        () => {},
        () => {},
      );
    });
  }
}
