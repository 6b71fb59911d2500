// SPDX-License-Identifier: AGPL-3.0-or-later
import { type Anomaly, SEVERITIES, type Severity } from "../detect/detector.ts";
import type { Clock } from "../util/clock.ts";
import { endOfWindowMs } from "./schedule.ts";
import type { AlertSettings, RouteSettings } from "./settings.ts";
import { isLike } from "./silence.ts";
import type { Hush, Silences } from "./silences.ts";

/** Whether an anomaly may be told on a channel now. */
export interface Admission {
  /** Why it is not told; null where it is. */
  readonly refusal: "filtered" | Hush | null;
  readonly sendResolved: boolean;
  /** Monotonic milliseconds; it waits until then. In the past where it need not wait. */
  readonly heldUntilMs: number;
}

export type Gate = (anomaly: Anomaly) => Admission;

export interface GateOptions {
  readonly channel: {
    readonly name: string;
    readonly minimumSeverity: Severity;
    readonly sendResolved: boolean;
  };
  readonly settings: Pick<AlertSettings, "routes">;
  readonly silences: Pick<Silences, "hush">;
  readonly clock: Clock;
}

/** What lets anomalies through to one channel: its minimum severity, the routes, and what silences them. */
export function gateOf({ channel, settings, silences, clock }: GateOptions): Gate {
  const routes = routesTo(channel.name, settings.routes);
  return (anomaly) => {
    const route = routes?.find((candidate) => takes(candidate, anomaly));
    const sendResolved = route?.send_resolved ?? channel.sendResolved;
    const isRouted = routes === null || route !== undefined;
    if (!isRouted || rank(anomaly.severity) < rank(channel.minimumSeverity)) {
      return { refusal: "filtered", sendResolved, heldUntilMs: 0 };
    }
    const quietMs = route ? quietForMs(route, anomaly, clock.now()) : 0;
    const heldUntilMs = quietMs > 0 ? clock.monotonicMs() + quietMs : 0;
    return { refusal: silences.hush(anomaly), sendResolved, heldUntilMs };
  };
}

/** The routes to a channel; null where no route names it, which lets everything through. */
function routesTo(name: string, routes: readonly RouteSettings[]): readonly RouteSettings[] | null {
  const leading = routes.filter(
    ({ channels }) => channels === undefined || channels.includes(name),
  );
  return leading.length > 0 ? leading : null;
}

function takes(route: RouteSettings, { severity, detector, entity }: Anomaly): boolean {
  if (rank(severity) < rank(route.minimum_severity)) return false;
  if (route.detectors && !route.detectors.some((wanted) => isLike(detector, wanted))) return false;
  const names = [
    entity.key,
    entity.source,
    entity.destination,
    entity.domain,
    entity.mac,
    entity.process,
    entity.signal,
  ].filter((name) => name !== undefined);
  return route.entities?.some((wanted) => names.some((name) => isLike(name, wanted))) ?? true;
}

/** How long the route is still quiet for an anomaly; 0 where it is not. */
function quietForMs(route: RouteSettings, { severity }: Anomaly, nowMs: number): number {
  if (route.wake_severity !== "never" && rank(severity) >= rank(route.wake_severity)) return 0;
  return (endOfWindowMs(route.quiet_hours, nowMs) ?? nowMs) - nowMs;
}

function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}
