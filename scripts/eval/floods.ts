// SPDX-License-Identifier: AGPL-3.0-or-later
import { handshakeFailure } from "../../src/detect/handshake-failure.ts";
import { synFlood } from "../../src/detect/syn-flood.ts";
import { DetectionBench, randomOf } from "../../test/support/detection-bench.ts";
import { type HandshakeRow, handshakeRow } from "../../test/support/windows.ts";
import { percent, quantileText, table } from "./section.ts";
import { poisson } from "./traffic.ts";

const RUNS = 32;
const WARM_SECONDS = 300;
const ATTACK_SECONDS = 60;

/** SYN floods over a service's usual load, and how long until they are told. */
export function floodTable(): string {
  const rows = [2, 20, 200].flatMap((usual) =>
    [1, 3, 10].map((factor) => {
      const runs = Array.from({ length: RUNS }, (_, seed) => flood(usual, factor, seed));
      const cell = (which: "warning" | "critical"): string => {
        const found = runs.map((run) => run[which]).filter((delay) => delay !== null);
        return `${percent(found.length, RUNS)}, ${quantileText(found, 0.5)} / ${quantileText(found, 0.95)}`;
      };
      return [`${usual}/s`, `+${factor}×`, cell("warning"), cell("critical")];
    }),
  );
  return table(
    ["Usual load", "Flood", "Warning: found, median / p95", "Critical: found, median / p95"],
    rows,
  );
}

/** A day in which the far side answers badly 24 times, without any attack: alarms a day. */
export function faultTable(): string {
  const rows = [2, 20, 200].map((usual) => {
    const random = randomOf(usual);
    const bench = new DetectionBench({ detectors: [synFlood, handshakeFailure] });
    let answered = 1;
    let left = 0;
    bench.run(86_400, () => {
      if (left === 0 && random() < 24 / 86_400) {
        left = 20 + Math.round(60 * random());
        answered = 0.5 + 0.4 * random();
      }
      left = Math.max(0, left - 1);
      return { handshakes: [service(usual, 0, left > 0 ? answered : 1, random)] };
    });
    const opened = (severity: string): number =>
      bench.events.filter((event) => event.severity === severity && event.state !== "resolved")
        .length;
    return [`${usual}/s`, opened("warning"), opened("critical")];
  });
  return table(["Usual load", "Warnings in a day of 24 faults", "Criticals"], rows);
}

function flood(
  usual: number,
  factor: number,
  seed: number,
): Record<"warning" | "critical", number | null> {
  const random = randomOf(1000 * usual + 10 * seed + factor);
  const bench = new DetectionBench({ detectors: [synFlood, handshakeFailure] });
  bench.run(WARM_SECONDS, () => ({ handshakes: [service(usual, 0, 1, random)] }));
  const found: Record<"warning" | "critical", number | null> = { warning: null, critical: null };
  for (let second = 1; second <= ATTACK_SECONDS; second++) {
    for (const { severity } of bench.step({
      handshakes: [service(usual, factor * usual, 1, random)],
    })) {
      if (severity !== "info") found.warning ??= second;
      if (severity === "critical") found.critical ??= second;
    }
  }
  return found;
}

/** One second of a service: who is answered finishes the handshake, the flood never does. */
function service(
  usual: number,
  flood: number,
  answered: number,
  random: () => number,
): HandshakeRow {
  const honest = poisson(usual, random);
  const established = Math.round(honest * answered);
  const attack = flood === 0 ? 0 : poisson(flood, random);
  return handshakeRow({
    syn: honest + attack,
    synAck: honest + attack,
    established,
    unanswered: honest - established,
    sources: Math.max(1, honest + attack),
  });
}
