// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import type { Detector, DetectorDefinition, Finding, SignalState, Tick } from "./detector.ts";
import { protocolFilter, signalQuery } from "./suggestions.ts";
import { count, rate } from "./text.ts";

const settings = z.strictObject({});

/** What was abnormal for so long that it is normal now. */
export const levelShift: DetectorDefinition<z.infer<typeof settings>> = {
  name: "level_shift",
  class: "volume",
  help: "A baseline that was frozen because of a deviation took the new level for normal after guards.freeze_seconds. Signals that shift together are one event.",
  severities: ["info"],
  settings,
  quietSeconds: 10,
  alarmsPerWeek: 20,
  create: (): Detector => ({ evaluate }),
};

function evaluate(tick: Tick): Finding[] {
  const [first, ...others] = tick.signals.filter(({ shiftSeconds }) => shiftSeconds > 0);
  return first ? [findingOf(tick, first, others)] : [];
}

function findingOf(tick: Tick, signal: SignalState, others: readonly SignalState[]): Finding {
  const { name, value, mean, unit, protocol, samples } = signal;
  const along = others.length > 0 ? ` (and ${count(others.length, "signal")} with it)` : "";
  return {
    entity: { kind: "signal", key: name, signal: name },
    severity: "info",
    protocol,
    observed: value,
    expected: mean,
    threshold: { value: signal.shiftSeconds, setting: "detectors.guards.freeze_seconds" },
    windowSeconds: tick.seconds,
    samples,
    evidence: [signal, ...others]
      .slice(0, 5)
      .map((state) => `${state.name}: now ${rate(state.mean, state.unit)}`),
    explanation: `${name}${along} stayed away from its baseline for so long that the new level, ${rate(mean, unit)}, is taken for normal from now on.`,
    suggestion: { wireshark_filter: protocolFilter(protocol), promql: signalQuery(name) },
  };
}
