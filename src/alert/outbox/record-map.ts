// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Bodies, Kind, StoredRecord } from "./records.ts";

/** Records by kind, channel and id, in the order they came. */
export class RecordMap {
  readonly #byKind = new Map<Kind, Map<string, StoredRecord>>();

  set(record: StoredRecord): void {
    this.#of(record.kind).set(keyOf(record.channel, record.id), record);
  }

  has(kind: Kind, channel: string, id: string): boolean {
    return this.#of(kind).has(keyOf(channel, id));
  }

  /** True if there was one. */
  delete(kind: Kind, channel: string, id: string): boolean {
    return this.#of(kind).delete(keyOf(channel, id));
  }

  /** Those of one kind, of one channel where it is named. */
  list<K extends Kind>(kind: K, channel?: string): StoredRecord<K>[] {
    const all = [...this.#of(kind).values()] as StoredRecord<K>[];
    return channel === undefined ? all : all.filter((record) => record.channel === channel);
  }

  all(): StoredRecord[] {
    return [...this.#byKind.values()].flatMap((records) => [...records.values()]);
  }

  body<K extends Kind>(kind: K, channel: string, id: string): Bodies[K] | undefined {
    return this.#of(kind).get(keyOf(channel, id))?.body as Bodies[K] | undefined;
  }

  #of(kind: Kind): Map<string, StoredRecord> {
    let records = this.#byKind.get(kind);
    if (!records) {
      records = new Map();
      this.#byKind.set(kind, records);
    }
    return records;
  }
}

function keyOf(channel: string, id: string): string {
  return `${channel}\n${id}`;
}
