// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../../util/typed.ts";
import { hashAddress, hashKey, mix } from "../hash.ts";
import type { FlowKey } from "../tracker.ts";

const ENTRY_SHIFT = 2;
const PRINT = 0;
const FLOW = 1;
const SECOND = 2;
const SETTLED = -1;

/**
 * Remembers (source, destination, port, protocol) contacts, so that only the first attempt of each counts: a cache
 * in which each contact has one place and the newer one wins it. A contact not tried for `memoryMs` is new again.
 */
export class FirstContacts {
  readonly #entries: Int32Array;
  readonly #mask: number = 0;
  readonly #memorySeconds: number = 0;
  readonly #placeKey: number = 0;
  readonly #printKey: number = 0;
  #print = 0;

  /** `capacity` is a power of two. */
  constructor(capacity: number, memoryMs: number, hashSeed: number) {
    this.#entries = new Int32Array(capacity << ENTRY_SHIFT);
    this.#mask = capacity - 1;
    this.#memorySeconds = memoryMs / 1000;
    this.#placeKey = hashKey(hashSeed, 4);
    this.#printKey = hashKey(hashSeed, 5);
  }

  /** True for a contact that is not remembered: this flow is its first attempt from now on. */
  begin(flow: FlowKey): boolean {
    const at = this.#locate(flow);
    const second = Math.trunc(flow.timeMs / 1000) | 0;
    const entries = this.#entries;
    const isKnown =
      i32(entries, at + PRINT) === this.#print &&
      ((second - i32(entries, at + SECOND)) | 0) < this.#memorySeconds;
    entries[at + SECOND] = second;
    if (isKnown) return false;
    entries[at + PRINT] = this.#print;
    entries[at + FLOW] = flow.slot;
    return true;
  }

  /** True once for each first attempt: when its flow has an outcome. */
  settle(flow: FlowKey): boolean {
    const at = this.#locate(flow);
    const entries = this.#entries;
    if (i32(entries, at + PRINT) !== this.#print || i32(entries, at + FLOW) !== flow.slot) {
      return false;
    }
    entries[at + FLOW] = SETTLED;
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
