// SPDX-License-Identifier: AGPL-3.0-or-later
import type { FlowRows } from "./flow-rows.ts";
import {
  emptyFlowKey,
  FlowEvent,
  type FlowKey,
  type Tracker,
  type TrackerDefinition,
} from "./tracker.ts";

type Listener = (event: number, flow: FlowKey) => void;

/** Hands flow events to the trackers that asked for them, through one reused FlowKey. */
export class FlowEvents {
  readonly #rows: FlowRows;
  readonly #listeners: readonly Listener[][] = Object.values(FlowEvent).map(() => []);
  readonly #key: FlowKey = emptyFlowKey();

  constructor(rows: FlowRows) {
    this.#rows = rows;
  }

  subscribe(definition: Pick<TrackerDefinition, "events">, tracker: Partial<Tracker>): void {
    // Bound, because looking the method up in one of thirty classes costs as much as most of them do with the event.
    const listener = tracker.onFlow?.bind(tracker) as Listener;
    for (const event of definition.events ?? []) this.#listeners[event]?.push(listener);
  }

  /** The flow that the next events are about, and the packet that makes them: who sent it, its flags and length. */
  about(slot: number, timeMs: number, side: number, tcpFlags: number, lengthBytes: number): void {
    const key = this.#key;
    this.#rows.readKey(slot, key);
    key.timeMs = timeMs;
    key.side = side;
    key.tcpFlags = tcpFlags;
    key.lengthBytes = lengthBytes;
    key.state = this.#rows.state(slot);
  }

  say(event: number): void {
    const listeners = this.#listeners[event] as Listener[];
    for (let i = 0; i < listeners.length; i++) (listeners[i] as Listener)(event, this.#key);
  }
}
