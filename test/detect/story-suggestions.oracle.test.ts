// SPDX-License-Identifier: AGPL-3.0-or-later
// What an event suggests to look at next, tried: tshark shows the packets it is about, and Prometheus takes the query.
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { pcap } from "../../scripts/fixtures/capture-file.ts";
import type { Host } from "../../scripts/fixtures/frames.ts";
import type { Scene } from "../../scripts/fixtures/scene.ts";
import type { Anomaly, Entity } from "../../src/detect/detector.ts";
import { hasTool } from "../support/tool.ts";
import { later, soon } from "./stories/all.ts";
import { browse, connect, HOUR, page } from "./stories/office.ts";
import { framesOf, play, type Story } from "./stories/story.ts";

const run = promisify(execFile);
const OUTPUT_MAX = 64e6;
/** Nobody of these is in any story. */
const NEIGHBOUR: Host = { mac: "02:00:00:00:ee:01", ip: "10.20.9.1" };
const PRINTER: Host = { mac: "02:00:00:00:ee:02", ip: "10.20.9.2" };

const folder = mkdtempSync(join(tmpdir(), "nam-suggestions-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const neighbours = framesOf(everydayLife);
const queries = new Set<string>();

describe.skipIf(!hasTool("tshark")).concurrent("the display filter of", () => {
  it.each(
    [...soon, ...later].map((story, at) => [story.detector, story.attack, story, at] as const),
  )(
    "%s shows some of the packets, and not everything: %s",
    async (_detector, _attack, story, at) => {
      const { suggestion, entity } = await told(story, join(folder, `${at}.pcap`));
      queries.add(suggestion.promql);
      const path = join(folder, `${at}-among-others.pcap`);
      writeFileSync(path, pcap([...neighbours, ...framesOf(story.attacks)]));
      const shown = await macsShown(path, suggestion.wireshark_filter);
      const others = shown.filter((macs) => macs.includes(NEIGHBOUR.mac)).length;
      expect(shown.length - others, suggestion.wireshark_filter).toBeGreaterThan(0);
      const most = isOfAddress(entity) ? 0 : neighbours.length - 1;
      expect(others, suggestion.wireshark_filter).toBeLessThanOrEqual(most);
    },
  );
});

describe.skipIf(!hasTool("promtool", "prometheus"))("the query of every story", () => {
  it("is PromQL", () => {
    expect(queries.size).toBeGreaterThan(20);
    const rules = [...queries].map((expr, at) => ({ record: `test:query:${at}`, expr }));
    const path = join(folder, "rules.json");
    writeFileSync(path, JSON.stringify({ groups: [{ name: "stories", rules }] }));
    expect(() => execFileSync("promtool", ["check", "rules", path])).not.toThrow();
  });
});

/** What the story's detector says of it first. */
async function told(story: Story, path: string): Promise<Anomaly> {
  const events = await play(story.attacks, path, story.settings);
  const event = events.find(({ detector }) => detector === story.detector);
  if (!event) throw new Error(`${story.detector} does not find ${story.attack}`);
  return event;
}

/** The MAC addresses of each packet that a filter selects. */
async function macsShown(path: string, filter: string): Promise<string[]> {
  const args = ["-n", "-r", path, "-Y", filter, "-T", "fields", "-e", "eth.addr"];
  const { stdout } = await run("tshark", args, { maxBuffer: OUTPUT_MAX });
  return stdout.split("\n").filter((line) => line !== "");
}

/** True where an event is about certain addresses, and has nothing to say of those of others. */
function isOfAddress({ kind, source, destination, mac }: Entity): boolean {
  return kind !== "signal" && kind !== "agent" && (source ?? destination ?? mac) !== undefined;
}

/** An hour before any story, a neighbour finds the printer, pings it, prints, and reads the news. */
function everydayLife(scene: Scene): void {
  const atUs = -HOUR;
  scene.resolve(atUs, NEIGHBOUR, PRINTER);
  scene.ping(atUs + 1e5, NEIGHBOUR, PRINTER, 1);
  connect(
    scene,
    atUs + 2e5,
    { client: NEIGHBOUR, server: PRINTER, port: 631, number: 1 },
    page("/"),
  );
  browse(scene, atUs + 3e5, NEIGHBOUR, 1);
}
