// SPDX-License-Identifier: AGPL-3.0-or-later
import { detectors } from "../src/detect/all.ts";
import { DetectionEngine } from "../src/detect/engine.ts";
import { parseSettings } from "../src/detect/settings.ts";
import type { TrackerRows } from "../src/flow/window.ts";
import { MetricsRegistry } from "../src/metrics/registry.ts";
import { createSensorLayouts, sensorSignals } from "../src/sensor-metrics.ts";
import { pairRow } from "../test/support/attack-rows.ts";
import { randomOf } from "../test/support/detection-bench.ts";
import { agentTalkRow, metadataAskRow } from "../test/support/gallery-agents.ts";
import { aiAgentRow, aiCallRow, destinationRow } from "../test/support/gallery-ai.ts";
import { aiFlowRow, applicationRow } from "../test/support/gallery-covert.ts";
import {
  arpRow,
  handshakeRow,
  makeWindow,
  START_MS,
  type WindowParts,
} from "../test/support/windows.ts";

/** Seconds and number of the windows that fill the baselines of signals, and of those that fill a week of hours. */
const FINE = { seconds: 10, windows: 400 };
const COARSE = { seconds: 3600, windows: 170 };
/** Windows in which hosts call: a day of hours, one more, and the last, in which they are also everywhere else. */
const WINDOWS_WITH_CALLS = 26;
/** Hosts in each of them, as many as detectors keep. */
const HOSTS = 4096;
/** Of what detectors keep most of, so many to each host. */
const EACH = 8;

/** An engine and its registry, all of whose memories are as full as they get. */
export function filled(): { engine: DetectionEngine; registry: MetricsRegistry } {
  const registry = new MetricsRegistry({ seriesBudget: 100_000 });
  const layout = createSensorLayouts().counters;
  const context = { isHome: () => true };
  const remembering = detectors.filter((detector) => {
    const { own } = parseSettings(detector, {});
    return detector.create(own, context).remember !== undefined;
  });
  const engine = new DetectionEngine({
    ...{ layout, signals: sensorSignals, detectors: remembering, settings: {} },
    ...{ registry, context, agent: "bench" },
  });
  const random = randomOf(1);
  let startMs = START_MS;
  const step = (seconds: number, parts: Omit<WindowParts, "startMs"> = {}): void => {
    const counters = Float64Array.from({ length: layout.size }, () => 1e6 * random());
    const window = makeWindow({ ...parts, startMs, seconds, counters });
    startMs = window.endMs;
    engine.tick(window, null);
  };
  for (let at = 0; at < FINE.windows; at++) step(FINE.seconds);
  for (let at = 0; at < COARSE.windows; at++) {
    const left = COARSE.windows - at;
    const rows = left <= WINDOWS_WITH_CALLS ? calling(random) : {};
    step(COARSE.seconds, left === 1 ? everywhere(rows) : { rows });
  }
  return { engine, registry };
}

const hosts = Array.from({ length: HOSTS }, (_, host) => `2001:db8:1:2:3:4:${hex(host)}:5`);

/** Calls of as many hosts as are kept. */
function calling(random: () => number): Partial<TrackerRows> {
  return {
    ai_calls: hosts.map((client) =>
      aiCallRow({ client, calls: Math.ceil(900 * random()), upBytes: Math.ceil(1e7 * random()) }),
    ),
    ai_flows: hosts.map((client) => aiFlowRow({ client, completed: 3 })),
    ai_agents: hosts.map((client) => aiAgentRow({ client, calls: 1, repliedMs: START_MS })),
    ai_destinations: hosts.map((client) => destinationRow({ client })),
  };
}

/** Of each host as much as is kept. */
function everywhere(rows: Partial<TrackerRows>): Omit<WindowParts, "startMs"> {
  const each = hosts.flatMap((client, host) =>
    Array.from({ length: EACH }, (_, one) => ({ client, one: EACH * host + one })),
  );
  const more: Partial<TrackerRows> = {
    ai_destinations: each.map(({ client, one }) =>
      destinationRow({ client, destination: `destination-${one}.example` }),
    ),
    agent_talks: each.map(({ client, one }) =>
      agentTalkRow({ client, server: addressOf(0, one), messages: 1 }),
    ),
    pairs: each.map(({ client, one }) =>
      pairRow({ client, server: addressOf(1, one), connections: 1 }),
    ),
    metadata_asks: each.map(({ client, one }) =>
      metadataAskRow({ client: `${client}${hex(one)}`, connections: 1 }),
    ),
    applications: each.map(({ one }) =>
      applicationRow({ application: `application${one}`, port: 1000 + (one % 30_000) }),
    ),
  };
  return {
    rows: { ...rows, ...more },
    handshakes: each.map(({ client, one }) =>
      handshakeRow({ destination: client.replace("2001", "fd00"), port: one, established: 1 }),
    ),
    arp: each.map(({ one }) =>
      arpRow({ address: addressOf(2, one), mac: `02:00:00:00:${hex(one)}` }),
    ),
    tallies: {
      "tls.ja4": each.map(({ one }) => [`t13d1516h2_8daaf6152771_e5627efa${hex(one)}`, 1]),
    },
  };
}

function addressOf(network: number, host: number): string {
  return `10.${network}.${host >> 8}.${host & 255}`;
}

function hex(number: number): string {
  return number.toString(16).padStart(4, "0");
}
