// SPDX-License-Identifier: AGPL-3.0-or-later
import { lastingI32 } from "../../util/lasting.ts";
import { i32 } from "../../util/typed.ts";
import { hashAddress, hashKey, mix } from "../hash.ts";
import type { FlowKey } from "../tracker.ts";

/** An entry is the contact's print, and its flow with the time of the last attempt: a small cache stays near. */
const ENTRY_SHIFT = 1;
const FLOW_AND_TIME = 1;
/** Attempts are timed in units of a minute, modulo 17 hours. */
const TIME_BITS = 10;
const TIME_MASK = (1 << TIME_BITS) - 1;
const UNIT_MS = 60_000;
const SETTLED = 0x3fffff;

/**
 * Remembers (source, destination, port, protocol) contacts, so that only the first attempt of each counts: a cache
 * in which each contact has one place and the newer one wins it. A contact not tried for a while is new again.
 */
export class FirstContacts {
  readonly #entries: Int32Array;
  readonly #mask: number = 0;
  readonly #memoryUnits: number = 0;
  readonly #placeKey: number = 0;
  readonly #printKey: number = 0;
  #print = 0;

  /** `capacity` is a power of two; `memoryMs` counts whole minutes. */
  constructor(capacity: number, memoryMs: number, hashSeed: number) {
    this.#entries = lastingI32(capacity << ENTRY_SHIFT);
    this.#mask = capacity - 1;
    this.#memoryUnits = memoryMs / UNIT_MS;
    this.#placeKey = hashKey(hashSeed, "contact place");
    this.#printKey = hashKey(hashSeed, "contact print");
  }

  /** True for a contact that is not remembered: this flow is its first attempt from now on. */
  begin(flow: FlowKey): boolean {
    const entries = this.#entries;
    const at = this.#locate(flow);
    const time = Math.trunc(flow.timeMs / UNIT_MS) & TIME_MASK;
    const kept = i32(entries, at + FLOW_AND_TIME);
    const isKnown =
      i32(entries, at) === this.#print && ((time - kept) & TIME_MASK) < this.#memoryUnits;
    const slot = isKnown ? kept >>> TIME_BITS : flow.slot;
    entries[at] = this.#print;
    entries[at + FLOW_AND_TIME] = (slot << TIME_BITS) | time;
    return !isKnown;
  }

  /** True once for each first attempt: when its flow has an outcome. */
  settle(flow: FlowKey): boolean {
    const entries = this.#entries;
    const at = this.#locate(flow);
    const kept = i32(entries, at + FLOW_AND_TIME);
    if (i32(entries, at) !== this.#print || kept >>> TIME_BITS !== flow.slot) return false;
    entries[at + FLOW_AND_TIME] = (SETTLED << TIME_BITS) | (kept & TIME_MASK);
    return true;
  }

  /** Sets `#print` and returns the contact's place. */
  #locate(flow: FlowKey): number {
    const { client0, client1, client2, client3, server0, server1, server2, server3 } = flow;
    const service = (flow.serverPort << 8) | flow.ipProtocol;
    const client = hashAddress(client0, client1, client2, client3, this.#placeKey);
    const server = hashAddress(server0, server1, server2, server3, this.#printKey);
    const print = mix(mix(client ^ service, this.#printKey) ^ server, this.#placeKey);
    const place = mix(mix(server ^ service, this.#placeKey) ^ client, this.#printKey);
    this.#print = print === 0 ? 1 : print;
    return (place & this.#mask) << ENTRY_SHIFT;
  }
}
