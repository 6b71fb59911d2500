// SPDX-License-Identifier: AGPL-3.0-or-later
// What an event suggests to look at next, tried: Wireshark shows the packets it is about, and Prometheus takes the query.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { pcap } from "../../../scripts/fixtures/capture-file.ts";
import type { Host } from "../../../scripts/fixtures/frames.ts";
import type { Scene } from "../../../scripts/fixtures/scene.ts";
import type { Anomaly, Entity } from "../../../src/detect/detector.ts";
import type { Sharkd } from "../../support/sharkd.ts";
import { browse, connect, HOUR, page } from "./office.ts";
import { framesOf, type Telling } from "./story.ts";

/** Nobody of these is in any story. */
const NEIGHBOUR: Host = { mac: "02:00:00:00:ee:01", ip: "10.20.9.1" };
const PRINTER: Host = { mac: "02:00:00:00:ee:02", ip: "10.20.9.2" };

const neighbours = framesOf(everydayLife);

/** Expects the display filter of an event to show some packets of its attack, and not everything; `path` is for a capture. */
export async function expectFilterToShow(
  { suggestion, entity }: Anomaly,
  attacks: Telling,
  path: string,
  wireshark: Sharkd,
): Promise<void> {
  const filter = suggestion.wireshark_filter;
  writeFileSync(path, pcap([...neighbours, ...framesOf(attacks)]));
  await wireshark.load(path);
  const others = await wireshark.count(`(${filter}) && eth.addr == ${NEIGHBOUR.mac}`);
  expect((await wireshark.count(filter)) - others, filter).toBeGreaterThan(0);
  const most = isOfAddress(entity) ? 0 : neighbours.length - 1;
  expect(others, filter).toBeLessThanOrEqual(most);
}

/** Expects Prometheus to take every query. */
export function expectPromql(queries: Iterable<string>, folder: string): void {
  const rules = [...queries].map((expr, at) => ({ record: `test:query:${at}`, expr }));
  const path = join(folder, "rules.json");
  writeFileSync(path, JSON.stringify({ groups: [{ name: "stories", rules }] }));
  expect(() => execFileSync("promtool", ["check", "rules", path])).not.toThrow();
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
