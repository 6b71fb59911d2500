// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { registrableName } from "../../util/registrable-name.ts";
import { i32 } from "../../util/typed.ts";
import { hashAddress, hashKey, hashText } from "../hash.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import { hostOf } from "./host-value.ts";

const CAPACITY = 16_384;
const IDLE_MS = 7 * 24 * 3_600_000;
/** Words of a destination: who went there first, by hash, and whether others did. */
const FIRST_CLIENT = 0;
const IS_SHARED = 1;
const LIFE_WORDS = 2;

/** What a destination is known by, behind the four words of a client's address: as good as different for each. */
export const DESTINATION_AT = 4;
export const DESTINATION_WORDS = 2;

/** Host name in the hello or the request that the packet completes; empty without one. */
export function hostIn(packet: Packet): string {
  const { hello, http } = packet.facts;
  if (hello?.packet === packet.number) return hello.sni;
  return http?.packet === packet.number ? hostOf(http.host(packet) ?? "") : "";
}

/** The part of a host name that somebody registered; a name without one is itself. */
export function destinationOf(host: string): string {
  const name = host.endsWith(".") ? host.slice(0, -1) : host;
  return registrableName(name) ?? name;
}

/** Whether more than one client goes to a destination, within a week. */
export class DestinationNames {
  readonly #table: EntityTable;
  readonly #clientKey: number = 0;
  readonly #firstKey: number = 0;
  readonly #secondKey: number = 0;

  constructor(hashSeed: number, evicted: (count: number) => void) {
    this.#clientKey = hashKey(hashSeed, "destination client");
    this.#firstKey = hashKey(hashSeed, "destination");
    this.#secondKey = hashKey(hashSeed, "destination, second word");
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, keyWords: DESTINATION_WORDS, windowWords: 0 },
      ...{ lifeWords: LIFE_WORDS, idleMs: IDLE_MS, hashSeed, evicted },
    });
  }

  /**
   * A client, whose address is in `key`, goes to the destination: writes the words that this is known by behind the
   * address. Returns 1, or 2 where other clients went there.
   */
  note(destination: string, key: Int32Array, timeMs: number): number {
    const table = this.#table;
    table.key[0] = key[DESTINATION_AT] = hashText(destination, this.#firstKey);
    table.key[1] = key[DESTINATION_AT + 1] = hashText(destination, this.#secondKey);
    const slot = table.claim(timeMs);
    const row = table.row(slot);
    const client = hashAddress(
      ...([i32(key, 0), i32(key, 1), i32(key, 2), i32(key, 3)] as const),
      this.#clientKey,
    );
    if (table.isNew) table.rows[row + FIRST_CLIENT] = client;
    else if (i32(table.rows, row + FIRST_CLIENT) !== client) {
      table.rows[row + IS_SHARED] = 1;
      // What many use is new to nobody: it is the last to be forgotten.
      table.weigh(slot, 1);
    }
    return 1 + table.value(slot, IS_SHARED);
  }

  /** Ends a window. */
  close(timeMs: number): void {
    this.#table.endWindow(timeMs);
  }
}
