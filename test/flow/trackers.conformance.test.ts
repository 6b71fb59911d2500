// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { emptyPacket } from "../../src/decode/packet.ts";
import { trackers } from "../../src/flow/all.ts";
import type { RowRules } from "../../src/flow/tracker.ts";
import { APPLICATION_NAMES, NETWORK_NAMES } from "../support/flow-harness.ts";
import { heldMemory } from "../support/memory.ts";
import { create, emptyClaim, emptyDns, emptyFlow, feed, setFlow, T0 } from "./tracker-feed.ts";

const ENTITIES = 200_000;

describe.each(trackers.map((definition) => [definition.name, definition] as const))(
  "tracker %s",
  (_, definition) => {
    const rules = definition.rows as RowRules<unknown>;

    it("stays within its bounds under random entities, and counts what it drops", () => {
      const subject = create(definition);
      feed(subject, definition, 0, ENTITIES);
      expect(subject.tracker.size()).toBeLessThanOrEqual(definition.capacity);
      expect(subject.tracker.size()).toBeGreaterThan(definition.capacity / 2);
      if (definition.shared) expect(subject.evicted).toBe(0);
      else expect(subject.evicted).toBeGreaterThan(ENTITIES / 2);
      const rows = subject.tracker.close(T0 + ENTITIES);
      expect(rows.length).toBe(rules.limit);
    }, 60_000);

    it("allocates nothing after its creation but rows", () => {
      const subject = create(definition);
      const fed = [emptyFlow(), emptyClaim(), emptyDns()] as const;
      feed(subject, definition, 0, 0, ...fed);
      const before = heldMemory().arrayBuffers;
      feed(subject, definition, 0, 20_000, ...fed);
      expect(heldMemory().arrayBuffers).toBeLessThan(before + 1024);
    });

    it("starts every window at zero", () => {
      const subject = create(definition);
      feed(subject, definition, 1);
      const first = subject.tracker.close(T0 + 1000);
      expect(first.length).toBeGreaterThan(0);
      expect(subject.tracker.close(T0 + 2000)).toEqual([]);
    });

    it("hands over plain data that it does not touch again", () => {
      const subject = create(definition);
      feed(subject, definition, 1);
      const rows = subject.tracker.close(T0 + 1000);
      const copy = structuredClone(rows);
      feed(subject, definition, 0, 100);
      subject.tracker.close(T0 + 2000);
      expect(rows).toEqual(copy);
    });

    it("keeps nothing of a packet or a flow but numbers", () => {
      const [poisoned, clean] = [create(definition), create(definition)];
      feed(clean, definition, 0, 50);
      for (let index = 0; index <= 50; index++) {
        const [flow, packet, dns] = [emptyFlow(), emptyClaim(), emptyDns()];
        feed(poisoned, definition, index, index, flow, packet, dns);
        new Uint8Array(packet.view.buffer).fill(0xee);
        for (const { facts } of dns) facts.dns?.messages[0]?.name.bytes.fill(0xee);
        for (const one of [packet, ...dns]) Object.assign(one, emptyPacket({}));
        setFlow(flow, 999_999, 1);
      }
      expect(poisoned.tracker.close(T0 + 5000)).toEqual(clean.tracker.close(T0 + 5000));
    });

    it("merges rows of the same entity, and any row with itself keeps its key", () => {
      const subject = create(definition);
      feed(subject, definition, 0, 20);
      const rows = subject.tracker.close(T0 + 5000);
      expect(new Set(rows.map(rules.key)).size).toBe(rows.length);
      for (const row of rows) {
        const merged = rules.merge(row, row);
        expect(rules.key(merged)).toBe(rules.key(row));
        expect(rules.weight(merged)).toBeGreaterThanOrEqual(rules.weight(row));
        expect(Object.keys(merged as object).sort()).toEqual(Object.keys(row as object).sort());
      }
    });

    it("is declared whole", () => {
      expect(definition.help.length).toBeGreaterThan(10);
      expect(definition.name).toMatch(/^[a-z][a-z_]*$/);
      const { events, packets, application, recognised, volumes, named, calls, agents } =
        definition;
      const asked = [events, packets, application, recognised, volumes, named, calls, agents];
      expect(asked.some((one) => one !== undefined)).toBe(true);
      if (packets) expect(NETWORK_NAMES).toEqual(expect.arrayContaining([packets].flat()));
      if (application)
        expect(APPLICATION_NAMES).toEqual(expect.arrayContaining([application].flat()));
    });
  },
);
