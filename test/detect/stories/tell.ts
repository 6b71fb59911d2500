// SPDX-License-Identifier: AGPL-3.0-or-later
// What every story has to prove.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { detectSettings } from "../../../src/detect/all.ts";
import type { Anomaly } from "../../../src/detect/detector.ts";
import { Sharkd } from "../../support/sharkd.ts";
import { hasTool } from "../../support/tool.ts";
import { play, type Story } from "./story.ts";
import { expectFilterToShow, expectPromql } from "./suggestion.ts";

/** Tells stories through the whole agent: each detector finds its attack, explains it, and is silent otherwise. */
export function tell(stories: readonly Story[]): void {
  const wireshark = hasTool("sharkd", "tshark") ? new Sharkd() : null;
  const folder = mkdtempSync(join(tmpdir(), "nam-stories-"));
  afterAll(() => {
    wireshark?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const queries = new Set<string>();

  describe.each(stories)("$detector", (story) => {
    const { detector, settings } = story;
    const path = join(folder, `${detector}.pcap`);
    let attack: Promise<readonly Anomaly[]> | undefined;
    const attacked = (): Promise<readonly Anomaly[]> => {
      attack ??= play(story.attacks, path, settings);
      return attack;
    };

    it(`finds ${story.attack}`, async () => {
      const events = await attacked();
      expect(events.map((event) => event.detector)).toContain(detector);
      for (const event of events) expectExplained(event);
    });

    it.skipIf(!wireshark)("suggests a display filter that shows it", async () => {
      const event = (await attacked()).find((each) => each.detector === detector);
      if (!event) throw new Error(`${detector} does not find ${story.attack}`);
      queries.add(event.suggestion.promql);
      const capture = join(folder, `${detector}-among-others.pcap`);
      await expectFilterToShow(event, story.attacks, capture, wireshark as Sharkd);
    });

    it(`says nothing of ${story.harmless}`, async () => {
      const events = await play(story.behaves, path, settings);
      const told = events.filter(
        (event) => event.severity !== "info" || event.detector === detector,
      );
      expect(told.map(({ explanation }) => explanation)).toEqual([]);
    });
  });

  it.skipIf(!wireshark || !hasTool("promtool", "prometheus"))("suggest queries in PromQL", () => {
    expect(queries.size).toBeGreaterThan(stories.length / 4);
    expectPromql(queries, folder);
  });
}

/** Observed, expected, how far, over which window, which setting, top evidence, and one sentence. */
function expectExplained(event: Anomaly): void {
  const { observed, expected, z, window_s, samples, threshold, evidence, explanation } = event;
  const about = `${event.detector}: ${JSON.stringify(event)}`;
  expect(
    [observed, expected, threshold.value, window_s, samples].every(Number.isFinite),
    about,
  ).toBe(true);
  expect(observed, about).not.toBe(expected);
  if (z !== null) expect(Number.isFinite(z) && z !== 0, about).toBe(true);
  expect(window_s, about).toBeGreaterThan(0);
  expect(samples, about).toBeGreaterThan(0);
  expect(KNOWN_SETTINGS.has(threshold.setting), about).toBe(true);
  expect(evidence.length, about).toBeGreaterThan(0);
  expect(evidence[0], about).toMatch(/\S{3,}/);
  expect(explanation, about).toMatch(/^\S.{30,400}\.$/);
  expect(explanation.split(/[.!?] [A-Z]/), about).toHaveLength(1);
  expect(event.suggestion.wireshark_filter, about).toMatch(/\S/);
  expect(event.suggestion.promql, about).toMatch(/nam_/);
}

/** Every setting of every detector, and those of all, as `threshold.setting` names them. */
const KNOWN_SETTINGS: ReadonlySet<string> = new Set(
  Object.entries(detectSettings.parse({})).flatMap(([section, values]) =>
    Object.keys(values as object).map((name) => `detectors.${section}.${name}`),
  ),
);
