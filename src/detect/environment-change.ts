// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import type { Detector, DetectorDefinition, Finding, SignalState, Tick } from "./detector.ts";
import { Hysteresis, isAway, isJudged } from "./guards.ts";
import { timeFilter } from "./suggestions.ts";
import { count, number, rate } from "./text.ts";

const settings = z.strictObject({});

/** Many signals at once: one event instead of one for each. */
export const environmentChange: DetectorDefinition<z.infer<typeof settings>> = {
  name: "environment_change",
  class: "environment",
  help: "So many signals leave their baselines at once that the cause is not in one of them: a link that went down or came up, a capture that moved. Statistical detectors are silent meanwhile. A warning where most of them fell; that many rise together is mostly work that begins.",
  severities: ["info", "warning"],
  settings,
  quietSeconds: 60,
  alarmsPerWeek: 2,
  create: () => new EnvironmentChange(),
};

class EnvironmentChange implements Detector {
  readonly #changed = new Hysteresis();

  evaluate(tick: Tick): Finding[] {
    if (!this.#changed.update(tick.environment.changed ? 1 : 0, 1, 1)) return [];
    const away = tick.signals
      .filter((signal) => isJudged(signal) && isAway(signal))
      .sort((a, b) => Math.abs(b.z) - Math.abs(a.z));
    return [findingOf(tick, away)];
  }
}

function findingOf(tick: Tick, away: readonly SignalState[]): Finding {
  const { judged, limit } = tick.environment;
  const lower = away.filter(({ z }) => z < 0).length;
  return {
    entity: { kind: "agent", key: "environment" },
    severity: lower * 2 > away.length ? "warning" : "info",
    protocol: "all",
    observed: away.length,
    expected: 0,
    threshold: { value: limit, setting: "detectors.guards.environment_ratio" },
    windowSeconds: tick.seconds,
    samples: judged,
    evidence: away
      .slice(0, 5)
      .map(
        ({ name, value, mean, unit }) =>
          `${name}: ${rate(value, unit)}, usually ${rate(mean, unit)}`,
      ),
    explanation: `${count(away.length, "signal")} of ${number(judged)} left their baselines at once, ${number(lower)} of them downwards: a link, the capture or the whole network changed rather than one service.`,
    suggestion: {
      wireshark_filter: timeFilter(tick, 10),
      promql: 'count(abs(nam_signal_zscore{baseline="ewma"}) > 5)',
    },
  };
}
